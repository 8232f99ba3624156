"""Messages: producer -> queue -> consumer, by parent ids and by links, across traces.

The producer provides and the consumer consumes, so a message makes two observations: the queue is
downstream of the producer, the consumer is downstream of the queue. Each is made once:

* the first by the producer's own span. If that is no producer span (a SERVER span whose context
  went into the message), the consumer makes it;
* the second by the consumer: a ``CONSUMER`` span, or a ``CLIENT`` span that receives or processes;
  once for each producer it names by its parent or by a link. A link that names its parent again
  counts once.

| evidence | rule |
|---|---|
| ``parent`` | the producer is the parent of the consumer, directly or through INTERNAL spans |
| ``link`` | the consumer links to the producer |
| ``destination`` | the consumer names only the queue |
| ``peer`` | the producer names the queue; nothing here shows who consumed |
| ``unknown`` | neither producer nor queue is known: `model.UNKNOWN` |

If nobody names the queue the consumer is directly downstream of the producer. Of a receive span and
the process spans below it only the latter consume; settle and create spans make no edge. Links of
any other span are edges with connection type ``link``: no latency, no errors.

``client_ns`` of producer -> queue is the duration of the send; of queue -> consumer, the duration
of a CLIENT span that polls, on its first row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracemap.derive.arrays import Bools, Codes, Ints, Rows
from tracemap.derive.calls import polls, sends
from tracemap.derive.links import Links
from tracemap.derive.observations import NOBODY, Observations, observations
from tracemap.derive.roles import Fold, Roles
from tracemap.derive.spans import UNKNOWN_DURATION, Message, Peer, Spans
from tracemap.derive.tree import Tree
from tracemap.derive.upstreams import Upstreams, queue_names
from tracemap.model import UNKNOWN, Kind

_SCHEMA: dict[str, type[np.generic]] = {
    "consumer": np.int32, "service": np.int32, "operation": np.int32, "queue": np.int32,
    "end": np.int64, "produces": np.bool_, "by_link": np.bool_,
}  # fmt: skip


@dataclass(frozen=True)
class Waits:
    """Consumer start - producer end of each message whose producer is known.

    Attributes:
        row: Row of the consumer.
        upstream, operation: Text codes of the queue, or of the producer's service.
        ns: Negative: clocks disagree.
    """

    row: Rows
    upstream: Codes
    operation: Codes
    ns: Ints


@dataclass(frozen=True)
class Messages:
    """What the messages of a bucket make.

    Attributes:
        observations: Their edges, one item of the list a rule.
        waits: How long they lay in their queues.
        received: Whether a span fetched messages that spans below it process.
    """

    observations: list[Observations]
    waits: Waits
    received: Bools


def messages(
    spans: Spans, tree: Tree, roles: Roles, upstreams: Upstreams, links: Links
) -> Messages:
    """Return what the messages of a bucket make, and the links that are no messages."""
    received = _received(spans, tree)
    consumes = _consumers(spans, roles, links) & ~received
    by_parent = _producers_by_parent(spans, tree, roles, consumes)
    by_link = _producers_by_link(links, consumes, by_parent)
    known = {name: np.concatenate((by_parent[name], by_link[name])) for name in _SCHEMA}
    consumed, waits = _consumed(spans, roles, consumes, known)
    plain = ~consumes[links.row] & ~received[links.row]
    plain &= roles.fold[links.row] != Fold.NESTED_CONSUMER
    return Messages(
        [
            _sent(spans, roles, upstreams),
            _sent_by_others(spans, known),
            consumed,
            _linked(spans, roles, links, plain),
        ],
        waits,
        received,
    )


def _received(spans: Spans, tree: Tree) -> Bools:
    received = np.zeros(len(spans), dtype=np.bool_)
    processes = (spans.kind == Kind.CONSUMER) | (spans.message == Message.PROCESS)
    rows = np.flatnonzero(processes & (tree.parent >= 0))
    above = tree.parent[rows]
    fetched = (spans.message[above] == Message.RECEIVE) & (
        spans.service[above] == spans.service[rows]
    )
    received[above[fetched]] = True
    return received


def _consumers(spans: Spans, roles: Roles, links: Links) -> Bools:
    """Return which spans consume; a nested one only if it alone knows the producers."""
    consumes = (roles.entry & (spans.kind == Kind.CONSUMER)) | polls(spans)
    linked = np.zeros(len(spans), dtype=np.bool_)
    linked[links.row] = True
    nested = roles.fold == Fold.NESTED_CONSUMER
    alone = nested & linked & ~linked[roles.entry_above]
    consumes[roles.entry_above[alone]] = False
    every: Bools = consumes | alone
    return every


def _producers_by_parent(
    spans: Spans, tree: Tree, roles: Roles, consumes: Bools
) -> dict[str, NDArray[Any]]:
    queue = queue_names(spans)
    rows = np.flatnonzero(consumes & roles.entry & (tree.parent >= 0))
    called = roles.client[rows] >= 0
    foreign = spans.service[tree.parent[rows]] != spans.service[rows]
    rows, called = rows[called | foreign], called[called | foreign]
    above = np.where(called, roles.client[rows], tree.parent[rows])
    known = called & (spans.duration[above] >= 0)
    named = np.where(called, queue[above], 0)
    operation = np.where(called, above, roles.entry_above[above])
    return _typed(
        consumer=rows,
        service=spans.service[above],
        operation=spans.operation[operation],
        queue=named,
        end=np.where(known, spans.start[above] + spans.duration[above], UNKNOWN_DURATION),
        produces=called,
        by_link=np.zeros(rows.size, dtype=np.bool_),
    ) | {"producer": above}


def _producers_by_link(
    links: Links, consumes: Bools, by_parent: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    parent_of = np.full(consumes.size, NOBODY, dtype=np.int64)
    parent_of[by_parent["consumer"]] = by_parent["producer"]
    again = (links.target >= 0) & (links.target == parent_of[links.row])
    at = np.flatnonzero(consumes[links.row] & ~again)
    kind, message = links.kind[at], links.message[at]
    named = links.peer_kind[at] == Peer.QUEUE
    sent = (kind == Kind.CLIENT) & (message == Message.SEND) & named
    produces = (kind == Kind.PRODUCER) | sent | (message == Message.CREATE)
    ended = produces | (kind == Kind.CLIENT)
    return _typed(
        consumer=links.row[at],
        service=links.service[at],
        operation=links.operation[at],
        queue=np.where(named, links.peer[at], 0),
        end=np.where(ended, links.end[at], UNKNOWN_DURATION),
        produces=produces,
        by_link=np.ones(at.size, dtype=np.bool_),
    )


def _typed(**columns: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {name: columns[name].astype(dtype) for name, dtype in _SCHEMA.items()}


def _sent(spans: Spans, roles: Roles, upstreams: Upstreams) -> Observations:
    """Return producer -> queue, made by the producer's own span."""
    words = spans.vocabulary.words
    consumed = roles.call & (roles.first_entry >= 0)
    consumed &= spans.kind[roles.first_entry] == Kind.CONSUMER
    consumed &= upstreams.kind == words["queue"]
    rows = np.flatnonzero(sends(spans, roles) | consumed)
    unknown = upstreams.kind[rows] == words["unknown"]
    unmatched = np.where(unknown, words["unknown"], words["peer"])
    evidence = np.where(consumed[rows], words["parent"], unmatched)
    return observations(
        spans,
        client=rows,
        failed_downstream=False,  # the span of a send is the producer's: upstream's
        failed_upstream=spans.failed[rows],
        downstream=upstreams.name[rows],
        downstream_operation=0,
        upstream=spans.service[rows],
        upstream_operation=spans.operation[rows],
        upstream_kind=words["service"],
        downstream_kind=words["queue"],
        connection_type=words["messaging"],
        protocol=spans.protocol[rows],
        evidence=evidence.astype(np.int32),
    )


