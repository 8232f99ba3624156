"""The call paths of a bucket: every entry and call as a step, with its time and its path id.

A path id is a hash of the texts along the path, so it is the same in every bucket, on every machine
and in every run; 64 bits make a collision unlikely (1e-7 for two million paths).

Folded into the entry above, so that its time still adds up: an entry that calls itself directly
(same service and operation; a sidecar and its application, too), and what lies more than `HOPS_CAP`
calls deep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from tracemap.derive.hashing import mix, mixed
from tracemap.derive.tiling import tiling
from tracemap.derive.tree import children
from tracemap.model import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.derive.roles import Roles
    from tracemap.derive.spans import Spans
    from tracemap.derive.tiling import Tiling
    from tracemap.derive.tree import Tree

HOPS_CAP = 32
"""Calls on the longest path that is kept; what lies deeper is folded into the last entry."""

_DEPTH_CAP = 2 * HOPS_CAP
_CONSUMER = int(Kind.CONSUMER)


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
        is_new: Whether it is the first step of its path within the step above.
        entry_step: One item a span: its step as an entry, -1: none.
        call_step: One item a span: its step as a call, -1: none.
        collapsed: One item a span: folded because it calls itself.
        capped: One item a span: folded because it lies too deep.
        tiling: The split of each span's time that the sums are made of.
    """

    span: NDArray[np.int32]
    parent: NDArray[np.int32]
    is_call: NDArray[np.bool_]
    depth: NDArray[np.int32]
    path: NDArray[np.uint64]
    self_ns: NDArray[np.int64]
    on_parent_ns: NDArray[np.int64]
    critical_ns: NDArray[np.int64]
    overlaps: NDArray[np.bool_]
    is_new: NDArray[np.bool_]
    entry_step: NDArray[np.int32]
    call_step: NDArray[np.int32]
    collapsed: NDArray[np.bool_]
    capped: NDArray[np.bool_]
    tiling: Tiling


def steps(
    spans: Spans,
    tree: Tree,
    roles: Roles,
    upstream: NDArray[np.int32],
    upstream_kind: NDArray[np.int32],
    roots: NDArray[np.bool_],
) -> Steps:
    """Return the steps of all traces.

    Args:
        spans: The spans.
        tree: Their parents.
        roles: Which are entries and calls.
        upstream: Text code of whom each call reached.
        upstream_kind: Text code of what that is.
        roots: Which spans start a critical path.
    """
    as_entry, as_call = _content(spans, upstream, upstream_kind)
    span, parent, is_call, depth, path, entry_step, call_step, owner, collapsed, capped = _walked(
        tree.order, tree.parent, roles.client, roles.entry, roles.call, roles.first_entry,
        spans.kind, spans.service, spans.operation, as_entry, as_call,
    )  # fmt: skip
    tiles = tiling(spans, tree, roles, (entry_step >= 0) | (call_step >= 0), roots)
    self_ns, on_parent_ns, critical_ns = _summed(
        span.size, entry_step, call_step, owner, spans.duration, tiles.own, tiles.on, tiles.critical
    )
    first, listed = children(parent)
    overlaps = _overlapping(first, listed, span, is_call, tiles.start, spans.duration, tiles.apart)
    return Steps(
        span, parent, is_call, depth, path, self_ns, on_parent_ns, critical_ns, overlaps,
        _is_new(parent, path), entry_step, call_step, collapsed, capped, tiles,
    )  # fmt: skip


