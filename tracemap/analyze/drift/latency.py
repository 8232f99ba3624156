"""How an edge's latency drifted: percentiles with intervals, and the mix of operations apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.clusters import difference, percentile_bounds
from tracemap.analyze.drift.sides import both, stacked
from tracemap.model.histogram import percentiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.drift.sides import Sides
    from tracemap.analyze.thresholds import Thresholds

PERCENTS = (50, 95, 99)
_PARTS = 1_000_000
"""Calls of a reweighted histogram: whole numbers, as histograms have."""


def waits(sides: Sides) -> pl.DataFrame:
    """Return what downstream waited: columns edge, during, cell, operation, bucket, count.

    Client durations; where a side has none of an edge, but server durations are known on both, what
    upstream took: the two must never be compared with each other.
    """
    pairs = sides.edges.select("edge", "downstream", pl.col("upstream").alias("service"))
    of_edges = sides.latency.filter(pl.col("unit").is_in(["client", "server"])).join(
        pairs, on=["downstream", "service"]
    )
    seen = of_edges.group_by("edge", "unit").agg(pl.col("during").n_unique())
    best = seen.sort("during", "unit", descending=[True, False]).unique(
        "edge", keep="first", maintain_order=True
    )
    return of_edges.join(best.select("edge", "unit"), on=["edge", "unit"]).select(
        "edge", "during", "cell", "operation", "bucket", "count"
    )


def latency(sides: Sides, limits: Thresholds) -> pl.DataFrame:
    """Return percentiles of both sides, their ratios with intervals, and how likely by chance.

    Ratios are compared on the logarithm. A percentile with too few calls on a side
    (`Thresholds.min_calls_p50` and so on) has no ratio.

    Returns:
        One row per edge with a known latency: ``edge``; for each percentile ``p95_ns``,
        ``baseline_p95_ns``, ``p95_steady_ratio`` (the ratio that remains without the worst day),
        ``p95_ratio``, ``p95_ratio_low``, ``p95_ratio_high``, ``p95_chance``
        (null: unknown) and ``p95_speed_ratio``.
    """
    histogram = waits(sides)
    unit = (pl.col("edge") * 2 + pl.col("during")).alias("unit")
    numbered = histogram.select(unit, "cell", "bucket", "count")
    rows = sides.edges.select("edge").join(histogram.select("edge").unique(), on="edge", how="semi")
    for percent in PERCENTS:
        least = getattr(limits, f"min_calls_p{percent}")
        rows = rows.join(_percentile(numbered, percent, least), on="edge", how="left")
    speed = _speed(histogram)
    return rows.join(speed, on="edge", how="left").sort("edge")


def _percentile(numbered: pl.DataFrame, percent: int, least: int) -> pl.DataFrame:
    """Return one percentile of both sides, one row per edge."""
    bounds = percentile_bounds(numbered, "unit", percent).with_columns(
        edge=pl.col("unit") // 2, during=pl.col("unit") % 2 == 1
    )
    names = ["calls", "value_ns", "low_ns", "high_ns", "less_ns", "more_ns", "cells"]
    rows = both(bounds, names)
    enough = pl.min_horizontal("calls", "baseline_calls") >= least
    known = rows["calls"].is_not_null() & rows["baseline_calls"].is_not_null()
    known &= rows.select(enough).to_series().fill_null(value=False)
    found = difference(*_ends(rows))
    ratio, low, high = (np.exp(each) for each in (found.value, found.low, found.high))
    slower, faster = (
        (pl.col(f"{now}_ns").clip(1) / pl.col(f"baseline_{before}_ns").clip(1))
        for now, before in (("less", "more"), ("more", "less"))
    )
    steadily = pl.when(pl.col("value_ns") > pl.col("baseline_value_ns")).then(slower)
    return rows.select(
        "edge",
        steadily.otherwise(faster).alias(f"p{percent}_steady_ratio"),
        pl.col("value_ns").alias(f"p{percent}_ns"),
        pl.col("baseline_value_ns").alias(f"baseline_p{percent}_ns"),
        *(
            pl.when(known).then(pl.Series(each).fill_nan(None)).alias(f"p{percent}_{name}")
            for name, each in (
                ("ratio", ratio), ("ratio_low", low), ("ratio_high", high), ("chance", found.p),
            )
        ),
    )  # fmt: skip


def _ends(rows: pl.DataFrame) -> tuple[NDArray[np.float64], ...]:
    """Return logarithms of values, distances to both ends, and cells, shaped (side, unit)."""
    sides = stacked(rows, "value_ns", "low_ns", "high_ns", "cells")
    value, low, high = (
        np.log(np.maximum(sides[name], 1.0)) for name in ("value_ns", "low_ns", "high_ns")
    )
    return value, value - low, high - value, np.nan_to_num(sides["cells"])


def _speed(histogram: pl.DataFrame) -> pl.DataFrame:
    """Return the part of each ratio that is not made by another mix of operations.

    Each side is given the other's mix of operations; the speed is the geometric mean of the ratios
    under either mix (Shapley's value of two factors), over the operations seen on both sides. What
    remains of the whole ratio is the mix.
    """
    mix = histogram.group_by("edge", "operation", "during").agg(pl.col("count").sum())
    mix = mix.filter(pl.len().over("edge", "operation") == 2)  # noqa: PLR2004 - both sides
    share = pl.col("count") / pl.col("count").sum().over("edge", "during")
    shares = mix.with_columns(share=share)
    weights = shares.join(
        shares.select("edge", "operation", mix_of="during", weight="share"),
        on=["edge", "operation"],
    )
    summed = histogram.group_by("edge", "operation", "during", "bucket").agg(pl.col("count").sum())
    weighted = summed.join(
        weights.select("edge", "operation", "during", "mix_of", "weight", all="count"),
        on=["edge", "operation", "during"],
    ).select(
        (pl.col("edge") * 4 + pl.col("during") * 2 + pl.col("mix_of")).alias("unit"),
        "bucket",
        count=(pl.col("count") / pl.col("all") * pl.col("weight") * _PARTS).round().cast(pl.Int64),
    )
    found = percentiles(weighted, ["unit"], PERCENTS).with_columns(
        edge=pl.col("unit") // 4, code=pl.col("unit") % 4
    )
    slow, fast = pl.col("code").is_in([2, 3]), pl.col("code").is_in([0, 1])
    return found.group_by("edge").agg(
        (
            (name.log().filter(slow).sum() - name.log().filter(fast).sum()) / 2
        ).exp().alias(f"p{percent}_speed_ratio")
        for percent in PERCENTS
        for name in [pl.col(f"p{percent}_ns").clip(lower_bound=1).cast(pl.Float64)]
    )  # fmt: skip


def means(sides: Sides) -> pl.DataFrame:
    """Return the change of each edge's mean latency, split into speed and mix.

    Classes are pairs of operations; the split is that of Kitagawa, with the mean of both sides as
    weights, exact to a nanosecond. A class seen on one side only counts as mix.

    Returns:
        ``edge``, ``mean_change_ns``, ``speed_ns``, ``mix_ns`` (Int64), of edges with a latency on
        both sides.
    """
    key = ["edge", "downstream_operation", "upstream_operation"]
    calls = sides.calls.group_by(*key, "during").agg(
        pl.col("client_calls", "client_ns", "server_calls", "server_ns").sum()
    )
    has_client = (pl.col("client_calls").sum().over("edge", "during") > 0).all().over("edge")
    classes = calls.select(
        *key,
        "during",
        n=pl.when(has_client).then("client_calls").otherwise("server_calls"),
        ns=pl.when(has_client).then("client_ns").otherwise("server_ns"),
    ).filter(pl.col("n") > 0)
    classes = classes.with_columns(
        share=pl.col("n") / pl.col("n").sum().over("edge", "during"),
        mean=pl.col("ns") / pl.col("n"),
        overall=pl.col("ns").sum().over("edge", "during")
        / pl.col("n").sum().over("edge", "during"),
    )
    paired = both(
        classes.with_columns(unit=pl.struct(key)), ["share", "mean", "overall"], "unit"
    ).with_columns(edge=pl.col("unit").struct.field("edge"))
    within = (pl.col("share") + pl.col("baseline_share")) / 2
    speed = within * (pl.col("mean") - pl.col("baseline_mean"))
    change = pl.col("overall").max() - pl.col("baseline_overall").max()
    return (
        paired.group_by("edge")
        .agg(
            mean_change_ns=change.round().cast(pl.Int64),
            speed_ns=speed.sum().round().cast(pl.Int64),
        )
        .filter(pl.col("mean_change_ns").is_not_null())
        .with_columns(mix_ns=pl.col("mean_change_ns") - pl.col("speed_ns"))
        .sort("edge")
    )
