"""Intervals for numbers whose observations come in clusters: requests of one day depend on another.

A bad afternoon is one event, not ten thousand slow requests. Cells of time (days, in a weekly
comparison) are taken as the clusters of a survey: what is certain is what holds day after day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.statistics import NORMAL_95, upper_tail
from tracemap.model import HOUR_NS, MINUTE_NS, Window
from tracemap.model.histogram import values_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY_NS = 24 * HOUR_NS
_WIDTHS_NS = (DAY_NS, 6 * HOUR_NS, HOUR_NS, 10 * MINUTE_NS, MINUTE_NS)
_LEAST_CELLS = 7
"""A week has seven days; fewer clusters make intervals wide for want of clusters alone."""


def cell_width_ns(*windows: Window) -> int:
    """Return how wide cells are: the widest that cuts each of the windows into seven at least."""
    shortest_ns = min(window.duration_ns for window in windows)
    return next((width for width in _WIDTHS_NS if shortest_ns >= _LEAST_CELLS * width), MINUTE_NS)


def student_95(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the half-width of a 95 % interval in standard errors, by degrees of freedom.

    The inverse of the transformation in `statistics.upper_tail` (Wallace 1959).
    """
    degrees = np.maximum(degrees, 1.0)
    size = NORMAL_95 * (8 * degrees + 3) / (8 * degrees + 1)
    return np.asarray(np.sqrt(degrees * np.expm1(size**2 / degrees)))