def _sent_by_others(spans: Spans, known: dict[str, NDArray[Any]]) -> Observations:
    """Return producer -> queue for producers without a producer span, made by the consumer."""
    words = spans.vocabulary.words
    queue = _queue(spans, known)
    at = np.flatnonzero(~known["produces"] & (queue != 0))
    consumer = known["consumer"][at]
    return observations(
        spans,
        client=consumer,
        waited=False,
        failed_downstream=False,
        downstream=queue[at],
        downstream_operation=0,
        upstream=known["service"][at],
        upstream_operation=known["operation"][at],
        upstream_kind=words["service"],
        downstream_kind=words["queue"],
        connection_type=words["messaging"],
        protocol=spans.protocol[consumer],
        evidence=np.where(known["by_link"][at], words["link"], words["parent"]).astype(np.int32),
    )


def _queue(spans: Spans, known: dict[str, NDArray[Any]]) -> Rows:
    """Return the queue of each known producer: as it names it, else as the consumer does."""
    own = queue_names(spans)[known["consumer"]]
    return np.where(known["queue"] != 0, known["queue"], own).astype(np.int32)


def _consumed(
    spans: Spans, roles: Roles, consumes: Bools, known: dict[str, NDArray[Any]]
) -> tuple[Observations, Waits]:
    """Return queue -> consumer (without a queue producer -> consumer) and how long each waited."""
    words = spans.vocabulary.words
    queue = _queue(spans, known)
    alone = np.flatnonzero(consumes)
    alone = alone[~np.isin(alone, known["consumer"])]
    named = queue_names(spans)[alone]
    consumer = np.concatenate((known["consumer"], alone))
    through_queue = np.concatenate((queue != 0, named != 0))
    unknown = np.where(named != 0, words["destination"], words["unknown"])
    evidence = np.concatenate((np.where(known["by_link"], words["link"], words["parent"]), unknown))
    upstream = np.concatenate(
        (np.where(queue != 0, queue, known["service"]), np.where(named != 0, named, words[UNKNOWN]))
    ).astype(np.int32)
    operation = spans.operation[consumer].copy()
    direct = np.flatnonzero(queue == 0)
    operation[direct] = known["operation"][direct]
    kinds = np.full(consumer.size, words["service"], dtype=np.int32)
    kinds[queue.size :] = words["unknown"]
    kinds[through_queue] = words["queue"]
    _, first = np.unique(consumer, return_index=True)
    waited = np.zeros(consumer.size, dtype=np.bool_)
    waited[first] = spans.kind[consumer[first]] == Kind.CLIENT
    within = roles.entry_above[consumer]
    frame = observations(
        spans,
        client=consumer,
        waited=waited,
        downstream=spans.service[consumer],
        downstream_operation=spans.operation[within],
        upstream=upstream,
        upstream_operation=operation,
        upstream_kind=kinds,
        downstream_kind=words["service"],
        connection_type=words["messaging"],
        protocol=spans.protocol[consumer],
        evidence=evidence.astype(np.int32),
    )
    return frame, _waits(spans, known, upstream, operation)


def _waits(
    spans: Spans, known: dict[str, NDArray[Any]], upstream: Codes, operation: Codes
) -> Waits:
    at = np.flatnonzero(known["end"] != UNKNOWN_DURATION)
    rows = known["consumer"][at]
    return Waits(rows, upstream[at], operation[at], spans.start[rows] - known["end"][at])


def _linked(spans: Spans, roles: Roles, links: Links, plain: Bools) -> Observations:
    words = spans.vocabulary.words
    at = np.flatnonzero(plain)
    rows = links.row[at]
    return observations(
        spans,
        client=rows,
        waited=False,
        failed_downstream=False,
        downstream=spans.service[rows],
        downstream_operation=spans.operation[roles.entry_above[rows]],
        upstream=links.service[at],
        upstream_operation=links.operation[at],
        upstream_kind=words["service"],
        downstream_kind=words["service"],
        connection_type=words["link"],
        protocol=0,
        evidence=words["link"],
    )
