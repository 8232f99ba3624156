"""Finding ``timeline``: percentiles per cell of time of the units a report speaks of."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.spikes import UNIT
from tracemap.model import MINUTE_NS, TIMELINE, Window
from tracemap.model.histogram import percentiles


def timeline(
    latency_facts: pl.DataFrame, units: pl.DataFrame, window: Window, *, cells: int = 60
) -> pl.DataFrame:
    """Return p50, p95 and p99 of some units over `window`, in about `cells` steps.

    Stored cells are merged into steps of as few whole minutes as leave about so many steps with
    calls; a step without calls has no row (a gap in the line, not a zero). So what was recorded
    in a few minutes of a long day stays at its minute.

    Args:
        latency_facts: As `model.LATENCY_FACTS`, on the stored grid.
        units: Which: columns unit, service, operation, downstream. An empty ``downstream`` means
            all callers together.
        window: What to show.
        cells: About how many steps with calls at most.

    Returns:
        As `model.TIMELINE`, sorted by unit, service, operation, downstream and time.
    """
    shown = latency_facts.filter(window.contains(pl.col("window_start_ns"))).join(
        units.select("unit", "service", "operation").unique(),
        on=["unit", "service", "operation"],
        how="semi",
    )
    step_ns = _step_ns(shown["window_start_ns"].unique(), cells)
    shown = shown.with_columns(window_start_ns=pl.col("window_start_ns") // step_ns * step_ns)
    wanted = units.select(UNIT).unique()
    each = shown.join(wanted, on=UNIT, how="semi")
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
    by = [*UNIT, "window_start_ns"]
    return TIMELINE.conform(percentiles(rows, by=by)).sort(by)


def _step_ns(starts: pl.Series, cells: int) -> int:
    """Return the shortest whole number of minutes in which starts fall into about `cells`.

    One step more is allowed: an hour that begins within a minute touches 61 of them.
    """
    most = cells + 1
    minutes = max(1, -(-len(starts) // most))
    while (starts // (minutes * MINUTE_NS)).n_unique() > most:
        minutes += 1
    return minutes * MINUTE_NS
