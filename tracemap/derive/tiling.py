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

import numpy as np

from tracemap.derive.arrays import Bools, Bytes, Codes, Ints, Rows, kernel
from tracemap.derive.roles import Roles
from tracemap.derive.spans import Spans
from tracemap.derive.tree import Tree, children
from tracemap.model import Kind

OUTLIVES_NS = 1_000_000
OUTLIVES_DIVISOR = 100
"""A child outlives its parent if it ends later by more than 1 ms and by more than 1 %."""
TOLERANCE_NS = 2_000_000
TOLERANCE_DIVISOR = 100
"""Siblings may overlap by up to 2 ms or 1 % of their parent and still be one after another: clocks
differ, and times are rounded."""

_CLIENT, _PRODUCER, _CONSUMER = int(Kind.CLIENT), int(Kind.PRODUCER), int(Kind.CONSUMER)


@dataclass(frozen=True)
class Tiling:
    """Time on paths, ns, one item a span.

    Attributes:
        waits_for: Row of the span it is part of in time, -1: none. Its parent, but for an entry
            below INTERNAL spans of a call the call itself.
        paired: Whether the span is the entry a CLIENT span waited for.
        start: Start on the clock of the trace's root: as recorded, plus the shift of its host.
        own: Own time within `on`, or within the whole duration for a span that starts a tiling.
        on: On-path time within the nearest span above that starts a tiling.
        critical: Exclusive time on the critical path of the trace.
        path: Start and end of its part of the critical path, those it waited for included: shape
            (span, 2), on the clock of `start`; equal where it has none.
        apart: Whether the span was ruled not to block the nearest span above that starts a tiling.
    """

    waits_for: Rows
    paired: Bools
    start: Ints
    own: Ints
    on: Ints
    critical: Ints
    path: Ints
    apart: Bools


def tiling(spans: Spans, tree: Tree, roles: Roles, starts: Bools, roots: Bools) -> Tiling:
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
    table = _table(spans, paired, starts, roots)
    own, critical = _tiled(tree.order, *children(waits_for), table)
    return Tiling(
        waits_for=waits_for,
        paired=paired,
        start=table[:, _START],
        own=own,
        on=table[:, _LOCAL + 1] - table[:, _LOCAL],
        critical=critical,
        path=table[:, _PATH : _PATH + 2],
        apart=(table[:, _FLAGS] & _APART) != 0,
    )


# Columns of the kernels' table, one row a span. All that is needed of a span lies side by side in
# memory, and a kernel is passed one array instead of ten.
_START, _RECORDED, _DURATION, _SPAN_ID, _CLOCK, _FLAGS = 0, 1, 2, 3, 4, 5
_LOCAL, _PATH, _WIDTH = 6, 8, 10  # start and end on the local and on the critical path
_PAIRED, _STARTS, _ROOT, _CONSUMES, _PRODUCES, _APART = 1, 2, 4, 8, 16, 32  # bits of _FLAGS


def _table(spans: Spans, paired: Bools, starts: Bools, roots: Bools) -> Ints:
    """Return what the kernels need to know of each span."""
    flags = np.zeros(len(spans), dtype=np.uint8)
    marks = (
        (paired, _PAIRED),
        (starts, _STARTS),
        (roots, _ROOT),
        (spans.kind == _CONSUMER, _CONSUMES),
        (spans.kind == _PRODUCER, _PRODUCES),
    )
    for mark, bit in marks:
        flags |= mark.view(np.uint8) * np.uint8(bit)
    columns = (spans.start, spans.start, spans.duration, spans.span_id.view(np.int64))
    return _side_by_side(columns, spans.clock, flags)


@kernel
def _side_by_side(columns: tuple[Ints, Ints, Ints, Ints], clock: Codes, flags: Bytes) -> Ints:
    table = np.zeros((clock.size, _WIDTH), dtype=np.int64)
    start, recorded, duration, span_id = columns
    for row in range(clock.size):
        table[row, _START] = start[row]
        table[row, _RECORDED] = recorded[row]
        table[row, _DURATION] = duration[row]
        table[row, _SPAN_ID] = span_id[row]
        table[row, _CLOCK] = clock[row]
        table[row, _FLAGS] = flags[row]
    return table


@kernel
def _waiting(
    parent: Rows, client: Rows, entry: Bools, first_entry: Rows, kind: Bytes
) -> tuple[Rows, Bools]:
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


@kernel
def _tiled(order: Rows, first: Rows, listed: Rows, table: Ints) -> tuple[Ints, Ints]:
    """Go from the roots down, splitting two windows of each span: the local and the critical."""
    own = np.zeros(order.size, dtype=np.int64)
    critical = np.zeros(order.size, dtype=np.int64)
    blocking = np.empty(listed.size + 1, dtype=np.int32)
    spare = np.empty(listed.size + 1, dtype=np.int32)
    for row in order:
        begin = table[row, _START]
        end = begin + max(table[row, _DURATION], 0)
        low, high = table[row, _LOCAL], table[row, _LOCAL + 1]
        if table[row, _FLAGS] & _STARTS:
            low, high = begin, end
        if table[row, _FLAGS] & _ROOT:
            table[row, _PATH], table[row, _PATH + 1] = begin, end
        path_low, path_high = table[row, _PATH], table[row, _PATH + 1]
        own[row], critical[row] = high - low, path_high - path_low
        if first[row] == first[row + 1]:
            continue
        below = listed[first[row] : first[row + 1]]
        count = _place(row, below, table, blocking)
        _sort_by_end(blocking, spare, count, table)
        if count > 0 and high > low:
            part = np.int64(_LOCAL)  # or the compiler makes a version for each constant
            own[row] -= _cover(blocking, count, low, high, part, table)
        if count > 0 and path_high > path_low:
            part = np.int64(_PATH)
            critical[row] -= _cover(blocking, count, path_low, path_high, part, table)
    return own, critical


