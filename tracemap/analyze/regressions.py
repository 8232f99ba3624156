"""Finding ``regressions``: what users wait for, and how that changed, component by component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.callers import COMPONENT, components, user_paths
from tracemap.analyze.clusters import cluster_variance, difference, student_95
from tracemap.analyze.consumers import consumers
from tracemap.analyze.since_version import since_version
from tracemap.analyze.statistics import discoveries
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.windows import sided
from tracemap.model import REGRESSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tracemap.model import Facts, Window

_NS_PER_MS = 1e6
_ENTRY = ["root_service", "root_operation"]
_SIDES = (("", True), ("baseline_", False))


def regressions(
    facts: Facts,
    window: Window,
    baseline: Window,
    *,
    limits: Thresholds | None = None,
    owners: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return where users' waiting time goes and how that changed between two windows.

    A user request's duration is the sum of the exclusive times on its critical path. Summed by
    component (own time of an operation, or the way between two services) and divided by requests,
    they add up to the mean request, and their changes, mix included, to its change. Each entry
    operation weighs the same on both sides (the mean of both mixes); the effect of a changed mix of
    user requests is a column of its own. Intervals take cells of time as clusters (`clusters`).

    Args:
        facts: ``path_facts`` and ``version_facts`` in cells of both windows, ``paths``,
            ``edge_facts``.
        window: What is looked at.
        baseline: What it is compared with.
        limits: Thresholds; None: the defaults.
        owners: Owner by service.

    Returns:
        As `model.REGRESSIONS`: what cost users most first. Empty where a side has no user request.
    """
    limits = limits or Thresholds()
    rooted = user_paths(facts["paths"], consumers(facts["edge_facts"]))
    named = (
        sided(facts["path_facts"], window, baseline)
        .rename({"window_start_ns": "cell"})
        .join(rooted.select("path_id", "parent_path_id", *_ENTRY), on="path_id")
        .join(components(rooted), on="path_id")
    )
    if named["during"].n_unique() < 2:  # noqa: PLR2004 - nothing to compare with
        return REGRESSIONS.empty()
    units = named.select(COMPONENT).unique().sort(COMPONENT).with_row_index("unit")
    requests = _requests(named)
    spent = named.join(units, on=COMPONENT).group_by("unit", *_ENTRY, "during", "cell").agg(
        pl.col("calls").sum(), spent=pl.col("critical_ns").sum()
    )  # fmt: skip
    pairs = _pairs(spent, requests)
    rows = units.join(_changes(pairs), on="unit").join(_spread(spent, pairs, requests), on="unit")
    cells = (
        spent.group_by("unit", "during", "cell")
        .agg(amount=pl.col("spent").sum(), count=pl.col("calls").sum())
        .join(units.filter(cause="self").select("unit", "service"), on="unit")
    )
    began = since_version(cells, facts["version_facts"], (window, baseline), limits)
    return _finished(rows.join(began, on="unit", how="left"), requests, limits, owners or {})


def _requests(named: pl.DataFrame) -> pl.DataFrame:
    """Return user requests per entry operation, side and cell, with their share of the side."""
    roots = named.filter(pl.col("parent_path_id") == 0)
    counted = roots.group_by(*_ENTRY, "during", "cell").agg(requests=pl.col("calls").sum())
    # In two steps: a sum over a side that stands inside another `over` is one over its group only.
    counted = counted.with_columns(
        served=pl.col("requests").sum().over(*_ENTRY, "during"),
        share=pl.col("requests").sum().over(*_ENTRY, "during")
        / pl.col("requests").sum().over("during"),
        sides=pl.col("during").n_unique().over(_ENTRY),
    )
    mixes = counted.unique([*_ENTRY, "during"]).group_by(_ENTRY).agg(
        weight=pl.when(pl.col("sides").first() == 2).then(pl.col("share").mean()).otherwise(0.0)  # noqa: PLR2004
    )  # fmt: skip
    return counted.join(mixes, on=_ENTRY).drop("sides")


