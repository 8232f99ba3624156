"""Finding ``spikes``: episodes in which a unit's latency left its own baseline.

A unit is the duration of an operation as its service records it (``server``), its own time
(``self``), or per edge what downstream waits (``client``) and the gap (``gap``). Cells of
time are compared, not requests: requests within a cell depend on each other, and a test on requests
would call every small drift a spike.
"""

from __future__ import annotations

import math

import polars as pl

from tracemap.analyze.statistics import MAD_TO_SIGMA, NORMAL_95, discoveries, upper_tail
from tracemap.analyze.thresholds import Thresholds
from tracemap.model import MINUTE_NS, SPIKES
from tracemap.model.histogram import Rank, percentiles, values_at

UNIT = ["unit", "service", "operation", "downstream"]
WIDTHS_NS = tuple(minutes * MINUTE_NS for minutes in (1, 5, 15, 60))
"""Widths of a cell, tried in this order until cells hold enough calls."""
_ID = "unit_id"
_CELLS_MOST = 1 << 28
"""More minutes than a time in ns can hold (292 years)."""
_DAY_NS = 24 * 60 * MINUTE_NS


def spikes(latency_facts: pl.DataFrame, thresholds: Thresholds | None = None) -> pl.DataFrame:
    """Return episodes of raised latency, worst first.

    For p50, p95 and p99 of each cell: ``z = (ln q - median) / sqrt(spread^2 + sampling^2)``, the
    median and the spread (1.4826 MAD, at least 3 %) taken over the unit's cells of the day before
    to the day after (see `_baseline`), sampling from the order statistics of the cell itself. A
    cell is flagged when its Student tail survives Benjamini-Hochberg over the whole run and the
    rise is at least `Thresholds.spike_ratio` and `Thresholds.spike_rise_ms`. An episode is two
    consecutive flagged cells, or one with z at least `Thresholds.spike_z`; a hole of one cell is
    bridged.

    Units without `Thresholds.min_baseline_cells` cells of enough calls, at any width up to an
    hour, are not judged: see `judged`.

    Args:
        latency_facts: As `model.LATENCY_FACTS`, on the stored grid.
        thresholds: Limits; the defaults when None.

    Returns:
        As `model.SPIKES`, sorted by `excess_ns`, largest first.
    """
    limits = thresholds or Thresholds()
    units, histogram = _numbered(latency_facts)
    flagged = _flag(_cells(histogram, limits), limits)
    return _measure(_episodes(flagged, limits), histogram, units, limits)


def judged(latency_facts: pl.DataFrame, thresholds: Thresholds | None = None) -> pl.DataFrame:
    """Return the units that had enough cells and calls to be judged: `UNIT` columns and width."""
    counts = latency_facts.group_by(*UNIT, "window_start_ns").agg(pl.col("count").sum())
    units, numbered = _numbered(counts.with_columns(bucket=0, sum_ns=0))
    widths = _widths(numbered, thresholds or Thresholds())
    return units.join(widths, on=_ID).sort(UNIT).drop(_ID)


