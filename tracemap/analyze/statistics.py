"""The statistics that several findings share: ranks, tails, several tests at once, intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAD_TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution times this is its standard deviation."""
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


def rank_z(histogram: pl.DataFrame, by: list[str], side: str) -> pl.DataFrame:
    """Return the Mann-Whitney z of each unit: do durations of the incident rank higher?

    From bucket counts, with the correction for ties; positive when the incident is slower. Calls
    count as independent here: see `overdispersion` for what corrects that.

    Args:
        histogram: Columns `by`, ``bucket``, ``count`` and the Boolean column `side`, true in the
            incident.
        by: What makes a unit.
        side: Name of the Boolean column.

    Returns:
        One row per unit: `by` and ``z`` (Float64; 0 where one side is empty).
    """
    n_base = pl.col("count").filter(~pl.col(side)).sum().cast(pl.Float64).alias("n_base")
    n_inc = pl.col("count").filter(pl.col(side)).sum().cast(pl.Float64).alias("n_inc")
    buckets = histogram.group_by(*by, "bucket").agg(n_base, n_inc).sort(*by, "bucket")
    both = pl.col("n_base") + pl.col("n_inc")
    total, base, inc = both.sum(), pl.col("n_base").sum(), pl.col("n_inc").sum()
    below = pl.col("n_base").cum_sum() - pl.col("n_base") / 2
    wins = (pl.col("n_inc") * below).sum()
    ties = (both**3 - both).sum() / (total * (total - 1))
    variance = base * inc / 12 * (total + 1 - ties)
    return buckets.group_by(by, maintain_order=True).agg(
        z=pl.when((base > 0) & (inc > 0) & (variance > 0))
        .then((wins - base * inc / 2) / variance.sqrt())
        .otherwise(0.0)
    )


def overdispersion(histogram: pl.DataFrame, by: list[str], cell: str) -> pl.DataFrame:
    """Return how much wider apart cells of time lie than calls alone would make them, at least 1.

    The variance ratio of a one-way analysis of variance on bucket numbers (log durations). A burst
    of slow requests in a few seconds is one event, not a hundred: dividing a rank statistic by the
    root of this says so. With few calls the ratio itself is uncertain; the lower end of its 95 %
    interval is taken (normal approximation of ln F), so that thin data is not called bursty.

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
