"""Facts of weeks, written down edge by edge: so many calls a day of about so many milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tracemap.model import (
    EDGE_FACTS,
    HOUR_NS,
    LATENCY_FACTS,
    USER,
    VERSION_FACTS,
    Facts,
    Window,
    histogram,
)

DAY_NS = 24 * HOUR_NS
BASELINE = Window(0, 28 * DAY_NS)
WINDOW = Window(28 * DAY_NS, 35 * DAY_NS)
LATER = 28
"""Number of the first day of the window."""


@dataclass(frozen=True)
class Calls:
    """What one operation of downstream calls on one upstream, day by day.

    Attributes:
        downstream: Who calls; its operation is ``op``.
        upstream: Who is called.
        ms: Median duration.
        rate: Calls per request of downstream's operation.
        errors: Share that fails.
        operation: The operation called.
        days: On which days; None: all.
        evidence: The rule.
        within: Downstream's operation.
    """

    downstream: str
    upstream: str
    ms: float = 20.0
    rate: float = 1.0
    errors: float = 0.0
    operation: str = "get"
    days: tuple[int, ...] | None = None
    evidence: str = "paired"
    within: str = "op"

    def on(self, day: int) -> bool:
        return self.days is None or day in self.days


def facts(
    before: list[Calls],
    after: list[Calls] | None = None,
    *,
    requests: int = 200,
    seed: int = 1,
    wobble: float = 0.05,
) -> Facts:
    """Return facts of 35 days: `before` for 28 days, then `after` (None: the same).

    Every downstream serves `requests` requests a day of each operation; the median of each day
    wobbles by `wobble` (in ln units), so that days differ as real ones do.
    """
    made = np.random.default_rng(seed)
    edges: list[dict[str, Any]] = []
    spans: list[pl.DataFrame] = []
    for day in range(35):
        calls = before if day < LATER or after is None else after
        served = {(each.downstream, each.within) for each in [*before, *(after or [])]}
        for downstream, operation in sorted(served):
            durations = made.lognormal(np.log(50e6), 0.3, requests)
            spans.append(_rows(day, "server", downstream, operation, "", durations))
        for each in calls:
            if not each.on(day):
                continue
            count = int(made.binomial(requests, each.rate)) if each.rate < 1 else round(
                requests * each.rate
            )  # fmt: skip
            median = each.ms * 1e6 * np.exp(made.normal(0, wobble))
            durations = made.lognormal(np.log(median), 0.3, count)
            failed = int(made.binomial(count, each.errors))
            edges.append(_edge(day, each, durations, failed))
            spans.append(
                _rows(day, "client", each.upstream, each.operation, each.downstream, durations)
            )
    tables = {**Facts().tables, "edge_facts": EDGE_FACTS.conform(pl.DataFrame(edges))}
    tables["latency_facts"] = LATENCY_FACTS.conform(pl.concat(spans))
    tables["version_facts"] = VERSION_FACTS.empty()
    return Facts(tables)


def _rows(  # noqa: PLR0917
    day: int,
    unit: str,
    service: str,
    operation: str,
    downstream: str,
    ns: np.ndarray[Any, Any],
) -> pl.DataFrame:
    observed = pl.DataFrame({"ns": ns.astype(np.int64)})
    return (
        observed.select("ns", bucket=histogram.bucket(pl.col("ns")))
        .group_by("bucket")
        .agg(count=pl.len(), sum_ns=pl.col("ns").sum())
        .with_columns(
            window_start_ns=pl.lit(day * DAY_NS, dtype=pl.Int64),
            unit=pl.lit(unit), service=pl.lit(service),
            operation=pl.lit(operation), downstream=pl.lit(downstream), errors=pl.lit(0),
        )
        .sort("bucket")
        .select(LATENCY_FACTS.schema.names())
    )  # fmt: skip


def _edge(day: int, calls: Calls, ns: np.ndarray[Any, Any], failed: int) -> dict[str, Any]:
    return {
        "window_start_ns": day * DAY_NS, "downstream": calls.downstream,
        "downstream_operation": "" if calls.downstream == USER else calls.within,
        "upstream": calls.upstream, "upstream_operation": calls.operation,
        "upstream_kind": "service", "downstream_kind": "service", "connection_type": "rpc",
        "protocol": "grpc", "evidence": calls.evidence, "calls": len(ns),
        "calls_weighted": float(len(ns)), "errors_downstream": failed, "errors_upstream": failed,
        "client_calls": len(ns), "client_ns": int(ns.sum()), "server_calls": 0, "server_ns": 0,
        "gap_calls": 0, "gap_ns": 0, "first_ns": day * DAY_NS, "last_ns": day * DAY_NS + 1,
    }  # fmt: skip
