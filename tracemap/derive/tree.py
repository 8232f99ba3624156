"""Who is whose parent in each trace: parent index, cycles cut, children, an order from the roots.

Numba kernels over arrays sorted by trace. Nothing recurses, so a trace may be 100,000 spans deep
or wide; every step is linear in the number of spans.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from tracemap.derive.arrays import Bools, Bytes, Ids, Ints, Rows, kernel
from tracemap.derive.hashing import mix
from tracemap.derive.spans import Spans
from tracemap.model import Kind

_SMALL = 16  # below this, comparing all pairs of a trace beats hashing


class Above(IntEnum):
    """What is above a span."""

    PARENT = 0
    """Its parent is in the trace."""
    ROOT = 1
    """Nothing: it names no parent."""
    ORPHAN = 2
    """It names a parent that is not in the trace."""
    CUT = 3
    """It named itself, or closed a cycle: that link was cut."""


@dataclass(frozen=True)
class Tree:
    """The spans of all traces of a bucket as trees, one item a span.

    Attributes:
        parent: Row of the parent, -1: none.
        above: As `Above`.
        order: Rows, parents before children, trace by trace.
    """

    parent: Rows
    above: Bytes
    order: Rows


def tree(spans: Spans) -> Tree:
    """Return who is whose parent. Only span ids of the same trace count, never times.

    Where client and server recorded their sides under one span id (Zipkin's B3), the server's side
    is below the client's, and spans that name this id are below the side of their own service.
    """
    parent, above, shares = _linked(spans.offsets, _Named(spans.span_id, spans.parent_id))
    if shares:
        _unshare(spans, parent, above)
    _cut_cycles(parent, above, spans.span_id)
    first, listed = children(parent)
    return Tree(parent, above, _from_roots(spans.offsets, parent, first, listed))


def path_roots(spans: Spans, tree: Tree) -> Bools:
    """Return which spans start a critical path: roots, or orphans in a trace that has no root."""
    is_root = tree.above == Above.ROOT
    has_root = np.zeros(spans.offsets.size - 1, dtype=np.bool_)
    has_root[spans.trace[is_root]] = True
    starts: Bools = is_root | ((tree.parent < 0) & ~has_root[spans.trace])
    return starts


class _Named(NamedTuple):
    """What spans say about themselves."""

    span_id: Ids
    parent_id: Ids


class _Linked(NamedTuple):
    """What is found out about them."""

    parent: Rows
    above: Bytes


@kernel
def _linked(offsets: Ints, named: _Named) -> tuple[Rows, Bytes, bool]:
    """Return the row of each span's parent, what is above it, and whether spans share an id."""
    total = named.span_id.size
    linked = _Linked(np.full(total, -1, dtype=np.int32), np.zeros(total, dtype=np.uint8))
    shares = False
    longest = 1
    for trace in range(offsets.size - 1):
        longest = max(longest, offsets[trace + 1] - offsets[trace])
    bits = 1
    while (1 << bits) < 2 * longest:
        bits += 1
    slots = np.empty(1 << bits, dtype=np.int32)
    for trace in range(offsets.size - 1):
        begin, end = offsets[trace], offsets[trace + 1]
        if end - begin <= _SMALL:
            shares |= _link_by_pairs(begin, end, named, linked)
        else:
            shares |= _link_by_hash(begin, end, named, linked, slots)
    return linked.parent, linked.above, shares


@kernel
def _link_by_pairs(begin: int, end: int, named: _Named, linked: _Linked) -> bool:
    shares = False
    for row in range(begin, end):
        for other in range(begin, row):
            shares |= named.span_id[other] == named.span_id[row]
        wanted = named.parent_id[row]
        if wanted == 0:
            linked.above[row] = 1
            continue
        linked.above[row] = 2
        for other in range(begin, end):
            if named.span_id[other] == wanted:
                linked.parent[row] = other
                linked.above[row] = 0
                break
    return shares


@kernel
def _link_by_hash(begin: int, end: int, named: _Named, linked: _Linked, slots: Rows) -> bool:
    shares = False
    bits = np.uint64(1)
    while (np.uint64(1) << bits) < 2 * (end - begin):
        bits += np.uint64(1)
    mask = (np.uint64(1) << bits) - np.uint64(1)
    slots[: mask + np.uint64(1)] = -1
    for row in range(begin, end):
        slot = mix(named.span_id[row], np.uint64(0)) & mask
        while slots[slot] >= 0:
            shares |= named.span_id[slots[slot]] == named.span_id[row]
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = row
    for row in range(begin, end):
        wanted = named.parent_id[row]
        if wanted == 0:
            linked.above[row] = 1
            continue
        linked.above[row] = 2
        slot = mix(wanted, np.uint64(0)) & mask
        while slots[slot] >= 0:
            if named.span_id[slots[slot]] == wanted:
                linked.parent[row] = slots[slot]
                linked.above[row] = 0
                break
            slot = (slot + np.uint64(1)) & mask
    return shares


def _unshare(spans: Spans, parent: Rows, above: Bytes) -> None:
    """Put the server's side of a shared span id below the client's, and children where they belong.

    Of several spans on one side the first by row counts. Ids that come twice on the same side are
    left alone: nothing says which of the two is meant.
    """
    order = np.lexsort((np.arange(len(spans)), spans.span_id, spans.trace))
    same = spans.span_id[order][1:] == spans.span_id[order][:-1]
    same &= spans.trace[order][1:] == spans.trace[order][:-1]
    group = np.concatenate(([0], np.cumsum(~same)))
    kind = spans.kind[order]
    calling = _first_of_group(group, (kind == Kind.CLIENT) | (kind == Kind.PRODUCER))
    answering = _first_of_group(group, (kind == Kind.SERVER) | (kind == Kind.CONSUMER))
    both = (calling >= 0) & (answering >= 0)
    client, server = order[calling[both]], order[answering[both]]
    parent[server], above[server] = client, Above.PARENT

    side = np.full(len(spans), -1, dtype=np.int64)
    side[order] = np.where(both, np.arange(both.size), -1)[group]
    named = np.flatnonzero((parent >= 0) & (side[parent] >= 0))
    at = side[parent[named]]
    own_client, own_server = order[calling[at]], order[answering[at]]
    child = (named != own_server) & (spans.parent_id[named] == spans.span_id[own_client])
    named, own_client, own_server = named[child], own_client[child], own_server[child]
    service = spans.service[named]
    by_client = (service == spans.service[own_client]) & (service != spans.service[own_server])
    parent[named] = np.where(by_client, own_client, own_server)


def _first_of_group(group: Ints, wanted: Bools) -> Ints:
    """Return where the first wanted item of each group stands; -1: there is none."""
    first = np.full(int(group[-1]) + 1, -1, dtype=np.int64)
    at = np.flatnonzero(wanted)[::-1]
    first[group[at]] = at
    return first


@kernel
def _cut_cycles(parent: Rows, above: Bytes, span_id: Ids) -> None:
    """Cut each cycle above its smallest span id: a choice that clocks cannot change."""
    walk_of = np.full(parent.size, -1, dtype=np.int32)
    for begin in range(parent.size):
        row = begin
        while row >= 0 and walk_of[row] < 0:
            walk_of[row] = begin
            row = parent[row]
        if row < 0 or walk_of[row] != begin:
            continue
        smallest = row
        other = parent[row]
        while other != row:
            if span_id[other] < span_id[smallest]:
                smallest = other
            other = parent[other]
        parent[smallest] = -1
        above[smallest] = 3


@kernel
def children(parent: Rows) -> tuple[Rows, Rows]:
    """Return the children of each row as ``listed[first[row] : first[row + 1]]``, in row order."""
    first = np.zeros(parent.size + 1, dtype=np.int32)
    for row in range(parent.size):
        if parent[row] >= 0:
            first[parent[row] + 1] += 1
    for row in range(parent.size):
        first[row + 1] += first[row]
    listed = np.empty(first[parent.size], dtype=np.int32)
    filled = first[:-1].copy()
    for row in range(parent.size):
        above = parent[row]
        if above >= 0:
            listed[filled[above]] = row
            filled[above] += 1
    return first, listed


@kernel
def _from_roots(offsets: Ints, parent: Rows, first: Rows, listed: Rows) -> Rows:
    """Return the rows of each trace breadth first from its roots."""
    order = np.empty(parent.size, dtype=np.int32)
    for trace in range(offsets.size - 1):
        filled = offsets[trace]
        for row in range(offsets[trace], offsets[trace + 1]):
            if parent[row] < 0:
                order[filled] = row
                filled += 1
        done = offsets[trace]
        while done < filled:
            row = order[done]
            done += 1
            for at in range(first[row], first[row + 1]):
                order[filled] = listed[at]
                filled += 1
    return order
