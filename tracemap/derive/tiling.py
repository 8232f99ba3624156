"""How each span's duration splits into own time and on-path time of its children, exactly.

Methods: docs/methods.md#tiling. From the end of a span backwards, take the child that ends last,
then the child that ends last before that one starts, and so on: their time is on the path, what
they leave uncovered is the span's own. Integers throughout, so the parts sum to the whole. The same
rule from the root of a trace gives its critical path.

Not blocking, so never on the path: ``CONSUMER`` spans and children of ``PRODUCER`` spans (they run
on when the parent is done), and a child that outlives its parent by more than 1 ms and 1 % of the
parent. Whether *most* calls of an operation outlive their parent, a vote over many traces, is left
out on purpose: it would make the facts of a trace depend on other traces, and facts must add up.

A ``CLIENT`` span always waits for the entry it reached. Clocks of two hosts differ, so the entry is
placed by durations alone: in the middle of the client span, or from its start if it is the longer
one, and everything below it moves along. A constant error of a clock therefore changes nothing.
Other spans within such a client span (``dns.lookup``) are part of its gap. Where no client span
joins two hosts, clocks are trusted, except that a child cannot start before its parent: then it is
moved to its parent's start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from tracemap.derive.tree import children
from tracemap.model import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.derive.roles import Roles
    from tracemap.derive.spans import Spans
    from tracemap.derive.tree import Tree

OUTLIVES_NS = 1_000_000
OUTLIVES_DIVISOR = 100
"""A child outlives its parent if it ends later by more than 1 ms and by more than 1 %."""
TOLERANCE_NS = 2_000_000
TOLERANCE_DIVISOR = 100
"""Siblings of different clocks may overlap by up to 2 ms or 1 % and still be one after another."""

_CLIENT, _PRODUCER, _CONSUMER = int(Kind.CLIENT), int(Kind.PRODUCER), int(Kind.CONSUMER)


@dataclass(frozen=True)
class Tiling:
    """Time on paths, ns, one item a span.

    Attributes:
        paired: Whether the span is the entry a CLIENT span waited for.
        start: Start on the clock of the trace's root: as recorded, plus the shift of its host.
        own: Own time within `on`, or within the whole duration for a span that starts a tiling.
        on: On-path time within the nearest span above that starts a tiling.
        critical: Exclusive time on the critical path of the trace.
        apart: Whether the span was ruled not to block the nearest span above that starts a tiling.
    """

    paired: NDArray[np.bool_]
    start: NDArray[np.int64]
    own: NDArray[np.int64]
    on: NDArray[np.int64]
    critical: NDArray[np.int64]
    apart: NDArray[np.bool_]


def tiling(
    spans: Spans, tree: Tree, roles: Roles, starts: NDArray[np.bool_], roots: NDArray[np.bool_]
) -> Tiling:
    """Return the split of each span's time.

    Args:
        spans: The spans.
        tree: Their parents.
        roles: Which of them are entries and calls.
        starts: Which spans start a tiling of their own; the others are split only as far as they
            are on the path of the span above.
        roots: Which spans start a critical path.
    """
    waits_for, paired = _waiting(
        tree.parent, roles.client, roles.entry, roles.first_entry, spans.kind
    )
    first, listed = children(waits_for)
    start, own, on, critical, apart = _tiled(
        tree.order, first, listed, spans.start, spans.duration, spans.span_id, spans.kind,
        spans.clock, paired, starts, roots,
    )  # fmt: skip
    return Tiling(paired, start, own, on, critical, apart)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _waiting(parent, client, entry, first_entry, kind):  # type: ignore[no-untyped-def]
    """Return the span that each span is part of in time, and whether it is a matched entry."""
    waits_for = parent.copy()
    paired = np.zeros(parent.size, dtype=np.bool_)
    for row in range(parent.size):
        above = parent[row]
        if above < 0:
            continue
        if entry[row] and client[row] >= 0:
            waits_for[row] = client[row]
            paired[row] = kind[client[row]] == _CLIENT and kind[row] != _CONSUMER
        elif first_entry[above] >= 0:
            waits_for[row] = -1  # beside the call: within its gap
    return waits_for, paired


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tiled(order, first, listed, recorded, duration, span_id, kind, clock, paired, starts, roots):  # type: ignore[no-untyped-def]
    """Go from the roots down, splitting two windows of each span: the local and the critical."""
    total = order.size
    start = recorded.copy()
    own = np.zeros(total, dtype=np.int64)
    critical = np.zeros(total, dtype=np.int64)
    apart = np.zeros(total, dtype=np.bool_)
    local = np.zeros((total, 2), dtype=np.int64)
    path = np.zeros((total, 2), dtype=np.int64)
    candidates = np.empty(listed.size + 1, dtype=np.int32)
    spare = np.empty(listed.size + 1, dtype=np.int32)
    for row in order:
        begin, end = start[row], start[row] + max(duration[row], 0)
        if starts[row]:
            low, high = begin, end
        else:
            low, high = local[row, 0], local[row, 1]
        if roots[row]:
            path[row, 0], path[row, 1] = begin, end
        count = _placed(
            row, first, listed, recorded, duration, kind, clock, paired, starts, start, apart,
            candidates,
        )  # fmt: skip
        own[row] = high - low
        critical[row] = path[row, 1] - path[row, 0]
        if count == 0:
            continue
        sort_by_end(candidates, spare, count, start, duration, span_id)
        if high > low:
            own[row] -= _covered(
                candidates, count, low, high, start, duration, span_id, clock, local
            )
        if critical[row] > 0:
            critical[row] -= _covered(
                candidates, count, path[row, 0], path[row, 1], start, duration, span_id, clock, path
            )
    return start, own, local[:, 1] - local[:, 0], critical, apart


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _placed(row, first, listed, recorded, duration, kind, clock, paired, starts, start, apart, out):  # type: ignore[no-untyped-def]
    """Shift the children of `row` to its clock; list those that block it; return how many."""
    shift = start[row] - recorded[row]
    earliest, latest = np.int64(0), np.int64(-1)
    for at in range(first[row], first[row + 1]):
        child = listed[at]
        if paired[child] and duration[child] >= 0:
            if latest < earliest or recorded[child] < earliest:
                earliest = recorded[child]
            latest = max(latest, recorded[child] + duration[child])
    slack = (duration[row] - (latest - earliest)) // 2
    moved = start[row] + max(slack, 0) - earliest
    end = start[row] + duration[row]
    limit = end + max(OUTLIVES_NS, duration[row] // OUTLIVES_DIVISOR)
    count = 0
    for at in range(first[row], first[row + 1]):
        child = listed[at]
        start[child] = recorded[child] + shift
        blocks = kind[child] != _CONSUMER and kind[row] != _PRODUCER
        if paired[child]:
            if latest >= earliest and duration[row] >= 0:
                start[child] = recorded[child] + moved
        else:
            if clock[child] != clock[row]:
                start[child] = max(start[child], start[row])
            blocks = blocks and start[child] + max(duration[child], 0) <= limit
        apart[child] = not blocks or (apart[row] and not starts[row])
        if blocks and duration[child] > 0 and duration[row] > 0:
            out[count] = child
            count += 1
    return count


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _covered(candidates, count, low, high, start, duration, span_id, clock, window):  # type: ignore[no-untyped-def]
    """Give each child on the path its part of ``[low, high]``; return the sum of the parts."""
    last = -1
    for at in range(count):  # several may run at the very end: the longest of them takes it
        child = candidates[at]
        if start[child] + duration[child] < high:
            break
        if start[child] < high and (last < 0 or _longer(child, last, duration, span_id)):
            last = child
    cursor, covered = high, np.int64(0)
    if last >= 0:
        cursor = max(start[last], low)
        window[last, 0], window[last, 1] = cursor, high
        covered = high - cursor
    tolerance = min((high - low) // TOLERANCE_DIVISOR, TOLERANCE_NS)
    for at in range(count):
        if cursor <= low:
            break
        child = candidates[at]
        end = start[child] + duration[child]
        begin = max(start[child], low)
        reach = cursor
        if last >= 0 and clock[child] != clock[last]:
            reach += tolerance
        if child == last or end > reach or end <= low or begin >= cursor:
            continue
        end = min(end, cursor)
        window[child, 0], window[child, 1] = begin, end
        covered += end - begin
        cursor, last = begin, child
    return covered


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _longer(one, other, duration, span_id):  # type: ignore[no-untyped-def]
    if duration[one] != duration[other]:
        return duration[one] > duration[other]
    return span_id[one] < span_id[other]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _ends_later(one, other, start, duration, span_id):  # type: ignore[no-untyped-def]
    end, other_end = start[one] + duration[one], start[other] + duration[other]
    if end != other_end:
        return end > other_end
    return _longer(one, other, duration, span_id)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sort_by_end(rows, spare, count, start, duration, span_id):  # type: ignore[no-untyped-def]
    """Sort ``rows[:count]`` by end, latest first; then the longer, then the smaller span id.

    A merge sort from the bottom up; children that ran one after another come in the opposite order,
    so they are turned round first and then need one pass.
    """
    for at in range(count // 2):
        rows[at], rows[count - 1 - at] = rows[count - 1 - at], rows[at]
    for at in range(1, count):
        if _ends_later(rows[at], rows[at - 1], start, duration, span_id):
            break
    else:
        return
    width = 1
    while width < count:
        for begin in range(0, count, 2 * width):
            middle, end = min(begin + width, count), min(begin + 2 * width, count)
            left, right = begin, middle
            for at in range(begin, end):
                if left < middle and (
                    right >= end
                    or not _ends_later(rows[right], rows[left], start, duration, span_id)
                ):
                    spare[at] = rows[left]
                    left += 1
                else:
                    spare[at] = rows[right]
                    right += 1
        rows[:count] = spare[:count]
        width *= 2
