"""How often an edge is called per request of downstream, and how often its calls fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.clusters import cluster_variance, difference, student_95
from tracemap.analyze.drift.sides import both, stacked
from tracemap.model import USER

if TYPE_CHECKING:
    from tracemap.analyze.drift.sides import Sides
    from tracemap.analyze.thresholds import Thresholds

_OPERATION = ["downstream", "downstream_operation"]


def operation_rates(sides: Sides) -> pl.DataFrame:
    """Return calls and requests per edge, downstream operation and side, cell by cell.

    Requests are those that downstream recorded of the operation. Calls made outside of any
    operation, and requests from outside, have no such rate.

    Returns:
        ``edge``, ``operation`` (downstream's), ``during``, ``cell``, ``calls``, ``requests``: a row
        for each cell in which downstream served the operation, calls or not.
    """
    served = (
        sides.latency.filter(pl.col("unit") == "server")
        .group_by("service", "operation", "during", "cell")
        .agg(requests=pl.col("count").sum())
        .rename({"service": "downstream", "operation": "downstream_operation"})
    )
    calls = sides.calls.filter(
        (pl.col("downstream") != USER) & (pl.col("downstream_operation") != "")
    )
    callers = calls.select("edge", *_OPERATION).unique()
    made = calls.group_by("edge", *_OPERATION, "during", "cell").agg(pl.col("calls").sum())
    return (
        callers.join(served, on=_OPERATION)
        .join(made, on=["edge", *_OPERATION, "during", "cell"], how="left")
        .select(
            "edge",
            pl.col("downstream_operation").alias("operation"),
            "during",
            "cell",
            pl.col("calls").fill_null(0),
            "requests",
        )
    )


def call_rates(rates: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return calls per request of both sides, their ratio, its interval, and how likely by chance.

    The ratio lets each operation weigh the same on both sides (the mean of both mixes), so that
    another mix of requests is no change. Operations served on one side only are left out of it.
    A ratio is tested where each side has `Thresholds.min_call_count` calls, or would have them at
    the other side's rate.

    Args:
        rates: As `operation_rates` returns them.
        limits: Thresholds.
    """
    plain = both(
        rates.group_by("edge", "during")
        .agg(pl.col("calls", "requests").sum())
        .with_columns(calls_per_request=pl.col("calls") / pl.col("requests")),
        ["requests", "calls_per_request"],
    )
    wide = _weighed(rates)
    found = _log_ratio(wide).join(wide.select("edge", is_known=_enough(limits)), on="edge")
    chance = pl.when(pl.col("is_known")).then("calls_chance")
    tested = found.with_columns(calls_chance=chance).drop("is_known")
    return plain.join(tested, on="edge", how="left")


def _weighed(rates: pl.DataFrame) -> pl.DataFrame:
    """Return calls per request of both sides, each operation weighing the same, with variances."""
    served = pl.col("during").n_unique().over("edge", "operation") == 2  # noqa: PLR2004
    shared = rates.filter(served)
    weights = (
        shared.group_by("edge", "operation", "during")
        .agg(pl.col("requests").sum())
        .with_columns(share=pl.col("requests") / pl.col("requests").sum().over("edge", "during"))
        .group_by("edge", "operation")
        .agg(weight=pl.col("share").mean())
    )
    side = ("edge", "operation", "during")
    of_operation = shared.join(weights, on=["edge", "operation"]).with_columns(
        rate=pl.col("calls").sum().over(side) / pl.col("requests").sum().over(side),
        served=pl.col("requests").sum().over(side),
    )
    part = pl.col("weight") / pl.col("served")
    # at most one call a request scatters like a coin, several like a Poisson process at least
    rate = pl.col("rate")
    scatter = pl.col("requests") * pl.when(rate < 1).then(rate * (1 - rate)).otherwise(rate)
    rows = of_operation.group_by("edge", "during").agg(
        pl.col("calls", "requests").sum(),
        rate=(part * pl.col("calls")).sum(),
        floor=(part**2 * scatter).sum(),
    )
    cells = of_operation.group_by("edge", "during", "cell").agg(
        residual=(part * (pl.col("calls") - pl.col("rate") * pl.col("requests"))).sum(),
        one=pl.lit(1.0),
    )
    unit = (pl.col("edge") * 2 + pl.col("during")).alias("unit")
    spread = cluster_variance(
        cells.with_columns(unit, whole=1.0 / pl.len().over("edge", "during")),
        "unit", pl.col("residual"), "whole",
    )  # fmt: skip
    return both(
        rows.with_columns(unit).join(spread, on="unit"),
        ["calls", "requests", "rate", "floor", "variance", "cells"],
    )


def _enough(limits: Thresholds) -> pl.Expr:
    """Return whether both sides have enough calls, or would have at the other side's rate."""
    return pl.all_horizontal(
        pl.max_horizontal(f"{here}calls", pl.col(f"{here}requests") * pl.col(f"{there}rate"))
        >= limits.min_call_count
        for here, there in (("", "baseline_"), ("baseline_", ""))
    )


def _log_ratio(rows: pl.DataFrame) -> pl.DataFrame:
    """Return ``calls_ratio`` with its interval and chance from rates and their variances."""
    value = stacked(rows, "rate", "floor", "variance", "cells")
    cells = np.nan_to_num(value["cells"])
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.fmax(value["variance"], value["floor"])) / value["rate"]
        rate = np.log(value["rate"])
    half = student_95(cells - 1) * error
    found = difference(rate, half, half, cells)
    return rows.select(
        "edge",
        *(
            pl.Series(name, each, nan_to_null=True)
            for name, each in (
                ("calls_ratio", np.exp(np.where(np.isfinite(found.value), found.value, np.nan))),
                ("calls_ratio_low", np.exp(found.low)),
                ("calls_ratio_high", np.exp(found.high)),
                ("calls_chance", found.p),
            )
        ),
    )


