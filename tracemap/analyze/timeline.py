"""Finding ``timeline``: percentiles per cell of time of the units a report speaks of."""

from __future__ import annotations

import polars as pl

from tracemap.model import TIMELINE, Window
from tracemap.model.histogram import percentiles

_UNIT = ["unit", "service", "operation", "downstream"]


def timeline(
    latency_facts: pl.DataFrame, units: pl.DataFrame, window: Window, *, cells: int = 60
) -> pl.DataFrame:
    """Return p50, p95 and p99 of some units over `window`, in about `cells` steps.

    Stored cells are merged into steps of a whole number of minutes; a step without calls has no
    row (a gap in the line, not a zero).

    Args:
        latency_facts: As `model.LATENCY_FACTS`, on the stored grid.
        units: Which: columns unit, service, operation, downstream. An empty ``downstream`` means
            all callers together.
        window: What to show.
        cells: About how many steps.

    Returns:
        As `model.TIMELINE`, sorted by unit, service, operation, downstream and time.
    """
    minute_ns = 60_000_000_000
    step_ns = max(1, -(-window.duration_ns // (cells * minute_ns))) * minute_ns
    shown = latency_facts.filter(window.contains(pl.col("window_start_ns"))).with_columns(
        window_start_ns=pl.col("window_start_ns") // step_ns * step_ns
    )
    wanted = units.select(_UNIT).unique()
    each = shown.join(wanted, on=_UNIT, how="semi")
    together = (
        shown.drop("downstream")
        .join(
            wanted.filter(pl.col("downstream") == ""),
            on=["unit", "service", "operation"],
            how="inner",
        )
        .select(shown.columns)
    )
    rows = pl.concat([each.filter(pl.col("downstream") != ""), together])
    by = [*_UNIT, "window_start_ns"]
    return TIMELINE.conform(percentiles(rows, by=by)).sort(by)
