"""Calls between services, and from services to what has no spans of its own.

| evidence | rule |
|---|---|
| ``paired`` | a CLIENT or PRODUCER span with an entry below, directly or through INTERNAL spans |
| ``multi_server`` | a second entry below the same CLIENT span: no client duration, it counts once |
| ``parent_only`` | an entry of another service below a span that is no CLIENT |
| ``root`` | a SERVER span without parent: `model.USER` called it |
| ``orphan`` | a SERVER span whose parent is missing and ran elsewhere: `model.UNKNOWN_CALLER` |
| ``peer`` | a CLIENT span without entry below, or a SERVER span without a parent here, that names |
| | the other side in its attributes |
| ``unknown`` | a CLIENT span without entry below that names nobody: `model.UNKNOWN` |

Messages have rules of their own, see `tracemap.derive.messaging`.
"""

from __future__ import annotations

import numpy as np

from tracemap.derive.arrays import Bools
from tracemap.derive.observations import NOBODY, Observations, observations
from tracemap.derive.roles import Roles
from tracemap.derive.spans import KNOWN_REMOTE, REMOTE_MASK, Message, Peer, Spans
from tracemap.derive.tree import Above, Tree
from tracemap.derive.upstreams import Upstreams
from tracemap.model import UNKNOWN_CALLER, USER, Kind


def calls(spans: Spans, tree: Tree, roles: Roles, upstreams: Upstreams) -> list[Observations]:
    """Return the calls that are not messages, one item of the list a rule."""
    return [
        _paired(spans, roles),
        _parent_only(spans, tree, roles),
        _from_outside(spans, tree),
        _virtual(spans, roles, upstreams),
    ]


def sends(spans: Spans, roles: Roles) -> Bools:
    """Return which spans are calls that hand a message to a queue and reached no entry here."""
    sent = (spans.message == Message.SEND) & (spans.peer_kind == Peer.QUEUE)
    hands_over: Bools = (spans.kind == Kind.PRODUCER) | sent
    return roles.call & (roles.first_entry < 0) & hands_over


def polls(spans: Spans) -> Bools:
    """Return which spans are CLIENT spans that fetch or process messages."""
    fetches = (spans.message == Message.RECEIVE) | (spans.message == Message.PROCESS)
    polling: Bools = (spans.kind == Kind.CLIENT) & fetches
    return polling


def _paired(spans: Spans, roles: Roles) -> Observations:
    words = spans.vocabulary.words
    entries = np.flatnonzero(
        roles.entry & (roles.client >= 0) & (spans.kind != Kind.CONSUMER) & ~polls(spans)
    )
    client = roles.client[entries]
    is_first = roles.first_entry[client] == entries
    protocol = np.where(
        spans.protocol[client] != 0, spans.protocol[client], spans.protocol[entries]
    )
    return observations(
        spans,
        client=np.where(is_first, client, NOBODY),
        server=entries,
        downstream=spans.service[client],
        downstream_operation=spans.operation[roles.entry_above[client]],
        upstream=spans.service[entries],
        upstream_operation=spans.operation[entries],
        upstream_kind=words["service"],
        downstream_kind=words["service"],
        connection_type=words["rpc"],
        protocol=protocol,
        evidence=np.where(is_first, words["paired"], words["multi_server"]).astype(np.int32),
    )


def _parent_only(spans: Spans, tree: Tree, roles: Roles) -> Observations:
    words = spans.vocabulary.words
    called = roles.entry & (roles.client < 0) & (tree.parent >= 0)
    entries = np.flatnonzero(called & (spans.kind != Kind.CONSUMER) & ~polls(spans))
    caller = roles.entry_above[tree.parent[entries]]
    return observations(
        spans,
        server=entries,
        downstream=spans.service[caller],
        downstream_operation=spans.operation[caller],
        upstream=spans.service[entries],
        upstream_operation=spans.operation[entries],
        upstream_kind=words["service"],
        downstream_kind=words["service"],
        connection_type=words["rpc"],
        protocol=spans.protocol[entries],
        evidence=words["parent_only"],
    )


def _from_outside(spans: Spans, tree: Tree) -> Observations:
    """Return the calls of SERVER spans whose caller recorded nothing here.

    The caller is whom the span itself names, else a user for a root. An orphan that names nobody
    was called by somebody unknown if its flags say that the parent ran elsewhere; without that the
    parent may have been a span of its own process, and there is no call.
    """
    words = spans.vocabulary.words
    root = tree.above == Above.ROOT
    orphan = tree.above == Above.ORPHAN
    says = (spans.peer_kind == Peer.SERVICE) & (spans.peer != 0)
    called = root | (orphan & (says | ((spans.flags & REMOTE_MASK) == KNOWN_REMOTE)))
    entries = np.flatnonzero(called & (spans.kind == Kind.SERVER))
    named, from_root = says[entries], root[entries]
    nobody = np.where(from_root, words[USER], words[UNKNOWN_CALLER])
    rule = np.where(from_root, words["root"], words["orphan"])
    kind = np.where(from_root, words["user"], words["unknown"])
    return observations(
        spans,
        server=entries,
        downstream=np.where(named, spans.peer[entries], nobody).astype(np.int32),
        downstream_operation=0,
        upstream=spans.service[entries],
        upstream_operation=spans.operation[entries],
        upstream_kind=words["service"],
        downstream_kind=np.where(named, words["service"], kind).astype(np.int32),
        connection_type=words["rpc"],
        protocol=spans.protocol[entries],
        evidence=np.where(named, words["peer"], rule).astype(np.int32),
    )


def _virtual(spans: Spans, roles: Roles, upstreams: Upstreams) -> Observations:
    words = spans.vocabulary.words
    unmatched = roles.call & (roles.first_entry < 0)
    client = np.flatnonzero(unmatched & ~sends(spans, roles) & ~polls(spans))
    connections = {
        Peer.NONE: "rpc",
        Peer.SERVICE: "rpc",
        Peer.EXTERNAL: "external",
        Peer.DATABASE: "database",
        Peer.QUEUE: "messaging",
        Peer.FAAS: "rpc",
        Peer.GENAI: "external",
    }
    connection = np.array([words[connections[peer]] for peer in Peer], dtype=np.int32)
    kind = upstreams.kind[client]
    evidence = np.where(kind == words["unknown"], words["unknown"], words["peer"])
    return observations(
        spans,
        client=client,
        downstream=spans.service[client],
        downstream_operation=spans.operation[roles.entry_above[client]],
        upstream=upstreams.name[client],
        upstream_operation=spans.operation[client],
        upstream_kind=kind,
        downstream_kind=words["service"],
        connection_type=connection[spans.peer_kind[client]],
        protocol=spans.protocol[client],
        evidence=evidence.astype(np.int32),
    )
