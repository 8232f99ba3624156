"""Finding ``skew``: how far the clocks of two hosts differ. No time is corrected by it."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.thresholds import Thresholds
from tracemap.model import SKEW, signed_buckets

_PAIR = ["host", "other_host"]
_ALMOST_ALL = 0.99
"""Share of the bounds that must hold: a few calls whose server started late or ran on are noise."""
_MILLION = 1_000_000


def skew(skew_facts: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    """Return what is to be added to the clock of one host of each pair to agree with the other.

    At least what 99 % of the calls demand, at most what 99 % allow (docs/methods.md#clock-skew).
    If that leaves room for 0 the clocks are in step: theta is 0. Else theta is the end nearest to
    0; where the two contradict each other, as they do when a clock was set in the meantime, it is
    the middle and the verdict ``unsteady``. Fewer than `min_call_count` calls say nothing.

    Args:
        skew_facts: As `model.SKEW_FACTS`, any cells; they are summed.
        thresholds: Limits.

    Returns:
        As `model.SKEW`, the largest theta first, then by hosts.
    """
    summed = skew_facts.group_by(*_PAIR, "bound", "bucket").agg(pl.col("count").sum())
    least = _at(summed, "least", _ALMOST_ALL).with_columns(
        least_ns=signed_buckets.lower_ns(pl.col("bucket"))
    )
    most = _at(summed, "most", 1 - _ALMOST_ALL).with_columns(
        most_ns=signed_buckets.upper_ns(pl.col("bucket"))
    )
    found = least.join(most.select(*_PAIR, "most_ns"), on=_PAIR)
    low, high = pl.col("least_ns"), pl.col("most_ns")
    nearest = pl.when(low > 0).then(low).when(high < 0).then(high).otherwise(0)
    few = pl.col("calls") < thresholds.min_call_count
    limit_ns = round(thresholds.skew_ms * _MILLION)
    theta = pl.when(low > high).then((low + high) // 2).otherwise(nearest)
    rows = found.with_columns(
        theta_ns=pl.when(few).then(None).otherwise(theta),
        uncertainty_ns=(high - low).abs(),
        verdict=pl.when(few)
        .then(pl.lit("too few calls"))
        .when(low - high >= limit_ns)
        .then(pl.lit("unsteady"))
        .when(theta.abs() >= limit_ns)
        .then(pl.lit("skewed"))
        .otherwise(pl.lit("in step")),
    )
    size = pl.col("theta_ns").abs().fill_null(-1)
    return SKEW.conform(rows.sort(size, *_PAIR, descending=[True, False, False]))


def _at(summed: pl.DataFrame, bound: str, share: float) -> pl.DataFrame:
    """Return calls and the bucket at the rank `share` of each pair."""
    ordered = summed.filter(pl.col("bound") == bound).sort(*_PAIR, "bucket")
    ranked = ordered.with_columns(
        reached=pl.col("count").cum_sum().over(_PAIR), calls=pl.col("count").sum().over(_PAIR)
    )
    wanted = (pl.col("calls") * share).ceil().clip(1)
    return (
        ranked.filter(pl.col("reached") >= wanted)
        .group_by(_PAIR, maintain_order=True)
        .agg(pl.col("calls", "bucket").first())
    )
