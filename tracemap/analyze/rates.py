"""How certain it is that events became more frequent: failures, calls without an answer."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.statistics import NORMAL_95

_HALF = 0.5
"""Added to every count of events: the logarithm of none is not known (Jeffreys)."""


def rate_rise(cells: pl.DataFrame) -> pl.DataFrame:
    """Return by what factor events became more frequent per trial, and how sure that is.

    The ratio of rates with an interval on its logarithm, ``1.96 * sqrt(phi / before + 1 / now)``;
    phi is how much more the cells of the baseline scatter than a Poisson process would (Pearson's
    chi-square over its degrees of freedom), at least 1: events that come in bursts are few events.

    Args:
        cells: Columns ``unit`` (Int64), ``during`` (true in the incident), ``events`` and
            ``trials``, one row a unit and cell of time.

    Returns:
        One row a unit with trials on both sides: ``unit``, ``before`` and ``now`` (rates),
        ``events_before``, ``events_now``, ``ratio_low`` (lower end of the interval) and ``z``.
    """
    sums = cells.group_by("unit", "during").agg(pl.col("events", "trials").sum())
    before, now = sums.filter(~pl.col("during")), sums.filter(pl.col("during"))
    error = (pl.col("phi") / (pl.col("events") + _HALF) + 1 / (pl.col("events_now") + _HALF)).sqrt()
    ratio = (pl.col("events_now") + _HALF) / pl.col("trials_now") * pl.col("trials")
    ratio /= pl.col("events") + _HALF
    return (
        before.join(now, on="unit", suffix="_now")
        .filter(pl.col("trials") > 0, pl.col("trials_now") > 0)
        .join(_scatter(cells.filter(~pl.col("during"))), on="unit")
        .select(
            "unit",
            before=pl.col("events") / pl.col("trials"),
            now=pl.col("events_now") / pl.col("trials_now"),
            events_before="events",
            events_now="events_now",
            ratio_low=(ratio.log() - NORMAL_95 * error).exp(),
            z=ratio.log() / error,
        )
        .sort("unit")
    )


def _scatter(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``phi`` of each unit."""
    rate = pl.col("events").sum().over("unit") / pl.col("trials").sum().over("unit")
    expected = pl.col("trials") * rate
    square = (pl.col("events") - expected) ** 2 / expected
    return (
        cells.filter(pl.col("trials") > 0)
        .with_columns(square=pl.when(expected > 0).then(square).otherwise(0.0))
        .group_by("unit")
        .agg(phi=pl.col("square").sum() / (pl.len() - 1).clip(lower_bound=1))
        .with_columns(pl.col("phi").clip(lower_bound=1.0))
    )
