"""Finding ``trend``: each edge week by week."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.drift.latency import waits
from tracemap.analyze.drift.sides import Sides, sides
from tracemap.model import TREND, Window
from tracemap.model.histogram import percentiles


def trend(edge_facts: pl.DataFrame, latency_facts: pl.DataFrame) -> pl.DataFrame:
    """Return calls, share of failures and percentiles of each edge, cell by cell.

    Args:
        edge_facts: As `model.EDGE_FACTS`, in cells of a week.
        latency_facts: As `model.LATENCY_FACTS`, the same.

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
    rows = calls.join(found, on=["downstream", "upstream", "cell"], how="left").with_columns(
        error_ratio=pl.col("errors") / pl.col("calls"), week_start_ns="cell"
    )
    return TREND.conform(rows).sort(TREND.key)


def _all(edge_facts: pl.DataFrame, latency_facts: pl.DataFrame) -> Sides:
    """Return all cells as one side."""
    times = edge_facts["window_start_ns"]
    whole = Window(int(times.min()), int(times.max()) + 1)  # type: ignore[arg-type]
    return sides(edge_facts, latency_facts, whole, Window(whole.end_ns, whole.end_ns))
