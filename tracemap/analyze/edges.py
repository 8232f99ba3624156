"""Finding ``edges``: the observed graph with percentiles of both sides and of the gap between."""

from __future__ import annotations

import polars as pl

from tracemap.analyze.insulation.seen import NUMBER
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.windows import sided
from tracemap.model import EDGES, PATTERN_FACTS, UNKNOWN_CALLER, USER, Window
from tracemap.model.histogram import percentiles

_PERCENTS = (50, 90, 95, 99, 100)
_PERCENTILES = ("p50_ns", "p90_ns", "p95_ns", "p99_ns", "max_ns")
_LOOKED_UP_LATER = ("baseline_p95_ns", "incident_p95_ns", "typical_trace", "slow_trace")
_KEY = ["downstream", "upstream", "connection_type"]


def edges(
    edge_facts: pl.DataFrame,
    latency_facts: pl.DataFrame,
    pattern_facts: pl.DataFrame | None = None,
    *,
    everything: bool = False,
) -> pl.DataFrame:
    """Return one row per downstream, upstream and connection type.

    Percentiles come from all calls of the two services, whatever the operation. ``p50_ns`` to
    ``max_ns`` are what downstream waited (client spans); where no client span was recorded, what
    upstream took. ``gap_*`` is client minus server, call by call, from durations alone: clock skew
    cannot touch it. Calls within one service and calls from outside (`model.USER`,
    `model.UNKNOWN_CALLER`) are left out.

    Args:
        edge_facts: As `model.EDGE_FACTS`, any cells; they are summed.
        latency_facts: As `model.LATENCY_FACTS`, the same cells.
        pattern_facts: As `model.PATTERN_FACTS`, the same cells; None: retries are not known.
        everything: Keep calls within one service, from outside, and to `model.UNKNOWN`.

    Returns:
        As `model.EDGES`, sorted by downstream, upstream and connection type; no traces yet.
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
        pl.coalesce(f"client_{name}", f"server_{name}").alias(name) for name in _PERCENTILES
    )
    rows = rows.join(_retries(pattern_facts), on=["downstream", "upstream"], how="left")
    if pattern_facts is not None:
        rows = rows.with_columns(pl.col("retries").fill_null(0))
    rows = rows.with_columns(pl.lit(None).alias(name) for name in _LOOKED_UP_LATER)
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
    percentile of so few calls is a single call.

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
    """Return the percentiles of one unit per edge, columns prefixed with the unit."""
    mine = latency_facts.filter(pl.col("unit") == unit)
    return (
        percentiles(mine, by=["downstream", "service"], percents=_PERCENTS)
        .rename({"service": "upstream", "p100_ns": "max_ns"})
        .select("downstream", "upstream", *_PERCENTILES)
        .rename({name: f"{unit}_{name}" for name in _PERCENTILES})
    )


def _retries(pattern_facts: pl.DataFrame | None) -> pl.DataFrame:
    """Return per edge how many calls were further attempts: the one before had failed."""
    if pattern_facts is None:
        pattern_facts = PATTERN_FACTS.empty()
    further = (pl.col("part") & NUMBER) > 1
    again = pattern_facts.filter(pl.col("pattern").eq("attempt") & further)
    return again.group_by("downstream", "upstream").agg(retries=pl.col("count").sum())
