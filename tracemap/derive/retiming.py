"""How long each span would have taken if some spans had taken longer or shorter.

Order and gaps are kept (the rule of CRISP's what-if, USENIX ATC 2022): a child keeps its distance
to the siblings that it had to wait for, siblings that ran side by side still do, and a parent keeps
the distance of its end to the end of its last child. What was hidden behind a slower sibling stays
hidden until it is the slower one. Spans without a change below them keep their duration to the
nanosecond.

Not modelled: queues that fill, and timeouts or retries that nobody recorded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracemap.derive.arrays import Bools, Ints, Rows, kernel
from tracemap.derive.spans import Spans
from tracemap.derive.tiling import Tiling
from tracemap.derive.tree import Tree, children

NEVER = -1
"""No limit to a duration."""


class Changes(NamedTuple):
    """What changes, one item a span.

    Attributes:
        scale: Factor of its own time.
        added: ns that it takes longer.
        limit: ns after which it is given up, or `NEVER`.
        skipped: Whether it takes no time at all.
    """

    scale: NDArray[np.float64]
    added: Ints
    limit: Ints
    skipped: Bools


class Retimed(NamedTuple):
    """The result, one item a span: new durations, and which spans were given up."""

    duration: Ints
    given_up: Bools


def retimed(spans: Spans, tree: Tree, tiles: Tiling, changes: Changes) -> Retimed:
    """Return the durations of `spans` after `changes`; an unknown duration stays unknown."""
    first, listed = children(tiles.waits_for)
    clocked = _Clocked(tiles.start, spans.duration, tiles.apart, tiles.paired)
    return _from_leaves(tree.order, tiles.waits_for, first, listed, clocked, changes)


class _Clocked(NamedTuple):
    """When spans ran, and whether what is above waits for them."""

    start: Ints
    duration: Ints
    apart: Bools
    paired: Bools


@kernel
def _from_leaves(  # noqa: PLR0917
    order: Rows, above: Rows, first: Rows, listed: Rows, spans: _Clocked, changes: Changes
) -> Retimed:
    """Go from the leaves up: whatever is below a span has its new duration before it."""
    new = spans.duration.copy()
    touched = np.zeros(order.size, dtype=np.bool_)
    given_up = np.zeros(order.size, dtype=np.bool_)
    for at in range(order.size - 1, -1, -1):
        row = order[at]
        if spans.duration[row] < 0:
            continue
        if touched[row] or changes.scale[row] != 1.0:
            below = listed[first[row] : first[row + 1]]
            new[row] = _replayed(row, below, spans, new, changes.scale[row])
        new[row] = max(new[row] + changes.added[row], 0)
        if 0 <= changes.limit[row] < new[row]:
            new[row] = changes.limit[row]
            given_up[row] = True
        if changes.skipped[row]:
            new[row] = 0
            given_up[row] = False
        if new[row] != spans.duration[row] and above[row] >= 0:
            touched[above[row]] = True
    return Retimed(new, given_up)


@kernel
def _replayed(row: int, below: Rows, spans: _Clocked, new: Ints, scale: float) -> int:
    """Return the new duration of one span from those of its children."""
    duration = spans.duration[row]
    rows = np.empty(below.size, dtype=np.int64)
    count = 0
    for child in below:
        if spans.duration[child] < 0 or spans.apart[child]:
            continue
        if spans.paired[child] and spans.duration[child] > duration:
            return int(min(duration, new[child]))  # it gave up on this one
        rows[count] = child
        count += 1
    start = np.empty(count, dtype=np.int64)
    end = np.empty(count, dtype=np.int64)
    for place in range(count):
        start[place] = spans.start[rows[place]] - spans.start[row]
        end[place] = start[place] + spans.duration[rows[place]]
    by_start = np.argsort(start, kind="mergesort")
    by_end = np.argsort(end, kind="mergesort")
    new_end = np.empty(count, dtype=np.int64)
    known = np.zeros(count, dtype=np.bool_)
    before, before_new = 0, 0  # the latest end so far, and the new one
    last, last_new = 0, 0
    passed = 0
    for place in by_start:
        while passed < count and known[by_end[passed]] and end[by_end[passed]] <= start[place]:
            before = max(before, end[by_end[passed]])
            before_new = max(before_new, new_end[by_end[passed]])
            passed += 1
        begin = before_new + _scaled(start[place] - before, scale)
        new_end[place] = begin + new[rows[place]]
        known[place] = True
        last = max(last, end[place])
        last_new = max(last_new, new_end[place])
    finish = last_new + _scaled(duration - last, scale)
    return int(max(finish, 0))


@kernel
def _scaled(gap: int, scale: float) -> int:
    """Return a gap of own time times `scale`; where clocks make it negative, as it is."""
    if scale == 1.0 or gap <= 0:
        return gap
    return round(gap * scale)
