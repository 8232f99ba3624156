"""Finding ``trend``: each edge week by week."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.baseline import WEEK_NS
from tracemap.analyze.drift.latency import waits
from tracemap.analyze.drift.sides import Sides, sides
from tracemap.model import HOUR_NS, TREND, Window
from tracemap.model.histogram import percentiles

_DAY_NS = 24 * HOUR_NS


def trend(
    edge_facts: pl.DataFrame, latency_facts: pl.DataFrame, minutes: pl.Series, covered: Window
) -> pl.DataFrame:
    """Return calls, share of failures and percentiles of each edge, week by week.

    A week that holds data on fewer than seven days (the first, where the data begins within it; one
    with an outage of the export) is partial: its calls are compared with others by the day.

    Args:
        edge_facts: As `model.EDGE_FACTS`, in cells of a week.
        latency_facts: As `model.LATENCY_FACTS`, the same.
        minutes: Starts of the minutes in which calls were observed, ns since the epoch, sorted.
        covered: What the database covers.

    Returns:
        As `model.TREND`, sorted by key. Percentiles are those of `drift`: client durations, where
        there are none what upstream took.
    """
    if edge_facts.is_empty():
        return TREND.empty()
    compared = _all(edge_facts, latency_facts)
    pairs = compared.edges.select("edge", "downstream", "upstream")
    has_client = (pl.col("client_calls") > 0).any().over("downstream", "upstream")
    errors = pl.when(has_client).then("errors_downstream").otherwise("errors_upstream")
    calls = (
        compared.calls.with_columns(errors=errors)
        .group_by("downstream", "upstream", "cell")
        .agg(pl.col("calls", "errors").sum())
    )
    waited = waits(compared).join(pairs, on="edge").group_by(
        "downstream", "upstream", "cell", "bucket"
    ).agg(pl.col("count").sum())  # fmt: skip
    found = percentiles(waited, ["downstream", "upstream", "cell"]).drop("calls")
    days = _days(calls["cell"].unique().sort(), minutes, covered)
    rows = (
        calls.join(found, on=["downstream", "upstream", "cell"], how="left")
        .join(days, on="cell")
        .with_columns(
            error_ratio=pl.col("errors") / pl.col("calls"),
            week_start_ns="cell",
            calls_per_day=pl.col("calls") / pl.col("days"),
        )
    )
    return TREND.conform(rows).sort(TREND.key)


def _days(weeks: pl.Series, minutes: pl.Series, covered: Window) -> pl.DataFrame:
    """Return of each week (``cell``) how many of its ``days`` hold data, to a tenth.

    A day without any call holds none; of the first and the last day counts what is covered, in full
    hours.
    """
    first_ns = covered.start_ns // HOUR_NS * HOUR_NS
    last_ns = -(-covered.end_ns // HOUR_NS) * HOUR_NS
    day = pl.col("cell") + (pl.col("minute") - pl.col("cell")) // _DAY_NS * _DAY_NS
    seen = pl.min_horizontal(day + _DAY_NS, last_ns) - pl.max_horizontal(day, first_ns)
    return (
        pl.DataFrame({"minute": minutes})
        .join_asof(pl.DataFrame({"cell": weeks}), left_on="minute", right_on="cell")
        .filter(pl.col("minute") < pl.col("cell") + WEEK_NS)
        .select("cell", day=day, seen=seen)
        .unique()
        .group_by("cell")
        .agg(days=(pl.col("seen").sum() / _DAY_NS).round(1).clip(lower_bound=0.1))
    )


def _all(edge_facts: pl.DataFrame, latency_facts: pl.DataFrame) -> Sides:
    """Return all cells as one side."""
    times = edge_facts["window_start_ns"]
    whole = Window(int(times.min()), int(times.max()) + 1)  # type: ignore[arg-type]
    return sides(edge_facts, latency_facts, whole, Window(whole.end_ns, whole.end_ns))
