"""Which cell of time each trace belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tracemap.model import HOUR_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.derive.spans import Spans
    from tracemap.model import Cells


@dataclass(frozen=True)
class TraceCells:
    """Start of the cell of each trace, one item a trace.

    Attributes:
        latency: For edges and latencies.
        path: For call paths, quality and exemplars.
        inside: Whether the trace lies in a cell at all.
    """

    latency: NDArray[np.int64]
    path: NDArray[np.int64]
    inside: NDArray[np.bool_]


def trace_cells(spans: Spans, cells: Cells) -> TraceCells:
    """Return the cell of each trace, by the start of its root.

    A trace with no root or several has the start of its earliest span. The root decides because
    the clock of another host may be behind: that must not move a trace to another minute. On the
    grid a trace stays in the hour of its earliest span, by which a store finds it again.
    """
    earliest = spans.start[spans.offsets[:-1]]
    roots = np.flatnonzero(spans.parent_id == 0)
    count = np.bincount(spans.trace[roots], minlength=earliest.size)
    start = earliest.copy()
    start[spans.trace[roots]] = spans.start[roots]
    start = np.where(count == 1, start, earliest)
    if cells.windows:
        return _in_windows(start, cells)
    hour = earliest // HOUR_NS * HOUR_NS
    start = np.clip(start, hour, hour + HOUR_NS - 1)
    return TraceCells(
        latency=start // cells.latency_ns * cells.latency_ns,
        path=start // cells.path_ns * cells.path_ns,
        inside=np.ones(start.size, dtype=np.bool_),
    )


def _in_windows(start: NDArray[np.int64], cells: Cells) -> TraceCells:
    cell = np.zeros(start.size, dtype=np.int64)
    inside = np.zeros(start.size, dtype=np.bool_)
    for window in reversed(cells.windows):  # the first one that holds a trace wins
        held = (start >= window.start_ns) & (start < window.end_ns)
        cell[held] = window.start_ns
        inside |= held
    return TraceCells(cell, cell, inside)
