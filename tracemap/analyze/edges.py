"""Finding ``edges``: the observed graph with percentiles of both sides and of the gap between."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.windows import sided
from tracemap.model import EDGES, UNKNOWN_CALLER, USER, Window
from tracemap.model.histogram import percentiles

_KEY = ["downstream", "upstream", "connection_type"]


def edges(
    edge_facts: pl.DataFrame, latency_facts: pl.DataFrame, *, everything: bool = False
) -> pl.DataFrame:
    """Return one row per downstream, upstream and connection type.

    Percentiles come from all calls of the two services, whatever the operation. ``p50_ns`` and so
    on are what downstream waited (client spans); where no client span was recorded, what upstream
    took. ``gap_*`` is client minus server, call by call, from durations alone: clock skew cannot
    touch it. Calls within one service and calls from outside (`model.USER`,
    `model.UNKNOWN_CALLER`) are left out.

    Args:
        edge_facts: As `model.EDGE_FACTS`, any cells; they are summed.
        latency_facts: As `model.LATENCY_FACTS`, the same cells.
        everything: Keep calls within one service, from outside, and to `model.UNKNOWN`.

    Returns:
        As `model.EDGES`, sorted by downstream, upstream and connection type.
    """
    if not everything:
        edge_facts = edge_facts.filter(
            (pl.col("downstream") != pl.col("upstream"))
            & ~pl.col("downstream").is_in([USER, UNKNOWN_CALLER])
        )
    calls = edge_facts.group_by(_KEY).agg(
        pl.col(
            "calls", "calls_weighted", "errors_downstream", "errors_upstream", "client_calls"
        ).sum(),
        pl.col("first_ns").min(),
        pl.col("last_ns").max(),
    )
    rows = (
        calls.join(_most_frequent(edge_facts, "upstream_kind"), on=_KEY)
        .join(_most_frequent(edge_facts, "protocol"), on=_KEY)
        .join(_evidence(edge_facts), on=_KEY)
    )
    for unit in ("client", "server", "gap"):
        rows = rows.join(_latency(latency_facts, unit), on=["downstream", "upstream"], how="left")
    rows = rows.with_columns(
        pl.coalesce(f"client_{name}", f"server_{name}").alias(name)
        for name in ("p50_ns", "p95_ns", "p99_ns")
    )
    unknown = pl.lit(None, dtype=pl.Int64)
    rows = rows.with_columns(baseline_p95_ns=unknown, incident_p95_ns=unknown)
    return EDGES.conform(rows).sort(_KEY)


def with_change(
    edges: pl.DataFrame,
    latency_facts: pl.DataFrame,
    incident: Window,
    baseline: Window,
    thresholds: Thresholds | None = None,
) -> pl.DataFrame:
    """Return `edges` with the 95th percentile before and during an incident.

    Null where one of the windows has fewer than `Thresholds.min_call_count` calls of the edge: a
    percentile of a few calls is one of them.

    Args:
        edges: As `model.EDGES`.
        latency_facts: As `model.LATENCY_FACTS`, of both windows.
        incident: The window that was compared.
        baseline: What it was compared with.
        thresholds: Limits; the defaults when None.
    """
    least = (thresholds or Thresholds()).min_call_count
    facts = sided(latency_facts, incident, baseline)
    key, rows = ["downstream", "upstream"], edges.drop("baseline_p95_ns", "incident_p95_ns")
    for during, name in ((False, "baseline_p95_ns"), (True, "incident_p95_ns")):
        for unit in ("client", "server"):
            mine = facts.filter(pl.col("during").eq(during) & pl.col("unit").eq(unit))
            found = percentiles(mine, by=["downstream", "service"], percents=[95])
            found = found.filter(pl.col("calls") >= least).select(
                "downstream", upstream="service", **{f"{unit}_{name}": "p95_ns"}
            )
            rows = rows.join(found, on=key, how="left")
        rows = rows.with_columns(pl.coalesce(f"client_{name}", f"server_{name}").alias(name))
    known = pl.col("baseline_p95_ns").is_not_null() & pl.col("incident_p95_ns").is_not_null()
    both = pl.col("baseline_p95_ns", "incident_p95_ns")
    return EDGES.conform(rows.with_columns(pl.when(known).then(both))).sort(_KEY)


def _most_frequent(edge_facts: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return per edge the value of `column` with most calls; ties go to the first by name."""
    return (
        edge_facts.group_by(*_KEY, column)
        .agg(pl.col("calls").sum())
        .sort([*_KEY, "calls", column], descending=[False, False, False, True, False])
        .group_by(_KEY, maintain_order=True)
        .agg(pl.col(column).first())
    )


def _evidence(edge_facts: pl.DataFrame) -> pl.DataFrame:
    """Return per edge the rules that made it, most frequent first: ``paired 120, peer 3``."""
    return (
        edge_facts.group_by(*_KEY, "evidence")
        .agg(pl.col("calls").sum())
        .sort([*_KEY, "calls", "evidence"], descending=[False, False, False, True, False])
        .with_columns(rule=pl.format("{} {}", "evidence", "calls"))
        .group_by(_KEY, maintain_order=True)
        .agg(pl.col("rule").str.join(", ").alias("evidence"))
    )


def _latency(latency_facts: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return p50, p95 and p99 of one unit per edge, columns prefixed with the unit."""
    names = ("p50_ns", "p95_ns", "p99_ns")
    return (
        percentiles(latency_facts.filter(pl.col("unit") == unit), by=["downstream", "service"])
        .select("downstream", pl.col("service").alias("upstream"), *names)
        .rename({name: f"{unit}_{name}" for name in names})
    )
