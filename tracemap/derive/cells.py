"""Which cell of time each trace belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Codes, Ints
from tracemap.derive.spans import Spans
from tracemap.model import HOUR_NS, Cells


@dataclass(frozen=True)
class Grid:
    """The cells of a bucket: their starts, sorted, and which one each trace belongs to."""

    starts: Ints
    of_trace: Codes

    @classmethod
    def of(cls, start: Ints) -> Grid:
        """Return the grid in which each trace's cell begins at `start`."""
        starts, of_trace = np.unique(start, return_inverse=True)
        return cls(starts, of_trace.astype(np.int32))

    def decoded(self, column: str) -> pl.Expr:
        """Return a column of cell numbers as ``window_start_ns``."""
        return pl.lit(pl.Series(self.starts)).gather(pl.col(column)).alias("window_start_ns")


@dataclass(frozen=True)
class TraceCells:
    """Cells of the traces of a bucket.

    Attributes:
        latency: For edges and latencies.
        path: For call paths, quality and exemplars.
        inside: Whether each trace lies in a cell at all.
    """

    latency: Grid
    path: Grid
    inside: Bools


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
        latency=Grid.of(start // cells.latency_ns * cells.latency_ns),
        path=Grid.of(start // cells.path_ns * cells.path_ns),
        inside=np.ones(start.size, dtype=np.bool_),
    )


def _in_windows(start: Ints, cells: Cells) -> TraceCells:
    cell = np.zeros(start.size, dtype=np.int64)
    inside = np.zeros(start.size, dtype=np.bool_)
    for window in reversed(cells.windows):  # the first one that holds a trace wins
        held = (start >= window.start_ns) & (start < window.end_ns)
        cell[held] = window.start_ns
        inside |= held
    grid = Grid.of(cell)
    return TraceCells(grid, grid, inside)