def _pairs(spent: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Return per unit and entry operation what a request spent there, on both sides.

    Columns ``unit``, entry, ``weight``, and per side ``rate`` (ns per request), ``often`` (calls
    per request), ``share`` of the entry among requests. 0 where nothing was seen.
    """
    sums = spent.group_by("unit", *_ENTRY, "during").agg(pl.col("spent", "calls").sum())
    entries = requests.unique([*_ENTRY, "during"])
    pairs = sums.select("unit", *_ENTRY).unique()
    for prefix, during in _SIDES:
        side = entries.filter(pl.col("during") == during).select(
            *_ENTRY, pl.col("served", "share").name.prefix(prefix)
        )
        mine = sums.filter(pl.col("during") == during).select(
            "unit", *_ENTRY, pl.col("spent", "calls").name.prefix(prefix)
        )
        pairs = pairs.join(side, on=_ENTRY, how="left").join(mine, on=["unit", *_ENTRY], how="left")
    pairs = pairs.fill_null(0)
    for prefix, _ in _SIDES:
        served = pl.col(f"{prefix}served")
        pairs = pairs.with_columns(
            pl.when(served > 0).then(pl.col(f"{prefix}{name}") / served).otherwise(0.0)
            .alias(f"{prefix}{made}")
            for name, made in (("spent", "rate"), ("calls", "often"))
        )  # fmt: skip
    weights = requests.select(*_ENTRY, "weight").unique()
    return pairs.join(weights, on=_ENTRY)


def _changes(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return per unit: time per user request on both sides, and what its change is made of.

    Time per request is calls per request times time per call; the change of the product is split at
    the mean of both sides. Where one side has no calls at all, the change is one of the number of
    calls.
    """
    rate, before = pl.col("rate"), pl.col("baseline_rate")
    often, often_before = pl.col("often"), pl.col("baseline_often")
    each = rate / often - before / often_before
    slower = pl.when((often > 0) & (often_before > 0)).then(each * (often + often_before) / 2)
    return pairs.group_by("unit").agg(
        user=(pl.col("share") * rate).sum(),
        baseline_user=(pl.col("baseline_share") * before).sum(),
        change=(pl.col("weight") * (rate - before)).sum(),
        slower=(pl.col("weight") * slower.fill_null(0.0)).sum(),
        seen=pl.col("calls").sum(),
        baseline_seen=pl.col("baseline_calls").sum(),
        served=pl.col("served").sum(),
        baseline_served=pl.col("baseline_served").sum(),
    )


def _spread(spent: pl.DataFrame, pairs: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Return per unit the interval of its change, and how likely it is by chance."""
    cells = _residuals(spent, pairs, requests)
    spread = cluster_variance(cells, "side", pl.col("residual"), "whole")
    sides = [
        spread.filter(pl.col("side") % 2 == during).select(
            (pl.col("side") // 2).cast(pl.UInt32).alias("unit"), "variance", "cells"
        )
        for during in (0, 1)
    ]
    wide = pairs.select("unit").unique().sort("unit")
    wide = wide.join(_changes(pairs).select("unit", "change"), on="unit", maintain_order="left")
    frames = [wide.join(side, on="unit", how="left", maintain_order="left") for side in sides]
    count = np.stack([frame["cells"].fill_null(0).to_numpy() for frame in frames])
    variance = np.stack([frame["variance"].fill_null(np.nan).to_numpy() for frame in frames])
    error = np.sqrt(np.maximum(variance, _floor(pairs)))
    half = student_95(count - 1) * error
    change = wide["change"].to_numpy()
    found = difference(np.stack([np.zeros_like(change), change]), half, half, count)
    return wide.select("unit").with_columns(
        pl.Series(name, each, nan_to_null=True)
        for name, each in (("low", found.low), ("high", found.high), ("chance", found.p))
    )


def _residuals(spent: pl.DataFrame, pairs: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Return per unit, side and cell how far its time per request is from that of the side."""
    rates = pl.concat(
        pairs.select(
            "unit", *_ENTRY, "weight", pl.col(f"{prefix}rate").alias("rate"),
            during=pl.lit(during),
        )
        for prefix, during in _SIDES
    )  # fmt: skip
    return (
        rates.join(requests.drop("weight"), on=[*_ENTRY, "during"])
        .join(spent, on=["unit", *_ENTRY, "during", "cell"], how="left")
        .group_by("unit", "during", "cell")
        .agg(
            residual=(
                pl.col("weight") / pl.col("served")
                * (pl.col("spent").fill_null(0) - pl.col("rate") * pl.col("requests"))
            ).sum()
        )
        .with_columns(
            side=pl.col("unit").cast(pl.Int64) * 2 + pl.col("during"),
            whole=1.0 / pl.len().over("unit", "during"),
        )
    )  # fmt: skip


def _floor(pairs: pl.DataFrame) -> NDArray[np.float64]:
    """Return the least variance of time per request, shaped (side, unit), units in order.

    The square of the time over the number of calls, as if durations were exponential: two requests
    that happened to take equally long must not make the estimate look certain.
    """
    sums = pairs.group_by("unit").agg(
        *(
            (pl.col("weight") * pl.col(f"{prefix}rate")).sum().alias(f"{prefix}rate")
            for prefix, _ in _SIDES
        ),
        *(pl.col(f"{prefix}calls").sum() for prefix, _ in _SIDES),
    )
    floors = sums.sort("unit").select(
        (pl.col(f"{prefix}rate") ** 2 / pl.col(f"{prefix}calls").clip(lower_bound=1)).alias(prefix)
        for prefix in ("baseline_", "")
    )
    return floors.to_numpy().T


def _verdict(certain: pl.Series, limits: Thresholds) -> pl.Expr:
    """Return the verdict on each component; `certain`: which changes are more than chance."""
    # a call that is new has none before; the requests that could have made it must have been there
    thin = pl.min_horizontal("served", "baseline_served") < limits.min_call_count
    thin |= pl.max_horizontal("seen", "baseline_seen") < limits.min_call_count
    too_few_each = pl.min_horizontal("seen", "baseline_seen") < limits.min_call_count
    least = pl.max_horizontal(
        pl.lit(limits.regression_ms * _NS_PER_MS),
        limits.regression_share * pl.col("baseline_user").sum(),
    )
    moved = certain & (pl.col("change").abs() >= least)
    by_calls = (pl.col("change") - pl.col("slower")).abs() > pl.col("slower").abs()
    rises = pl.col("change") > 0
    return (
        pl.when(thin).then(pl.lit("too few calls"))
        .when(~moved).then(pl.lit("steady"))
        .when(by_calls & rises).then(pl.lit("more calls"))
        .when(by_calls).then(pl.lit("fewer calls"))
        .when(too_few_each).then(pl.lit("too few calls"))
        .when(rises).then(pl.lit("slower"))
        .otherwise(pl.lit("faster"))
    )  # fmt: skip


def _finished(
    rows: pl.DataFrame,
    requests: pl.DataFrame,
    limits: Thresholds,
    owners: Mapping[str, str],
) -> pl.DataFrame:
    """Return the finding from the changes: verdicts, ranks, owners, whole nanoseconds."""
    count = int(requests.filter(pl.col("during"))["requests"].sum())
    chance = rows["chance"].to_numpy()
    certain = np.zeros(rows.height, dtype=np.bool_)
    known = np.isfinite(chance.astype(np.float64))
    certain[known] = discoveries(
        chance[known].astype(np.float64), limits.spike_false_discovery_rate
    )
    named = pl.DataFrame(
        {"service": list(owners), "owner": list(owners.values())},
        schema={"service": pl.String, "owner": pl.String},
    )
    made = rows.join(named, on="service", how="left").with_columns(
        verdict=_verdict(pl.Series(certain), limits),
        requests=pl.lit(count, dtype=pl.Int64),
        calls=pl.col("change") - pl.col("slower"),
        mix=pl.col("user") - pl.col("baseline_user") - pl.col("change"),
        total=pl.col("change") * count,
        share=pl.col("user") / pl.col("user").sum(),
        baseline_share=pl.col("baseline_user") / pl.col("baseline_user").sum(),
        share_rank=pl.col("user").rank("min", descending=True),
        baseline_share_rank=pl.when(pl.col("baseline_seen") > 0).then(
            pl.col("baseline_user").rank("min", descending=True)
        ),
    )
    whole = ("user", "baseline_user", "change", "low", "high", "slower", "calls", "mix", "total")
    made = made.drop("share_ns", strict=False).with_columns(
        pl.col(name).round().cast(pl.Int64).alias(f"{name}_ns") for name in whole
    )
    by_speed = pl.col("verdict").is_in(["slower", "faster"])
    made = made.with_columns(since_version=pl.when(by_speed).then("since_version"))
    ordered = made.sort("change_ns", *COMPONENT, descending=[True, *[False] * len(COMPONENT)])
    return REGRESSIONS.conform(ordered.with_columns(rank=pl.int_range(1, pl.len() + 1)))