@kernel
def _place(row: int, below: Rows, table: Ints, blocking: Rows) -> int:
    """Move what is below `row` to its clock; list what blocks it; return how many that are."""
    begin, duration, flags = table[row, _START], table[row, _DURATION], table[row, _FLAGS]
    shift = begin - table[row, _RECORDED]
    shift_of_entries = shift + _centring(row, below, table)
    limit = begin + duration + max(OUTLIVES_NS, duration // OUTLIVES_DIVISOR)
    inherits = (flags & _APART) != 0 and (flags & _STARTS) == 0
    count = 0
    for child in below:
        blocks = (table[child, _FLAGS] & _CONSUMES) == 0 and (flags & _PRODUCES) == 0
        if table[child, _FLAGS] & _PAIRED:
            start = table[child, _RECORDED] + shift_of_entries
        else:
            start = table[child, _RECORDED] + shift
            if table[child, _CLOCK] != table[row, _CLOCK]:
                start = max(start, begin)
            blocks = blocks and start + max(table[child, _DURATION], 0) <= limit
        table[child, _START] = start
        if inherits or not blocks:
            table[child, _FLAGS] |= _APART
        if blocks and table[child, _DURATION] > 0 and duration > 0:
            blocking[count] = child
            count += 1
    return count


@kernel
def _centring(row: int, below: Rows, table: Ints) -> int:
    """Return how far the entries a CLIENT span reached are to be moved, as one block."""
    earliest, latest = np.int64(0), np.int64(-1)
    for child in below:
        begin, duration = table[child, _RECORDED], table[child, _DURATION]
        if (table[child, _FLAGS] & _PAIRED) and duration >= 0:
            if latest < earliest or begin < earliest:
                earliest = begin
            latest = max(latest, begin + duration)
    if latest < earliest or table[row, _DURATION] < 0:
        return 0
    slack = table[row, _DURATION] - (latest - earliest)
    return int(table[row, _RECORDED] + max(slack // 2, 0) - earliest)


@kernel
def _cover(  # noqa: PLR0917
    blocking: Rows, count: int, low: int, high: int, part: np.int64, table: Ints
) -> int:
    """Give each child on the path its part of ``[low, high]``; return the sum of the parts."""
    last = -1
    for at in range(count):  # several may run at the very end: the longest of them takes it
        child = blocking[at]
        begin = table[child, _START]
        if begin + table[child, _DURATION] < high:
            break
        if begin < high and (last < 0 or _is_longer(child, last, table)):
            last = child
    cursor, covered = high, 0
    if last >= 0:
        cursor = max(table[last, _START], low)
        table[last, part], table[last, part + 1] = cursor, high
        covered = high - cursor
    tolerance = min((high - low) // TOLERANCE_DIVISOR, TOLERANCE_NS)
    for at in range(count):
        if cursor <= low:
            break
        child = blocking[at]
        begin = max(table[child, _START], low)
        end = table[child, _START] + table[child, _DURATION]
        if child != last and low < end <= cursor + tolerance and begin < cursor:
            table[child, part], table[child, part + 1] = begin, min(end, cursor)
            covered += min(end, cursor) - begin
            cursor, last = begin, child
    return covered


@kernel
def _is_longer(one: int, other: int, table: Ints) -> bool:
    if table[one, _DURATION] != table[other, _DURATION]:
        return bool(table[one, _DURATION] > table[other, _DURATION])
    return bool(table[one, _SPAN_ID] < table[other, _SPAN_ID])


@kernel
def _ends_later(one: int, other: int, table: Ints) -> bool:
    end = table[one, _START] + table[one, _DURATION]
    other_end = table[other, _START] + table[other, _DURATION]
    if end != other_end:
        return bool(end > other_end)
    return _is_longer(one, other, table)


@kernel
def _sort_by_end(rows: Rows, spare: Rows, count: int, table: Ints) -> None:
    """Sort ``rows[:count]`` by end, latest first; then the longer, then the smaller span id.

    A merge sort from the bottom up. Children that ran one after another come in the opposite order,
    so they are turned round first, and then there is nothing to do.
    """
    for at in range(count // 2):
        rows[at], rows[count - 1 - at] = rows[count - 1 - at], rows[at]
    at = 1
    while at < count and not _ends_later(rows[at], rows[at - 1], table):
        at += 1
    width = 1 if at < count else count
    while 0 < width < count:
        for begin in range(0, count, 2 * width):
            middle, end = min(begin + width, count), min(begin + 2 * width, count)
            left, right = begin, middle
            for to in range(begin, end):
                if left >= middle or (right < end and _ends_later(rows[right], rows[left], table)):
                    spare[to] = rows[right]
                    right += 1
                else:
                    spare[to] = rows[left]
                    left += 1
        for at in range(count):  # a loop: assigning slices takes three seconds to compile
            rows[at] = spare[at]
        width *= 2
