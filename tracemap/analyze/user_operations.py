"""Finding ``user_operations``: what users waited before and during, operation by operation."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.windows import sided
from tracemap.model import USER_OPERATIONS, Window
from tracemap.model.histogram import percentiles

_OPERATION = ["service", "operation"]


def user_operations(
    path_facts: pl.DataFrame,
    latency_facts: pl.DataFrame,
    paths: pl.DataFrame,
    incident: Window,
    baseline: Window,
) -> pl.DataFrame:
    """Return requests, mean and percentiles of each root operation in both windows.

    The means are exact: theirs is the difference that the finding ``flow`` splits. Percentiles are
    of all requests of the window, not of a part of it. An operation that one of the windows lacks
    has null there.

    Args:
        path_facts: As `model.PATH_FACTS`, of both windows.
        latency_facts: As `model.LATENCY_FACTS`, of both windows.
        paths: As `model.PATHS`.
        incident: The window to explain.
        baseline: The window to compare with.

    Returns:
        As `model.USER_OPERATIONS`, those with most requests in the incident first.
    """
    roots = paths.filter(pl.col("parent_path_id") == 0).select("path_id", *_OPERATION)
    facts = sided(path_facts, incident, baseline).join(roots, on="path_id")
    served = latency_facts.filter(pl.col("unit").eq("server") & pl.col("downstream").eq(""))
    latency = percentiles(sided(served, incident, baseline), by=[*_OPERATION, "during"])
    means = facts.group_by(*_OPERATION, "during").agg(
        pl.col("calls", "errors").sum(),
        mean_ns=pl.col("duration_ns").sum() // pl.col("calls").sum(),
    )
    each = means.join(latency.drop("calls"), on=[*_OPERATION, "during"], how="left")
    each = each.rename({"calls": "requests"})
    during = each.filter("during").drop("during")
    before = each.filter(~pl.col("during")).drop("during")
    before = before.rename(
        {name: f"baseline_{name}" for name in before.columns if name not in _OPERATION}
    )
    both = during.join(before, on=_OPERATION, how="full", coalesce=True).with_columns(
        pl.col("requests", "baseline_requests", "errors", "baseline_errors").fill_null(0)
    )
    return USER_OPERATIONS.conform(both).sort(
        ["requests", *_OPERATION], descending=[True, False, False]
    )
