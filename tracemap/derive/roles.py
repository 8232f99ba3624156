"""What each span is in the graph: an entry, a call, or part of one of them.

* **Entry**: an operation a service runs for somebody. Roots and orphans; ``SERVER`` and
  ``CONSUMER`` spans; any span whose service differs from its parent's. Not an entry: a ``SERVER``
  below ``SERVER``/``INTERNAL`` of its own service without a ``CLIENT`` between them (two libraries
  instrument one request), and likewise a ``CONSUMER`` within the processing of another.
* **Call**: a ``CLIENT`` or ``PRODUCER`` span that leaves its service. Of nested ones in one
  service the innermost with an entry below is the call. If none has, it is the outermost that
  names a database, queue or external peer, else any peer, else the outermost (otel.md 5.2.5).
* The rest is folded into the entry or call above it.

A span can be both: a root ``CLIENT`` span is the operation and the call it makes. ``UNSPECIFIED``
counts as ``INTERNAL``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from tracemap.model import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.derive.spans import Spans
    from tracemap.derive.tree import Tree

CLIMB_CAP = 64
"""An entry looks for its client through at most this many INTERNAL spans."""

_SERVER, _CLIENT = int(Kind.SERVER), int(Kind.CLIENT)
_PRODUCER, _CONSUMER = int(Kind.PRODUCER), int(Kind.CONSUMER)
_RECEIVE, _PROCESS, _SETTLE, _CREATE = 2, 3, 4, 5  # Message
_NAMES_PEER, _NAMES_STORE = 1, 2  # Peer.SERVICE; Peer.EXTERNAL and above


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

    client: NDArray[np.int32]
    entry: NDArray[np.bool_]
    call: NDArray[np.bool_]
    fold: NDArray[np.uint8]
    first_entry: NDArray[np.int32]
    entry_above: NDArray[np.int32]


def roles(spans: Spans, tree: Tree) -> Roles:
    """Return what each span is. Times decide nothing but which of several entries is the first."""
    client, entry, first_entry = _entries(
        tree.order, tree.parent, spans.kind, spans.service, spans.message, spans.start
    )
    names = _naming(spans.peer_kind)
    matched_below, named_below = _below(
        tree.order, tree.parent, spans.kind, spans.message, entry, first_entry, names
    )
    call, fold, entry_above = _calls(
        tree.order, tree.parent, spans.kind, spans.message, entry, first_entry, matched_below,
        names, named_below,
    )  # fmt: skip
    return Roles(client, entry, call, fold, first_entry, entry_above)


def _naming(peer_kind: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return how much a span's peer says: 0 nothing, 1 a service, 2 what has no spans of its own."""
    return np.minimum(peer_kind, _NAMES_STORE).astype(np.uint8)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _leaves(kind, message):  # type: ignore[no-untyped-def]
    """Whether a span of this sort can be the downstream side of a call that reaches an entry."""
    if kind == _PRODUCER:
        return message != _SETTLE
    return kind == _CLIENT and message != _RECEIVE and message != _PROCESS and message != _SETTLE


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _entries(order, parent, kind, service, message, start):  # type: ignore[no-untyped-def]
    """Find, from the roots down, the entries and who called them."""
    total = parent.size
    client = np.full(total, -1, dtype=np.int32)
    climbed = np.zeros(total, dtype=np.uint8)
    entry = np.zeros(total, dtype=np.bool_)
    consuming = np.zeros(total, dtype=np.bool_)
    first_entry = np.full(total, -1, dtype=np.int32)
    for row in order:
        above = parent[row]
        if above < 0:
            entry[row] = True
            consuming[row] = kind[row] == _CONSUMER and message[row] != _RECEIVE
            continue
        inner = kind[above] <= 1
        if _leaves(kind[above], message[above]):
            client[row] = above
            climbed[row] = 1
        elif inner and client[above] >= 0 and climbed[above] < CLIMB_CAP:
            if service[client[above]] == service[above]:
                client[row] = client[above]
                climbed[row] = climbed[above] + 1
        same = service[above] == service[row]
        within = same and consuming[above] and (inner or kind[above] == _CONSUMER)
        if not same:
            entry[row] = True
        elif kind[row] == _SERVER:
            entry[row] = client[row] >= 0
        elif kind[row] == _CONSUMER:
            entry[row] = client[row] >= 0 or not within
        consuming[row] = (kind[row] == _CONSUMER and message[row] != _RECEIVE) or (
            within and kind[row] <= 1
        )
        if entry[row] and client[row] >= 0:
            first = first_entry[client[row]]
            if first < 0 or row < first:  # rows of a trace are sorted by start
                first_entry[client[row]] = row
    return client, entry, first_entry


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _below(order, parent, kind, message, entry, first_entry, names):  # type: ignore[no-untyped-def]
    """Find, from the leaves up, what lies below each span within its own service."""
    total = parent.size
    matched_below = np.zeros(total, dtype=np.bool_)
    named_below = np.zeros(total, dtype=np.uint8)
    for at in range(total - 1, -1, -1):
        row = order[at]
        above = parent[row]
        if above < 0 or entry[row]:
            continue
        if first_entry[row] >= 0 or matched_below[row]:
            matched_below[above] = True
        named = named_below[row]
        if _leaves(kind[row], message[row]):
            named = max(named, names[row])
        named_below[above] = max(named_below[above], named)
    return matched_below, named_below


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _calls(order, parent, kind, message, entry, first_entry, matched_below, names, named_below):  # type: ignore[no-untyped-def]
    """Decide, from the roots down, which spans are calls and why the rest is folded."""
    total = parent.size
    call = np.zeros(total, dtype=np.bool_)
    covered = np.zeros(total, dtype=np.bool_)
    fold = np.zeros(total, dtype=np.uint8)
    entry_above = np.empty(total, dtype=np.int32)
    for row in order:
        above = parent[row]
        entry_above[row] = row if entry[row] else entry_above[above]
        inside = not entry[row] and covered[above]
        if kind[row] == _CLIENT or kind[row] == _PRODUCER:
            fold[row] = _outgoing(
                message[row], first_entry[row] >= 0, inside, matched_below[row], names[row],
                named_below[row],
            )  # fmt: skip
            call[row] = fold[row] == 0
        elif not entry[row]:
            fold[row] = 1
            if kind[row] == _SERVER:
                fold[row] = 2
            elif kind[row] == _CONSUMER:
                fold[row] = 3
        covered[row] = call[row] or inside
    return call, fold, entry_above


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _outgoing(message, matched, inside, matched_below, names, named_below):  # type: ignore[no-untyped-def]
    """Return why a CLIENT or PRODUCER span is not a call; 0: it is one."""
    if matched:
        return 0
    if message == _SETTLE:
        return 6
    if message == _CREATE:
        return 7
    if inside:
        return 4
    if matched_below:
        return 5
    if names >= _NAMES_STORE or named_below < max(names, _NAMES_PEER):
        return 0
    return 0 if names == _NAMES_PEER and named_below < _NAMES_STORE else 5
