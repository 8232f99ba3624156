"""The call paths of a bucket: every entry and call as a step, with its time and its path id.

A path id is a hash of the texts along the path, so it is the same in every bucket, on every machine
and in every run; 64 bits make a collision unlikely (1e-7 for two million paths).

Folded into the entry above, so that its time still adds up: an entry that calls itself directly
(same service and operation; a sidecar and its application, too), and what lies more than `HOPS_CAP`
calls deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tracemap.derive.arrays import Bools, Bytes, Codes, Ids, Ints, Rows, kernel
from tracemap.derive.hashing import mix, mixed
from tracemap.derive.roles import Roles
from tracemap.derive.spans import Spans
from tracemap.derive.tiling import Tiling, tiling
from tracemap.derive.tree import Tree
from tracemap.derive.upstreams import Upstreams
from tracemap.model import Kind

HOPS_CAP = 32
"""Calls on the longest path that is kept; what lies deeper is folded into the last entry."""

_DEPTH_CAP = 2 * HOPS_CAP
_CONSUMER = int(Kind.CONSUMER)


@kernel
def root_of_each(parent: Rows) -> Rows:
    """Return the step at the top of each step; steps come after the one above them."""
    root = np.empty(parent.size, dtype=np.int32)
    for step in range(parent.size):
        root[step] = step if parent[step] < 0 else root[parent[step]]
    return root


@dataclass(frozen=True)
class Steps:
    """Entries and calls that make the call paths.

    Attributes:
        span: Row of the span of each step.
        parent: Step above, -1: none.
        is_call: Whether the step is a call.
        depth: Steps above.
        path: Hash of the path to the step.
        self_ns, on_parent_ns, critical_ns: Sums over the step and what is folded into it.
        overlaps: Whether the step overlaps a blocking sibling in time.
        first: The first step of its path within the step above; itself for a root.
        entry_step: One item a span: its step as an entry, -1: none.
        call_step: One item a span: its step as a call, -1: none.
        collapsed: One item a span: folded because it calls itself.
        capped: One item a span: folded because it lies too deep.
        tiling: The split of each span's time that the sums are made of.
    """

    span: Rows
    parent: Rows
    is_call: Bools
    depth: Rows
    path: Ids
    self_ns: Ints
    on_parent_ns: Ints
    critical_ns: Ints
    overlaps: Bools
    first: Rows
    entry_step: Rows
    call_step: Rows
    collapsed: Bools
    capped: Bools
    tiling: Tiling

    @property
    def is_new(self) -> Bools:
        """Whether each is the first step of its path within the step above."""
        new: Bools = self.first == np.arange(self.first.size)
        return new


def steps(
    spans: Spans,
    tree: Tree,
    roles: Roles,
    upstreams: Upstreams,
    roots: Bools,
) -> Steps:
    """Return the steps of all traces.

    Args:
        spans: The spans.
        tree: Their parents.
        roles: Which are entries and calls.
        upstreams: Whom each call reached.
        roots: Which spans start a critical path.
    """
    recorded, called = _content(spans, upstreams)
    made, path, places = _walked(
        tree.order,
        _Spans(
            tree.parent, roles.client, roles.entry, roles.call, roles.first_entry, spans.kind,
            recorded, recorded, called,
        ),
    )  # fmt: skip
    starts = (places.entry_step >= 0) | (places.call_step >= 0)
    tiles = tiling(spans, tree, roles, starts, roots)
    return Steps(
        made[:, _SPAN].copy(),
        made[:, _PARENT].copy(),
        made[:, _IS_CALL] == 1,
        made[:, _DEPTH].copy(),
        path,
        *_summed(path.size, places, spans.duration, tiles.own, tiles.on, tiles.critical),
        _overlapping(made, places, tiles.start, spans.duration, tiles.apart),
        _first(made, path),
        places.entry_step,
        places.call_step,
        places.collapsed,
        places.capped,
        tiles,
    )


def _content(spans: Spans, upstreams: Upstreams) -> tuple[Ids, Ids]:
    """Return the hash of what each span says as an entry, and as a call."""
    hashes = spans.vocabulary.hashes()
    recorded = mixed(hashes[spans.service], hashes[spans.operation])
    reached = mixed(hashes[upstreams.name], hashes[upstreams.kind])
    return recorded, mixed(recorded, reached)


class _Spans(NamedTuple):
    """What is known of each span before steps are made."""

    parent: Rows
    client: Rows
    entry: Bools
    call: Bools
    first_entry: Rows
    kind: Bytes
    operation: Ids
    as_entry: Ids
    as_call: Ids


class _Places(NamedTuple):
    """Where each span went; as `Steps`. Its own time belongs to the step `owner`."""

    entry_step: Codes
    call_step: Codes
    owner: Codes
    collapsed: Bools
    capped: Bools


_SPAN, _PARENT, _IS_CALL, _DEPTH = 0, 1, 2, 3  # columns of the steps made


@kernel
def _walked(order: Rows, spans: _Spans) -> tuple[Rows, Ids, _Places]:
    """Make the steps from the roots down; return them, their paths, and where each span went."""
    parent, client, entry, call, first_entry, kind, operation, as_entry, as_call = spans
    limit = 0
    for row in range(order.size):
        limit += entry[row] + call[row]
    made = np.empty((limit, 4), dtype=np.int32)
    path = np.empty(limit, dtype=np.uint64)
    entry_step = np.full(order.size, -1, dtype=np.int32)
    call_step = np.full(order.size, -1, dtype=np.int32)
    owner = np.empty(order.size, dtype=np.int32)
    collapsed = np.zeros(order.size, dtype=np.bool_)
    capped = np.zeros(order.size, dtype=np.bool_)
    count = 0
    for row in order:
        above = owner[parent[row]] if parent[row] >= 0 else -1
        if entry[row]:
            caller = client[row]
            called = caller >= 0 and call_step[caller] >= 0
            if called:
                above = call_step[caller]
            else:
                above = _entry_of(owner[caller] if caller >= 0 else above, made)
                # a call that was folded because it led to the same operation again
                collapsed[row] = caller >= 0 and operation[row] == operation[made[above, _SPAN]]
                capped[row] = not collapsed[row] and _is_deep(above, made)
            if not collapsed[row] and not capped[row]:
                _make(count, row, above, made)
                path[count] = mix(path[above] if above >= 0 else np.uint64(0), as_entry[row])
                entry_step[row] = above = count
                count += 1
        if call[row]:
            within = _entry_of(above, made)
            reached = first_entry[row]
            again = reached >= 0 and kind[reached] != _CONSUMER
            again = again and operation[reached] == operation[made[within, _SPAN]]
            collapsed[row] |= again
            if not again and _is_deep(within, made):
                capped[row] = True
            elif not again:
                _make(count, row, within, made)
                made[count, _IS_CALL] = 1
                path[count] = mix(path[within], as_call[row])
                call_step[row] = above = count
                count += 1
        owner[row] = above
    places = _Places(entry_step, call_step, owner, collapsed, capped)
    return made[:count].copy(), path[:count].copy(), places


@kernel
def _make(step: int, row: int, above: int, made: Rows) -> None:
    made[step, _SPAN] = row
    made[step, _PARENT] = above
    made[step, _IS_CALL] = 0
    made[step, _DEPTH] = made[above, _DEPTH] + 1 if above >= 0 else 0


@kernel
def _is_deep(step: int, made: Rows) -> bool:
    """Whether no further call and entry may be made below a step."""
    return step >= 0 and made[step, _DEPTH] + 2 > _DEPTH_CAP


@kernel
def _entry_of(step: int, made: Rows) -> int:
    """Return the step itself if it is an entry, else the entry it was made in."""
    if step >= 0 and made[step, _IS_CALL]:
        return int(made[step, _PARENT])
    return step


@kernel
def _summed(  # noqa: PLR0917
    count: int, places: _Places, duration: Ints, own: Ints, on: Ints, critical: Ints
) -> tuple[Ints, Ints, Ints]:
    """Add each span's own and critical time to its step; on-path time is the step's span's."""
    entry_step, call_step, owner, _, _ = places
    self_ns = np.zeros(count, dtype=np.int64)
    on_parent_ns = np.zeros(count, dtype=np.int64)
    critical_ns = np.zeros(count, dtype=np.int64)
    for row in range(own.size):
        self_ns[owner[row]] += own[row]
        critical_ns[owner[row]] += critical[row]
        entry, call = entry_step[row], call_step[row]
        if entry >= 0:
            on_parent_ns[entry] = on[row]
            if call >= 0:  # a root CLIENT span: all of the entry is the call
                on_parent_ns[call] = max(duration[row], 0)
        elif call >= 0:
            on_parent_ns[call] = on[row]
    return self_ns, on_parent_ns, critical_ns


