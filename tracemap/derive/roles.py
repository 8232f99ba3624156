"""What each span is in the graph: an entry, a call, or part of one of them.

* **Entry**: an operation a service runs for somebody. Roots and orphans; ``SERVER`` and
  ``CONSUMER`` spans; any span whose service differs from its parent's. Not an entry: a ``SERVER``
  below ``SERVER``/``INTERNAL`` of its own service without a ``CLIENT`` between them (two libraries
  instrument one request), and likewise a ``CONSUMER`` within the processing of another.
* **Call**: a ``CLIENT`` or ``PRODUCER`` span that leaves its service. Of nested ones in one
  service the innermost with an entry below is the call. If none has, it is the outermost that
  names a database, queue or external peer, else any peer, else the outermost.
* The rest is folded into the entry or call above it.

A span can be both: a root ``CLIENT`` span is the operation and the call it makes. ``UNSPECIFIED``
counts as ``INTERNAL``, but for what can only be a call (`kindless`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from tracemap.derive.arrays import Bools, Bytes, Codes, Rows, kernel
from tracemap.derive.spans import Spans
from tracemap.derive.tree import Tree
from tracemap.model import Kind

CLIMB_CAP = 64
"""An entry looks for its client through at most this many INTERNAL spans."""

_SERVER, _CLIENT = int(Kind.SERVER), int(Kind.CLIENT)
_PRODUCER, _CONSUMER = int(Kind.PRODUCER), int(Kind.CONSUMER)
_RECEIVE, _PROCESS, _SETTLE, _CREATE = 2, 3, 4, 5  # Message
_NAMES_PEER, _NAMES_STORE = 1, 2  # Peer.SERVICE; Peer.EXTERNAL and above
_CALL, _INTERNAL, _NESTED_SERVER, _NESTED_CONSUMER = 0, 1, 2, 3  # Fold
_TRANSPORT, _WRAPPER, _FOLD_SETTLE, _FOLD_CREATE = 4, 5, 6, 7


class Fold(IntEnum):
    """Why a span is neither entry nor call."""

    NOT_FOLDED = 0
    INTERNAL = 1
    """Work inside a service."""
    NESTED_SERVER = 2
    """A second SERVER span for the same request."""
    NESTED_CONSUMER = 3
    """A second CONSUMER span for the same message."""
    TRANSPORT = 4
    """A CLIENT span below the call it carries."""
    WRAPPER = 5
    """A CLIENT span above the calls it makes."""
    SETTLE = 6
    """Acknowledges a message."""
    CREATE = 7
    """Makes a message that another span sends."""


@dataclass(frozen=True)
class Roles:
    """What each span is, one item a span.

    Attributes:
        client: Row of the CLIENT or PRODUCER span an entry was called by, or that a span lies
            within through INTERNAL spans of one service; -1: none.
        entry: Whether it is an entry.
        call: Whether it is a call.
        fold: As `Fold`.
        first_entry: For a call: row of the entry it reached, the first by start; -1: none.
        entry_above: Row of the entry it belongs to, itself for an entry.
    """

    client: Rows
    entry: Bools
    call: Bools
    fold: Bytes
    first_entry: Rows
    entry_above: Rows


def roles(spans: Spans, tree: Tree) -> Roles:
    """Return what each span is. Times decide nothing but which of several entries is the first."""
    names = np.minimum(spans.peer_kind, _NAMES_STORE).astype(np.uint8)
    sort = _Sort(tree.order, tree.parent, spans.kind, spans.message, names)
    client, entry, first_entry = _entries(sort, spans.service)
    below = _below(sort, entry, first_entry)
    call, fold, entry_above = _calls(sort, entry, first_entry, below)
    return Roles(client, entry, call, fold, first_entry, entry_above)


class _Sort(NamedTuple):
    """What sort of span each is, and its place in the tree.

    Attributes:
        names: How much its peer says: 0 nothing, 1 a service, 2 what has no spans of its own.
    """

    order: Rows
    parent: Rows
    kind: Bytes
    message: Bytes
    names: Bytes


class _Below(NamedTuple):
    """What lies below each span within its own service."""

    matched: Bools
    names: Bytes


@kernel
def _leaves(kind: int, message: int) -> bool:
    """Whether a span of this sort can be the downstream side of a call that reaches an entry."""
    if kind == _PRODUCER:
        return message != _SETTLE
    return kind == _CLIENT and message not in (_RECEIVE, _PROCESS, _SETTLE)


@kernel
def _entries(sort: _Sort, service: Codes) -> tuple[Rows, Bools, Rows]:
    """Find, from the roots down, the entries and who called them."""
    kind, message = sort.kind, sort.message
    client = np.full(kind.size, -1, dtype=np.int32)
    climbed = np.zeros(kind.size, dtype=np.uint8)
    entry = np.zeros(kind.size, dtype=np.bool_)
    consuming = np.zeros(kind.size, dtype=np.bool_)
    first_entry = np.full(kind.size, -1, dtype=np.int32)
    for row in sort.order:
        above = sort.parent[row]
        within = False
        if above < 0:
            entry[row] = True
        else:
            inner = kind[above] <= 1
            if _leaves(kind[above], message[above]):
                client[row], climbed[row] = above, 1
            elif (
                inner
                and 0 < climbed[above] < CLIMB_CAP
                and service[client[above]] == service[above]
            ):
                client[row], climbed[row] = client[above], climbed[above] + 1
            same = service[above] == service[row]
            within = same and consuming[above] and (inner or kind[above] == _CONSUMER)
            called = client[row] >= 0
            entry[row] = (
                not same
                or (kind[row] == _SERVER and called)
                or (kind[row] == _CONSUMER and (called or not within))
            )
        processes = kind[row] == _CONSUMER and message[row] != _RECEIVE
        consuming[row] = processes or (within and kind[row] <= 1)
        if entry[row] and client[row] >= 0:
            first = first_entry[client[row]]
            if first < 0 or row < first:  # rows of a trace are sorted by start
                first_entry[client[row]] = row
    return client, entry, first_entry


@kernel
def _below(sort: _Sort, entry: Bools, first_entry: Rows) -> _Below:
    """Find, from the leaves up, what lies below each span within its own service."""
    total = entry.size
    below = _Below(np.zeros(total, dtype=np.bool_), np.zeros(total, dtype=np.uint8))
    for at in range(total - 1, -1, -1):
        row = sort.order[at]
        above = sort.parent[row]
        if above < 0 or entry[row]:
            continue
        if first_entry[row] >= 0 or below.matched[row]:
            below.matched[above] = True
        names = below.names[row]
        if _leaves(sort.kind[row], sort.message[row]):
            names = max(names, sort.names[row])
        below.names[above] = max(below.names[above], names)
    return below


@kernel
def _calls(
    sort: _Sort, entry: Bools, first_entry: Rows, below: _Below
) -> tuple[Bools, Bytes, Rows]:
    """Decide, from the roots down, which spans are calls and why the rest is folded."""
    call = np.zeros(entry.size, dtype=np.bool_)
    covered = np.zeros(entry.size, dtype=np.bool_)
    fold = np.zeros(entry.size, dtype=np.uint8)
    entry_above = np.empty(entry.size, dtype=np.int32)
    for row in sort.order:
        above, kind = sort.parent[row], sort.kind[row]
        entry_above[row] = row if entry[row] else entry_above[above]
        inside = not entry[row] and covered[above]
        if kind in (_CLIENT, _PRODUCER):
            if first_entry[row] < 0:
                fold[row] = _unmatched(sort.message[row], sort.names[row], inside, row, below)
            call[row] = fold[row] == _CALL
        elif entry[row]:
            fold[row] = _CALL
        elif kind == _SERVER:
            fold[row] = _NESTED_SERVER
        elif kind == _CONSUMER:
            fold[row] = _NESTED_CONSUMER
        else:
            fold[row] = _INTERNAL
        covered[row] = call[row] or inside
    return call, fold, entry_above


@kernel
def _unmatched(message: int, names: int, inside: bool, row: int, below: _Below) -> int:  # noqa: FBT001
    """Return why a CLIENT or PRODUCER span without entry below is not a call; 0: it is one."""
    fold = _WRAPPER
    if message == _SETTLE:
        fold = _FOLD_SETTLE
    elif message == _CREATE:
        fold = _FOLD_CREATE
    elif inside:
        fold = _TRANSPORT
    elif not below.matched[row] and (
        below.names[row] == 0
        or names == _NAMES_STORE
        or (names == _NAMES_PEER and below.names[row] != _NAMES_STORE)
    ):
        fold = _CALL
    return fold
