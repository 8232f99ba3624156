"""The statistics that several findings share: slowdowns, tails, many tests at once, intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.model import HISTOGRAM_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution times this is its standard deviation."""
LOG_BUCKET = math.log(2) / 2**HISTOGRAM_SCALE
"""Width of a histogram bucket in ln units."""
SPREAD_OF_ONE = (1.0 / LOG_BUCKET) ** 2
"""Variance assumed for a single call, in buckets: a factor of e."""
NORMAL_95 = 1.96
"""Half-width of a 95 % interval in standard errors."""


def upper_tail(t: NDArray[np.float64], degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``P(T > t)`` of Student's t.

    Wallace's transformation to the normal (Annals of Mathematical Statistics 30, 1959): within
    0.02 standard deviations for four and more degrees of freedom.
    """
    degrees = np.maximum(degrees, 1.0)
    size = (8 * degrees + 1) / (8 * degrees + 3) * np.sqrt(degrees * np.log1p(t**2 / degrees))
    z = np.copysign(size, t)
    erfc = np.frompyfunc(math.erfc, 1, 1)
    return np.asarray(erfc(z / math.sqrt(2)), dtype=np.float64) / 2


def discoveries(p: NDArray[np.float64], rate: float) -> NDArray[np.bool_]:
    """Return which of the tests may be called, at a false discovery rate of `rate`.

    Benjamini-Hochberg; valid for the positive dependence that callers of one slow callee have.
    """
    if p.size == 0:
        return np.zeros(0, dtype=np.bool_)
    order = np.argsort(p, kind="stable")
    passed = p[order] <= rate * np.arange(1, p.size + 1) / p.size
    called = np.zeros(p.size, dtype=np.bool_)
    if passed.any():
        called[order[: int(np.flatnonzero(passed)[-1]) + 1]] = True
    return called


def slowdown(
    histogram: pl.DataFrame, by: list[str], side: str, cell: str, traces: pl.DataFrame
) -> pl.DataFrame:
    """Return by what factor the typical call of each unit got slower, and how sure that is.

    The ratio of geometric means, with its 95 % interval from Welch's standard error on log
    durations; the baseline's variance is inflated by its `overdispersion`. Logarithms keep one
    giant request from deciding; ten calls that are all slower than any before are enough.

    Args:
        histogram: Columns `by`, ``bucket``, ``count``, the Boolean `side` (true in the incident)
            and `cell`.
        by: What makes a unit.
        side: Name of the column that tells incident from baseline.
        cell: Name of the column that tells cells of time apart.
        traces: Columns `by`, `side` and ``traces``: about how many traces the observations are
            from. Ten calls of one trace are one event, not ten. Units that are missing: any number.

    Returns:
        One row per unit seen on both sides: `by`, ``ratio``, ``ratio_low`` (lower end of the
        interval) and ``z`` (log ratio over its standard error), all Float64.
    """
    n, x = pl.col("count").cast(pl.Float64), pl.col("bucket").clip(lower_bound=0).cast(pl.Float64)
    moments = histogram.group_by(*by, side).agg(
        n=n.sum(), mean=(n * x).sum() / n.sum(), square=(n * x * x).sum()
    )
    spread = (pl.col("square") - pl.col("n") * pl.col("mean") ** 2).clip(lower_bound=0.0)
    # One call says nothing about its spread; a bucket is never narrower than itself.
    known = pl.when(pl.col("n") > 1).then(spread / (pl.col("n") - 1)).otherwise(SPREAD_OF_ONE)
    events = pl.min_horizontal("n", pl.col("traces").clip(lower_bound=1.0))
    error = moments.join(traces, on=[*by, side], how="left").with_columns(
        error=known.clip(lower_bound=1.0) / events
    )
    before, during = error.filter(~pl.col(side)), error.filter(pl.col(side))
    bursts = overdispersion(histogram.filter(~pl.col(side)), by, cell)
    shift = (pl.col("mean_during") - pl.col("mean")) * LOG_BUCKET
    se = (pl.col("error") * pl.col("overdispersion") + pl.col("error_during")).sqrt() * LOG_BUCKET
    return (
        before.join(during, on=by, suffix="_during")
        .join(bursts, on=by)
        .select(
            *by,
            ratio=shift.exp(),
            ratio_low=(shift - NORMAL_95 * se).exp(),
            z=shift / se,
        )
        .sort(by)
    )


def overdispersion(histogram: pl.DataFrame, by: list[str], cell: str) -> pl.DataFrame:
    """Return how much wider apart cells of time lie than calls alone would make them, at least 1.

    The variance ratio of a one-way analysis of variance on bucket numbers (log durations). A burst
    of slow requests in a few seconds is one event, not a hundred: a variance times this says so.
    With few calls the ratio itself is uncertain; the lower end of its 95 % interval is taken
    (normal approximation of ln F), so that thin data is not called bursty.

    Args:
        histogram: Columns `by`, ``bucket``, ``count`` and `cell`, of the baseline: how bursty a
            unit is when nothing is known to be wrong.
        by: What makes a unit.
        cell: Name of the column that tells cells of time apart.

    Returns:
        One row per unit: `by` and ``overdispersion`` (Float64).
    """
    n, x = pl.col("count").cast(pl.Float64), pl.col("bucket").clip(lower_bound=0).cast(pl.Float64)
    cells = histogram.group_by(*by, cell).agg(
        n=n.sum(), total=(n * x).sum(), square=(n * x * x).sum()
    )
    calls, explained = pl.col("n").sum(), (pl.col("total") ** 2 / pl.col("n")).sum()
    between = explained - pl.col("total").sum() ** 2 / calls
    within = pl.col("square").sum() - explained
    degrees_between, degrees_within = pl.len().cast(pl.Float64) - 1, calls - pl.len()
    uncertainty = (2 / degrees_between + 2 / degrees_within).sqrt()
    ratio = (between / degrees_between) / (within / degrees_within)
    lower = ratio / (NORMAL_95 * uncertainty).exp()
    usable = (degrees_between > 0) & (degrees_within > 0) & (within > 0)
    return cells.group_by(by).agg(
        overdispersion=pl.when(usable).then(lower.clip(lower_bound=1.0)).otherwise(1.0)
    )


def jackknife(
    replicates: NDArray[np.float64], estimate: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the half-width of the 95 % interval from delete-one-bucket replicates.

    ``2.01 * sqrt((k-1)/k * sum((replicate - mean)^2))`` with k buckets, which for traces hashed
    into buckets is a cluster bootstrap over traces (Efron & Stein 1981).

    Args:
        replicates: One row per deleted bucket, any further shape.
        estimate: The estimate on all data; gives the shape of the result.

    Returns:
        Half-widths, shaped as `estimate`; zero with fewer than two buckets.
    """
    k = replicates.shape[0]
    if k < 2:  # noqa: PLR2004 - one bucket has no spread
        return np.zeros_like(estimate)
    spread = ((replicates - replicates.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(2.01 * np.sqrt((k - 1) / k * spread))


def rate_difference(
    one: tuple[NDArray[np.float64], NDArray[np.float64]],
    other: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the difference of two shares with its 95 % interval: value, low, high.

    Newcombe's hybrid of two Wilson intervals (Statistics in Medicine 17, 1998, method 10). A share
    of nothing is taken as 0 with an interval of everything.

    Args:
        one: Events and trials.
        other: Events and trials of what is subtracted.
    """
    (p, p_low, p_high), (q, q_low, q_high) = _wilson(*one), _wilson(*other)
    low = np.sqrt((p - p_low) ** 2 + (q_high - q) ** 2)
    high = np.sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
    return p - q, p - q - low, p - q + high


def _wilson(
    events: NDArray[np.float64], trials: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a share with the ends of its 95 % interval (Wilson 1927)."""
    n = np.maximum(trials, 1e-9)
    share = np.clip(events / n, 0.0, 1.0)
    z2 = NORMAL_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_95 * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return share, np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)
