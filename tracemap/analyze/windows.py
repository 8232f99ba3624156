"""How named windows are cut into cells of time, and facts told apart by window."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from tracemap.model import SECOND_NS, Window

CELLS = 20
"""Cells per window: enough to see whether a rise lasted, few enough to hold calls."""


def cells(window: Window, count: int = CELLS) -> tuple[Window, ...]:
    """Return `window` cut into at most `count` equal cells of at least a second, in order."""
    count = max(1, min(count, window.duration_ns // SECOND_NS))
    edges = [window.start_ns + window.duration_ns * i // count for i in range(count + 1)]
    return tuple(Window(start, end) for start, end in pairwise(edges))


def sided(facts: pl.DataFrame, incident: Window, baseline: Window) -> pl.DataFrame:
    """Return the facts of the two windows with the Boolean column ``during``: true in the incident.

    Facts of neither are left out; a cell that lies in both counts in both, so that a window
    compared with itself shows no change.
    """
    time = pl.col("window_start_ns")
    return pl.concat(
        facts.filter(window.contains(time)).with_columns(during=pl.lit(value=during))
        for window, during in ((baseline, False), (incident, True))
    )