def _numbered(latency_facts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the units with a number each, and the histogram by it: joins on texts are slow."""
    units = latency_facts.select(UNIT).unique().sort(UNIT).with_row_index(_ID)
    columns = [_ID, "window_start_ns", "bucket", "count", "sum_ns"]
    return units, latency_facts.join(units, on=UNIT).select(columns)


def _widths(histogram: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return per unit the narrowest width at which half of its cells hold enough calls."""
    counts = histogram.group_by(_ID, "window_start_ns").agg(pl.col("count").sum())
    tried = []
    for width_ns in WIDTHS_NS:
        cell = pl.col("window_start_ns") // width_ns
        tried.append(
            counts.group_by(_ID, cell.alias("cell"))
            .agg(pl.col("count").sum())
            .group_by(_ID)
            .agg(cells=pl.len(), calls=pl.col("count").median())
            .filter(
                (pl.col("cells") >= limits.min_baseline_cells)
                & (pl.col("calls") >= limits.min_calls_p50)
            )
            .select(_ID, pl.lit(width_ns, dtype=pl.Int64).alias("width_ns"))
        )
    return pl.concat(tried).group_by(_ID).agg(pl.col("width_ns").min())


def _cells(histogram: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return one row per unit, cell and percentile: its log value and its sampling error."""
    width = pl.col("width_ns")
    # One integer names unit and cell: all widths are whole minutes.
    cell = (
        pl.col(_ID).cast(pl.Int64) * _CELLS_MOST
        + pl.col("window_start_ns") // width * width // MINUTE_NS
    )
    widths = _widths(histogram, limits)
    cells = histogram.join(widths, on=_ID).select("bucket", "count", cell=cell)
    ranks = {
        f"{name}_{side}": _rank(quantile, side)
        for name, quantile in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        for side in (-1, 0, 1)
    }
    by = [_ID, "width_ns", "cell_ns"]
    per_cell = (
        values_at(cells, ["cell"], ranks)
        .with_columns(
            pl.col(list(ranks)).cast(pl.Float64).clip(lower_bound=1.0),
            (pl.col("cell") // _CELLS_MOST).cast(pl.UInt32).alias(_ID),
            cell_ns=pl.col("cell") % _CELLS_MOST * MINUTE_NS,
        )
        .join(widths, on=_ID, maintain_order="left")
    )
    needed = {"p50": limits.min_calls_p50, "p95": limits.min_calls_p95, "p99": limits.min_calls_p99}
    return pl.concat(
        per_cell.filter(pl.col("calls") >= calls).select(
            *by,
            "calls",
            pl.lit(name).alias("percentile"),
            pl.col(f"{name}_0").alias("value_ns"),
            pl.col(f"{name}_0").log().alias("level"),
            ((pl.col(f"{name}_1").log() - pl.col(f"{name}_-1").log()) / 2 / NORMAL_95).alias(
                "sampling"
            ),
        )
        for name, calls in needed.items()
    )


def _rank(quantile: float, side: int) -> Rank:
    """Return the rank of `quantile`, or of an end of its 95 % interval of ranks."""
    spread = side * NORMAL_95 * (quantile * (1 - quantile)) ** 0.5
    return lambda calls: calls * quantile + spread * calls**0.5


def _flag(cells: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return the cells with their z and whether they are flagged."""
    if cells.is_empty():
        return cells.with_columns(z=pl.lit(0.0), flagged=pl.lit(value=False))
    by = [_ID, "percentile", "day"]
    day = pl.col("cell_ns") // _DAY_NS
    baseline = _baseline(cells, by, limits)
    spread = pl.col("spread").clip(lower_bound=limits.spike_noise_floor)
    rise = pl.col("level") - pl.col("middle")
    rows = (
        cells.with_columns(day=day)
        .join(baseline, on=by)
        .filter(pl.col("baseline_cells") >= limits.min_baseline_cells)
        .with_columns(z=rise / (spread**2 + pl.col("sampling") ** 2).sqrt())
        .with_columns(
            large=(rise.exp() >= limits.spike_ratio)
            & (pl.col("value_ns") - pl.col("middle").exp() >= limits.spike_rise_ms * 1e6)
        )
    )
    tails = upper_tail(rows["z"].to_numpy(), rows["degrees"].to_numpy())
    called = pl.Series("called", discoveries(tails, limits.spike_false_discovery_rate))
    return rows.with_columns(called).with_columns(flagged=pl.col("called") & pl.col("large"))


def _baseline(cells: pl.DataFrame, by: list[str], limits: Thresholds) -> pl.DataFrame:
    """Return the usual level of each unit, percentile and day.

    From the day before to the day after. Median and spread of all cells. Where the earlier and the
    later half differ by as much as a spike, the faster half alone: otherwise a lasting regression
    would become its own baseline.
    """
    day = pl.col("cell_ns") // _DAY_NS
    around = pl.concat(
        cells.select(_ID, "percentile", (day + shift).alias("day"), "cell_ns", "level")
        for shift in (-1, 0, 1)
    )
    later = pl.col("cell_ns") > pl.col("cell_ns").median().over(by)
    level = pl.col("level")
    halves = (
        around.with_columns(later=later)
        .group_by(*by, "later")
        .agg(middle=level.median(), spread=(level - level.median()).abs().median(), cells=pl.len())
    )
    faster = (
        halves.sort("middle")
        .group_by(by, maintain_order=True)
        .agg(
            shift=pl.col("middle").last() - pl.col("middle").first(),
            half_middle=pl.col("middle").first(),
            half_spread=pl.col("spread").first(),
            half_cells=pl.col("cells").first(),
        )
    )
    whole = around.group_by(by).agg(
        middle=level.median(), spread=(level - level.median()).abs().median(), cells=pl.len()
    )
    shifted = (pl.col("shift") >= math.log(limits.spike_ratio)) & (
        2 * pl.col("half_cells") >= limits.min_baseline_cells
    )
    either = {
        name: pl.when(shifted).then(f"half_{name}").otherwise(name)
        for name in ("middle", "spread", "cells")
    }
    return whole.join(faster, on=by).select(
        *by,
        middle=either["middle"],
        spread=either["spread"] * MAD_TO_SIGMA,
        degrees=either["cells"].cast(pl.Float64) - 1.0,
        baseline_cells="cells",
    )


def _episodes(cells: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return runs of flagged cells per unit: start, end and largest z."""
    flagged = (
        cells.filter("flagged")
        .group_by(_ID, "width_ns", "cell_ns")
        .agg(pl.col("z").max())
        .sort(_ID, "cell_ns")
    )
    bridged = 2 * pl.col("width_ns")
    starts = (pl.col("cell_ns").diff() > bridged).fill_null(value=True).cum_sum().over(_ID)
    return (
        flagged.with_columns(run=starts)
        .group_by(_ID, "run")
        .agg(
            start_ns=pl.col("cell_ns").min(),
            end_ns=(pl.col("cell_ns") + pl.col("width_ns")).max(),
            z=pl.col("z").max(),
            flagged_cells=pl.len(),
        )
        .filter((pl.col("flagged_cells") > 1) | (pl.col("z") >= limits.spike_z))
    )


def _measure(
    episodes: pl.DataFrame, histogram: pl.DataFrame, units: pl.DataFrame, limits: Thresholds
) -> pl.DataFrame:
    """Return the episodes with percentiles inside and outside of all episodes of their unit.

    As a whole, too, an episode must rise by `Thresholds.spike_ratio`, in its median or its p95.
    """
    if episodes.is_empty():
        return SPIKES.empty()
    by, time = [_ID, "start_ns"], "window_start_ns"
    cells = histogram.join(episodes.select(_ID).unique(), on=_ID, how="semi")
    within = (
        cells.select(_ID, time)
        .unique()
        .join(episodes.select(_ID, "start_ns", "end_ns"), on=_ID)
        .filter((pl.col(time) >= pl.col("start_ns")) & (pl.col(time) < pl.col("end_ns")))
    )
    inside = cells.join(within.drop("end_ns"), on=[_ID, time])
    outside = cells.join(within, on=[_ID, time], how="anti")
    during = percentiles(inside, by=by, percents=(50, 95)).join(_mean(inside, by, "mean"), on=by)
    before = percentiles(outside, by=[_ID], percents=(50, 95)).select(
        _ID, baseline_p50_ns="p50_ns", baseline_p95_ns="p95_ns"
    )
    excess = (pl.col("mean") - pl.col("baseline_mean")) * pl.col("calls")
    key = list(SPIKES.key)
    rose = pl.max_horizontal(
        pl.col(name) / pl.col(f"baseline_{name}").clip(lower_bound=1)
        for name in ("p50_ns", "p95_ns")
    )
    rows = (
        episodes.join(during, on=by)
        .join(before, on=_ID)
        .join(_mean(outside, [_ID], "baseline_mean"), on=_ID)
        .join(units, on=_ID)
        .with_columns(
            ratio=pl.col("p95_ns") / pl.col("baseline_p95_ns").clip(lower_bound=1),
            excess_ns=excess.round(),
        )
        .filter(rose >= limits.spike_ratio)
    )
    return SPIKES.conform(rows).sort(["excess_ns", *key], descending=[True, *[False] * len(key)])


def _mean(rows: pl.DataFrame, by: list[str], name: str) -> pl.DataFrame:
    """Return the mean duration in ns per unit or episode, exactly from sums."""
    return rows.group_by(by).agg((pl.col("sum_ns").sum() / pl.col("count").sum()).alias(name))