@kernel
def _overlapping(made: Rows, places: _Places, start: Ints, duration: Ints, apart: Bools) -> Bools:
    """Return which steps overlap another step of their entry; what blocks nobody is left out.

    Rows of a trace come by start, so it is enough to remember, of each entry, the step that ends
    last.
    """
    entry_step, call_step, _, _, _ = places
    overlaps = np.zeros(made.shape[0], dtype=np.bool_)
    latest = np.full(made.shape[0], -1, dtype=np.int32)
    for row in range(start.size):
        step = call_step[row] if call_step[row] >= 0 else entry_step[row]
        above = made[step, _PARENT] if step >= 0 else -1
        if above < 0 or made[above, _IS_CALL] or duration[row] <= 0 or apart[row]:
            continue
        end = start[row] + duration[row]
        if latest[above] >= 0:
            other = made[latest[above], _SPAN]
            other_end = start[other] + duration[other]
            if start[row] < other_end and start[other] < end:
                overlaps[step] = overlaps[latest[above]] = True
            if end <= other_end:
                continue
        latest[above] = step
    return overlaps


@kernel
def _first(made: Rows, path: Ids) -> Rows:
    """Return the first step of the path of each within its parent step; a root is its own."""
    bits = np.uint64(1)
    while (np.uint64(1) << bits) < 2 * path.size:
        bits += np.uint64(1)
    mask = (np.uint64(1) << bits) - np.uint64(1)
    slots = np.full(mask + np.uint64(1), -1, dtype=np.int32)
    first = np.arange(path.size)
    for step in range(path.size):
        parent = made[step, _PARENT]
        if parent < 0:
            continue
        slot = mix(path[step], np.uint64(parent)) & mask
        while slots[slot] >= 0:
            other = slots[slot]
            if path[other] == path[step] and made[other, _PARENT] == parent:
                first[step] = other
                break
            slot = (slot + np.uint64(1)) & mask
        if first[step] == step:
            slots[slot] = step
    return first
