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
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.model.words import HISTOGRAM_SCALE, ZERO_BUCKET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Rank = Callable[[NDArray[np.int64]], NDArray[Any]]
"""From numbers of observations to ranks."""

BASE = 2.0 ** (2.0**-HISTOGRAM_SCALE)
"""Upper end of a bucket divided by its lower end."""
RELATIVE_ERROR = (BASE - 1) / (BASE + 1)
"""Largest relative error of `value` and `percentiles`: 0.00542."""

_PACKED = 1 << 13
"""More than there are buckets: 63 powers of two at scale 6 make 4,032."""
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
    ranks = {f"p{percent}_ns": _percent_rank(percent) for percent in percents}
    return values_at(histogram, by, ranks)


def values_at(
    histogram: pl.DataFrame, by: Sequence[str], ranks: Mapping[str, Rank]
) -> pl.DataFrame:
    """Return the values at given ranks of each unit: of the first bucket that reaches the rank.

    Args:
        histogram: Columns `by`, ``bucket`` and ``count``, as for `percentiles`.
        by: What makes a unit; empty: everything is one unit.
        ranks: By name of the result's column: the rank, counted from 1, for the number of
            observations of each unit. Ranks beyond either end mean that end.

    Returns:
        One row per unit, sorted by `by`: those columns, ``calls``, the columns of `ranks` (Int64).
    """
    summed = _summed(histogram, by)
    reached = np.cumsum(summed["count"].to_numpy())
    unit = summed.select(_unit_number(by)).to_series().to_numpy() if by else 0 * reached
    first = np.flatnonzero(np.diff(unit, prepend=-1))
    before = reached[first] - summed["count"].to_numpy()[first]
    calls = np.diff(np.append(before, reached[-1:]))
    # Counts add up over all units, so one sorted array answers every rank of every unit.
    columns = {
        name: summed["bucket"].gather(
            np.searchsorted(reached, before + np.clip(np.ceil(rank(calls)), 1, calls))
        )
        for name, rank in ranks.items()
    }
    return summed[first].select(
        *by,
        pl.Series("calls", calls, dtype=pl.Int64),
        *(value(pl.lit(buckets)).alias(name) for name, buckets in columns.items()),
    )


def _summed(histogram: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return counts per unit and bucket, without empty ones, sorted by both."""
    count = pl.col("count").cast(pl.Int64).sum()
    if len(by) == 1 and histogram.schema[by[0]] == pl.Int64:
        # One integer for unit and bucket is summed and sorted several times faster than two.
        packed = pl.col(by[0]) * _PACKED + pl.max_horizontal("bucket", pl.lit(-1)) + 1
        bucket = pl.col("packed") % _PACKED - 1
        return (
            histogram.select("count", packed=packed.cast(pl.Int64))
            .group_by("packed")
            .agg(count)
            .filter(pl.col("count") > 0)
            .sort("packed")
            .select(
                (pl.col("packed") // _PACKED).alias(by[0]),
                pl.when(bucket < 0).then(ZERO_BUCKET).otherwise(bucket).alias("bucket"),
                "count",
            )
        )
    summed = histogram.group_by(*by, "bucket").agg(count)
    return summed.filter(pl.col("count") > 0).sort(*by, "bucket")


def _unit_number(by: Sequence[str]) -> pl.Expr:
    """Return a number that changes where the unit does."""
    return pl.col(by[0]).rle_id() if len(by) == 1 else pl.struct(by).rle_id()


def _percent_rank(percent: int) -> Rank:
    return lambda calls: -(-calls * percent // 100)
