"""Log-bucket histograms of durations: which bucket, what value, which percentile.

Bucket ``b`` holds durations in ``(base**b, base**(b+1)]`` with ``base = 2**(2**-scale)``, as in
OpenTelemetry's exponential histogram (data model, "Exponential Scale"). Counts of one unit add up
bucket by bucket, exactly and in any order, so windows and machines merge by ``SUM``.

Error: `value` returns the point of a bucket that is equally far, relatively, from both its ends, so
a percentile is within ``(base - 1) / (base + 1)`` of a true observation of that rank: 0.542 % at
scale 6 (DDSketch, VLDB 2019, section 2.1), plus half a nanosecond of rounding.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from tracemap.model.words import HISTOGRAM_SCALE, ZERO_BUCKET

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE = 2.0 ** (2.0**-HISTOGRAM_SCALE)
"""Upper end of a bucket divided by its lower end."""
RELATIVE_ERROR = (BASE - 1) / (BASE + 1)
"""Largest relative error of `value` and `percentiles`: 0.00542."""

_BUCKETS_PER_E = 2**HISTOGRAM_SCALE / math.log(2)
# Powers of two lie exactly on a boundary; the last bit of a logarithm differs between machines and
# must not decide their bucket. Far above rounding (1e-12), far below half a bucket.
_BOUNDARY_SLACK = 1e-9


def bucket(duration_ns: pl.Expr) -> pl.Expr:
    """Return the bucket of a duration (Int32): ``ceil(ln(x) * 2**scale / ln 2) - 1``.

    Zero has a bucket of its own, `ZERO_BUCKET`. Negative durations are not observations: filter
    them before. Null stays null.
    """
    position = duration_ns.cast(pl.Float64).log() * _BUCKETS_PER_E - _BOUNDARY_SLACK
    return (
        pl.when(duration_ns > 0)
        .then(position.ceil() - 1)
        .when(duration_ns == 0)
        .then(pl.lit(ZERO_BUCKET))
        .cast(pl.Int32)
    )


def value(bucket: pl.Expr) -> pl.Expr:
    """Return the duration in ns (Int64) of a bucket: ``2 * base**(b+1) / (1+base)``; zero: 0."""
    middle = 2.0 / (1.0 + BASE) * (math.log(BASE) * (bucket.cast(pl.Float64) + 1.0)).exp()
    return pl.when(bucket == ZERO_BUCKET).then(pl.lit(0.0)).otherwise(middle).round().cast(pl.Int64)


def percentiles(
    histogram: pl.DataFrame, by: Sequence[str] = (), percents: Sequence[int] = (50, 95, 99)
) -> pl.DataFrame:
    """Return percentiles of each unit: the value of the first bucket that reaches the rank.

    Args:
        histogram: Columns `by`, ``bucket`` and ``count``; a bucket may have several rows (of
            several windows, say), they are summed. Order does not matter.
        by: What makes a unit; empty: everything is one unit.
        percents: Whole percents, 1 to 100.

    Returns:
        One row per unit, sorted by `by`: those columns, ``calls`` (observations, Int64) and for
        each percent ``p50_ns`` and so on (Int64). No rows where there is no observation.

    Example:
        >>> rows = pl.DataFrame({"bucket": [1275, 1339], "count": [3, 1]})
        >>> percentiles(rows, percents=[50, 99]).rows()
        [(4, 998682, 1997365)]
    """
    summed = (
        histogram.group_by(*by, "bucket")
        .agg(pl.col("count").cast(pl.Int64).sum())
        .filter(pl.col("count") > 0)
        .sort(*by, "bucket")
    )
    count = pl.col("count")
    ranks = [
        value(pl.col("bucket").filter(count.cum_sum() * 100 >= count.sum() * percent).first())
        .cast(pl.Int64)
        .alias(f"p{percent}_ns")
        for percent in percents
    ]
    if not by:
        return summed.select(count.sum().alias("calls"), *ranks).filter(pl.col("calls") > 0)
    return summed.group_by(*by, maintain_order=True).agg(count.sum().alias("calls"), *ranks)