def _content(
    spans: Spans, upstream: NDArray[np.int32], upstream_kind: NDArray[np.int32]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the hash of what each span says as an entry, and as a call."""
    hashes = spans.vocabulary.hashes()
    recorded = mixed(hashes[spans.service], hashes[spans.operation])
    reached = mixed(hashes[upstream], hashes[upstream_kind])
    return recorded, mixed(recorded, reached)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _walked(  # type: ignore[no-untyped-def]
    order, parent, client, entry, call, first_entry, kind, service, operation, as_entry, as_call
):
    """Make the steps from the roots down."""
    total = order.size
    limit = 0
    for row in range(total):
        limit += entry[row] + call[row]
    span = np.empty(limit, dtype=np.int32)
    above_step = np.empty(limit, dtype=np.int32)
    is_call = np.zeros(limit, dtype=np.bool_)
    depth = np.zeros(limit, dtype=np.int32)
    path = np.empty(limit, dtype=np.uint64)
    entry_step = np.full(total, -1, dtype=np.int32)
    call_step = np.full(total, -1, dtype=np.int32)
    owner = np.empty(total, dtype=np.int32)
    collapsed = np.zeros(total, dtype=np.bool_)
    capped = np.zeros(total, dtype=np.bool_)
    made = 0
    for row in order:
        above = owner[parent[row]] if parent[row] >= 0 else -1
        if entry[row]:
            caller = client[row]
            if caller >= 0 and call_step[caller] >= 0:
                above = call_step[caller]
            else:
                above = _entry_of(owner[caller] if caller >= 0 else above, is_call, above_step)
                if caller >= 0 and collapsed[caller]:
                    collapsed[row] = _same(row, span[above], service, operation)
                elif caller >= 0 and capped[caller]:
                    capped[row] = True
                if above >= 0 and depth[above] + 2 > _DEPTH_CAP and not collapsed[row]:
                    capped[row] = True
            if not (collapsed[row] or capped[row]):
                span[made], above_step[made] = row, above
                depth[made] = depth[above] + 1 if above >= 0 else 0
                path[made] = mix(path[above] if above >= 0 else np.uint64(0), as_entry[row])
                entry_step[row] = made
                above = made
                made += 1
        if call[row]:
            within = _entry_of(above, is_call, above_step)
            reached = first_entry[row]
            if reached >= 0 and kind[reached] != _CONSUMER:
                collapsed[row] |= _same(reached, span[within], service, operation)
            if depth[within] + 2 > _DEPTH_CAP and not collapsed[row]:
                capped[row] = True
            if not (collapsed[row] or capped[row]):
                span[made], above_step[made], is_call[made] = row, within, True
                depth[made] = depth[within] + 1
                path[made] = mix(path[within], as_call[row])
                call_step[row] = made
                above = made
                made += 1
        owner[row] = above
    return (
        span[:made].copy(), above_step[:made].copy(), is_call[:made].copy(), depth[:made].copy(),
        path[:made].copy(), entry_step, call_step, owner, collapsed, capped,
    )  # fmt: skip


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _entry_of(step, is_call, above_step):  # type: ignore[no-untyped-def]
    """Return the step itself if it is an entry, else the entry it was made in."""
    if step >= 0 and is_call[step]:
        return above_step[step]
    return step


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _same(row, other, service, operation):  # type: ignore[no-untyped-def]
    return service[row] == service[other] and operation[row] == operation[other]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _summed(count, entry_step, call_step, owner, duration, own, on, critical):  # type: ignore[no-untyped-def]
    """Add each span's own and critical time to its step; take on-path time from the step's span."""
    self_ns = np.zeros(count, dtype=np.int64)
    on_parent_ns = np.zeros(count, dtype=np.int64)
    critical_ns = np.zeros(count, dtype=np.int64)
    for row in range(owner.size):
        self_ns[owner[row]] += own[row]
        critical_ns[owner[row]] += critical[row]
        if entry_step[row] >= 0:
            on_parent_ns[entry_step[row]] = on[row]
            if call_step[row] >= 0:  # a root CLIENT span: all of the entry is the call
                on_parent_ns[call_step[row]] = max(duration[row], 0)
        elif call_step[row] >= 0:
            on_parent_ns[call_step[row]] = on[row]
    return self_ns, on_parent_ns, critical_ns


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _overlapping(first, listed, span, is_call, start, duration, apart):  # type: ignore[no-untyped-def]
    """Return which steps overlap another step of the same entry; what does not block is left out."""
    overlaps = np.zeros(span.size, dtype=np.bool_)
    for step in range(span.size):
        if is_call[step] or first[step + 1] - first[step] < 2:
            continue
        begins = np.empty(first[step + 1] - first[step], dtype=np.int64)
        count = 0
        for at in range(first[step], first[step + 1]):
            row = span[listed[at]]
            if duration[row] > 0 and not apart[row]:
                begins[count] = start[row]
                listed[first[step] + count] = listed[at]
                count += 1
        ordered = np.argsort(begins[:count], kind="mergesort")
        latest = -1
        for at in range(count):
            here = listed[first[step] + ordered[at]]
            if latest >= 0:
                end = start[span[latest]] + duration[span[latest]]
                if start[span[here]] < end:
                    overlaps[here] = overlaps[latest] = True
                if start[span[here]] + duration[span[here]] <= end:
                    continue
            latest = here
    return overlaps


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_new(parent, path):  # type: ignore[no-untyped-def]
    """Return which steps are the first of their path within their parent step; roots all are."""
    bits = np.uint64(1)
    while (np.uint64(1) << bits) < 2 * path.size:
        bits += np.uint64(1)
    mask = (np.uint64(1) << bits) - np.uint64(1)
    slots = np.full(mask + np.uint64(1), -1, dtype=np.int32)
    new = np.ones(path.size, dtype=np.bool_)
    for step in range(path.size):
        if parent[step] < 0:
            continue
        slot = mix(path[step], np.uint64(parent[step])) & mask
        while slots[slot] >= 0:
            other = slots[slot]
            if path[other] == path[step] and parent[other] == parent[step]:
                new[step] = False
                break
            slot = (slot + np.uint64(1)) & mask
        if new[step]:
            slots[slot] = step
    return new