@dataclass(frozen=True)
class Difference:
    """Differences of estimates on two sides, with intervals; all arrays have one item a unit.

    Attributes:
        value: Window minus baseline.
        low: Lower end of the 95 % interval; NaN: unknown.
        high: Upper end.
        p: Probability of a difference at least as large, on either side, if there is none;
            NaN: unknown.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]


def difference(
    estimate: NDArray[np.float64],
    below: NDArray[np.float64],
    above: NDArray[np.float64],
    cells: NDArray[np.float64],
) -> Difference:
    """Return the difference of two estimates, each with its own interval.

    Intervals are joined by the method of variance estimates recovery (Zou & Donner, Statistics in
    Medicine 27, 2008), which keeps them lopsided where percentiles are; swapping the sides mirrors
    the result. Degrees of freedom are those of Welch and Satterthwaite.

    Args:
        estimate: Shape (2, units): baseline, window.
        below: Distance from each estimate to the lower end of its interval, same shape.
        above: Distance to the upper end.
        cells: Clusters behind each estimate, same shape; fewer than two: nothing is known.
    """
    known = (cells >= 2).all(axis=0)  # noqa: PLR2004 - one cluster has no spread
    with np.errstate(invalid="ignore", divide="ignore"):
        value = estimate[1] - estimate[0]
        low = value - np.hypot(below[1], above[0])
        high = value + np.hypot(above[1], below[0])
        degrees = np.maximum(cells - 1, 1.0)
        inner = np.where(value > 0, [above[0], below[1]], [below[0], above[1]])
        variance = (inner / student_95(degrees)) ** 2
        total = variance.sum(axis=0)
        joint = total**2 / (variance**2 / degrees).sum(axis=0)
        t = np.where(value == 0, 0.0, np.abs(value) / np.sqrt(total))
        p = 2 * upper_tail(t, np.nan_to_num(joint, nan=1.0))
    known &= np.isfinite(value) & np.isfinite(p)
    return Difference(value, *(np.where(known, each, np.nan) for each in (low, high, p)))


def cluster_variance(rows: pl.DataFrame, unit: str, residual: pl.Expr, total: str) -> pl.DataFrame:
    """Return the variance of a ratio ``sum / total`` from the residuals of its cells.

    ``m / (m - 1) * sum(residual^2) / total^2`` with m cells (Cochran, Sampling Techniques, 6.3).

    Args:
        rows: One row per unit and cell.
        unit: Name of the column that tells units apart.
        residual: What a cell has more than its share of `total` would give.
        total: Name of the column with a cell's part of the denominator.

    Returns:
        One row per unit: `unit`, ``variance`` (null with a single cell) and ``cells``.
    """
    m = pl.len().cast(pl.Float64)
    spread = (residual**2).sum() / pl.col(total).sum().cast(pl.Float64) ** 2
    return rows.group_by(unit).agg(variance=pl.when(m > 1).then(m / (m - 1) * spread), cells=m)


def percentile_bounds(histogram: pl.DataFrame, unit: str, percent: int) -> pl.DataFrame:
    """Return a percentile of each unit with its 95 % interval.

    The interval of Woodruff (Journal of the American Statistical Association 47, 1952): the share
    of observations below the percentile has a variance, from one cell to the next; the percentiles
    at both ends of the interval of that share are the ends. Never narrower than for independent
    observations.

    Args:
        histogram: Columns `unit` (Int64), ``cell``, ``bucket`` and ``count``.
        unit: Name of the column that tells units apart.
        percent: Which percentile.

    Returns:
        One row per unit, sorted: `unit`, ``calls``, ``value_ns``, ``low_ns``, ``high_ns`` (null:
        beyond the largest or smallest observation, or a single cell), ``cells``; and the
        percentile without the cell that has most above it (``less_ns``) or below it (``more_ns``):
        a tail that one bad day made is gone without that day, which the interval cannot see.
    """
    share = percent / 100
    at = values_at(histogram, [unit], {"value_ns": lambda calls: -(-calls * percent // 100)})
    cells = _below(histogram, unit, percent)
    spread = cluster_variance(cells, unit, pl.col("below") - pl.col("expected"), "count")
    rows = at.join(spread, on=unit, maintain_order="left")
    count = rows["calls"].to_numpy().astype(np.float64)
    floor = share * (1 - share) / np.maximum(count, 1)
    variance = np.maximum(rows["variance"].fill_null(np.nan).to_numpy(), floor)
    half = student_95(rows["cells"].to_numpy() - 1) * np.sqrt(variance)
    ends = values_at(
        histogram,
        [unit],
        {
            "low_ns": lambda calls: np.nan_to_num(calls * (share - half), nan=1.0),
            "high_ns": lambda calls: np.nan_to_num(calls * (share + half), nan=1.0),
        },
    )
    known = np.isfinite(half)
    excess = pl.col("below") - pl.col("expected")
    without = {
        name: _without(histogram, cells.sort(unit, excess, "cell", descending=order), unit, percent)
        for name, order in (("less_ns", False), ("more_ns", [False, True, False]))
    }
    for name, column in without.items():
        rows = rows.join(column.rename({"value_ns": name}), on=unit, how="left")
    return rows.sort(unit).select(
        unit,
        "less_ns",
        "more_ns",
        "calls",
        "value_ns",
        pl.when(pl.Series(known & (share > half))).then(ends["low_ns"]).alias("low_ns"),
        pl.when(pl.Series(known & (share + half < 1))).then(ends["high_ns"]).alias("high_ns"),
        "cells",
    )


def _below(histogram: pl.DataFrame, unit: str, percent: int) -> pl.DataFrame:
    """Return of each unit and cell the observations up to its percentile: all, and expected.

    Columns `unit`, ``cell``, ``below``, ``count``, ``expected``.
    """
    ranked = histogram.sort(unit, "bucket").with_columns(
        reached=pl.col("count").cum_sum().over(unit), all=pl.col("count").sum().over(unit)
    )
    middle = (
        ranked.filter(pl.col("reached") * 100 >= pl.col("all") * percent)
        .group_by(unit)
        .agg(middle=pl.col("bucket").min())
    )
    below = (pl.col("bucket") <= pl.col("middle")) * pl.col("count")
    return (
        histogram.join(middle, on=unit)
        .group_by(unit, "cell")
        .agg(below=below.sum(), count=pl.col("count").sum())
        .with_columns(
            expected=pl.col("count")
            * pl.col("below").sum().over(unit)
            / pl.col("count").sum().over(unit)
        )
    )


def _without(
    histogram: pl.DataFrame, ordered: pl.DataFrame, unit: str, percent: int
) -> pl.DataFrame:
    """Return the percentile of each unit without its first cell in `ordered`."""
    first = ordered.unique(unit, keep="first", maintain_order=True).select(unit, "cell")
    rest = histogram.join(first, on=[unit, "cell"], how="anti")
    ranks = {"value_ns": lambda calls: -(-calls * percent // 100)}
    return values_at(rest, [unit], ranks).select(unit, "value_ns")