def error_rates(sides: Sides, limits: Thresholds) -> pl.DataFrame:
    """Return the share of failed calls of both sides, and the interval of its change.

    As downstream saw it; where it recorded no client spans on either side, as upstream did. Tested
    where both sides have `Thresholds.min_call_count` calls, one of which stands for as many on
    either side (`Thresholds.sampled_alike`): else the sampler, which may keep failures rather than
    the rest, could have made the change.
    """
    wide = _failed(sides)
    value = stacked(wide, "calls", "errors", "variance", "cells", "stands_for")
    ratio = value["errors"] / value["calls"]
    # no failure in n calls is not a ratio of exactly 0
    cautious = (value["errors"] + 1) / (value["calls"] + 2)
    floor = cautious * (1 - cautious) / value["calls"]
    count = np.nan_to_num(value["cells"])
    half = student_95(count - 1) * np.sqrt(np.fmax(value["variance"], floor))
    found = difference(ratio, half, half, count)
    enough = np.nan_to_num(value["calls"]).min(axis=0) >= limits.min_call_count
    weights = value["stands_for"]
    alike = weights.max(axis=0) <= limits.sampled_alike * weights.min(axis=0)
    columns = {
        "error_ratio": ratio[1], "baseline_error_ratio": ratio[0],
        "error_change_low": found.low, "error_change_high": found.high,
        "error_chance": np.where(enough & alike, found.p, np.nan),
        "sampled_apart": enough & ~alike,
        "errors": value["errors"][1], "baseline_errors": value["errors"][0],
    }  # fmt: skip
    return wide.select("edge").with_columns(
        pl.Series(name, each, nan_to_null=True) for name, each in columns.items()
    )


def _failed(sides: Sides) -> pl.DataFrame:
    """Return calls, failures, their variance from cell to cell, and what a call stands for."""
    by_client = (pl.col("client_calls").sum().over("edge", "during") > 0).all().over("edge")
    cells = (
        sides.calls.with_columns(
            errors=pl.when(by_client).then("errors_downstream").otherwise("errors_upstream")
        )
        .group_by("edge", "during", "cell")
        .agg(pl.col("calls", "calls_weighted", "errors").sum())
        .with_columns(unit=pl.col("edge") * 2 + pl.col("during"))
    )
    side = ("edge", "during")
    expected = (
        pl.col("calls") * pl.col("errors").sum().over(side) / pl.col("calls").sum().over(side)
    )
    spread = cluster_variance(
        cells.with_columns(expected=expected),
        "unit",
        pl.col("errors") - pl.col("expected"),
        "calls",
    )
    rows = cells.group_by("edge", "during", "unit").agg(
        pl.col("calls", "errors").sum(),
        stands_for=pl.col("calls_weighted").sum() / pl.col("calls").sum(),
    )
    names = ["calls", "errors", "variance", "cells", "stands_for"]
    return both(rows.join(spread, on="unit"), names)
