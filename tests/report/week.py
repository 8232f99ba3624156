"""A week in which catalog became slower, pricing was replaced, and audit fell silent."""

from __future__ import annotations

from typing import Any

from tests.report.shop import MS, table
from tracemap.model import (
    BUDGET,
    DECLARATIONS,
    DRIFT,
    EDGES,
    FINDINGS,
    HOUR_NS,
    REGRESSIONS,
    TREND,
    USER,
    Findings,
    Window,
)

START_NS = 1_772_409_600 * 1_000_000_000  # 2026-03-02, a Monday
WEEK_NS = 7 * 24 * HOUR_NS
WINDOW = Window(START_NS, START_NS + WEEK_NS)
BASELINE = Window(START_NS - 4 * WEEK_NS, START_NS)
OWNERS = {"edge": "team-front", "catalog": "team-goods", "orders": "team-sales",
          "pricing": "team-sales", "tariffs": "team-sales", "audit": "team-risk"}  # fmt: skip


def drifted(
    downstream: str, upstream: str, change: str, detail: str = "", **more: object
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "downstream": downstream, "upstream": upstream, "connection_type": "rpc",
        "change": change, "changes": [change], "detail": detail, "calls": 700,
        "baseline_calls": 2_800, "error_ratio": 0.001, "baseline_error_ratio": 0.002,
        "p50_ns": 20 * MS, "baseline_p50_ns": 10 * MS, "p50_ratio": 2.0, "p50_ratio_low": 1.9,
        "p50_ratio_high": 2.1, "p95_ns": 50 * MS, "baseline_p95_ns": 20 * MS, "p95_ratio": 2.5,
        "p95_ratio_low": 2.3, "p95_ratio_high": 2.8, "speed_ns": 9 * MS, "mix_ns": 1 * MS,
        "upstream_versions": "3.1.4, 3.2.0", "baseline_upstream_versions": "3.1.4",
        "downstream_versions": "1.8.2", "baseline_downstream_versions": "1.8.2",
        "evidence": "paired 700", "baseline_evidence": "paired 2800",
    }  # fmt: skip
    return {**made, **more}


def spent(rank: int, service: str, verdict: str, before_ms: float, now_ms: float) -> dict[str, Any]:
    change = round((now_ms - before_ms) * MS)
    return {
        "rank": rank, "cause": "self", "service": service, "operation": "List", "downstream": "",
        "verdict": verdict, "requests": 1_000, "user_ns": round(now_ms * MS),
        "baseline_user_ns": round(before_ms * MS), "change_ns": change, "low_ns": change - MS,
        "high_ns": change + MS, "slower_ns": change, "calls_ns": 0, "mix_ns": 0,
        "total_ns": change * 1_000, "share": now_ms / 60, "baseline_share": before_ms / 40,
        "share_rank": rank, "baseline_share_rank": 4 - rank, "owner": OWNERS.get(service),
        "since_version": "3.2.0" if service == "catalog" else None,
    }  # fmt: skip


CHANGED = [
    drifted(USER, "edge", "slower", "p95 is 2.5 times the baseline's"),
    drifted("edge", "catalog", "slower", "p95 is 2.5 times the baseline's"),
    drifted("orders", "pricing", "re-routed", "calls moved to tariffs", calls=0, instead="tariffs"),
    drifted("orders", "tariffs", "re-routed", "calls moved from pricing", baseline_calls=0),
    drifted("edge", "audit", "not observed", "who calls it records no calls at all", calls=0),
    drifted("edge", "orders", "steady"),
]
COSTS = [
    spent(1, "catalog", "slower", 10.0, 33.0),
    spent(2, "tariffs", "more calls", 0.0, 9.0),
    spent(3, "edge", "steady", 6.0, 6.1),
]
FAILURES: list[dict[str, Any]] = [
    {"service": "catalog", "owner": "team-goods", "requests": 1_000, "failed": 3.0,
     "baseline_requests": 4_000, "baseline_failed": 2.0, "budget_share": 3.0,
     "baseline_budget_share": 0.5},
    {"service": "audit", "owner": None, "requests": 1_000, "failed": 1.0,
     "baseline_requests": 4_000, "baseline_failed": 0.0, "budget_share": 1.0,
     "baseline_budget_share": 0.0},
]  # fmt: skip
WEEKS: list[dict[str, Any]] = [
    {"week_start_ns": START_NS - weeks * WEEK_NS, "downstream": downstream, "upstream": upstream,
     "calls": 700, "days": 3.5 if weeks == 4 else 7.0,
     "calls_per_day": 200.0 if weeks == 4 else 100.0, "error_ratio": 0.001, "p50_ns": 10 * MS,
     "p95_ns": (20 + weeks) * MS, "p99_ns": 40 * MS}
    for weeks in range(5)
    for downstream, upstream in ((USER, "edge"), ("edge", "catalog"))
]  # fmt: skip


DECLARED: list[dict[str, Any]] = [
    {"downstream": downstream, "upstream": upstream, "status": status, "says": says,
     "calls": calls, "reason": "", "owner": OWNERS.get(downstream)}
    for downstream, upstream, status, says, calls in (
        ("edge", "catalog", "as declared", "dependsOn", 700),
        ("orders", "printer", "not observed", "dependsOn", 0),
        ("orders", "tariffs", "not declared", "", 700),
        ("search", "catalog", "as declared", "consumesApis goods", 10),
    )
]  # fmt: skip


def weekly() -> Findings:
    """What the recipe `weekly` finds in such a week."""
    tables = {name: schema.empty() for name, schema in FINDINGS.items()} | {
        "drift": table(DRIFT, CHANGED),
        "regressions": table(REGRESSIONS, COSTS),
        "budget": table(BUDGET, FAILURES),
        "trend": table(TREND, WEEKS),
        "edges": EDGES.empty(),
        "declarations": table(DECLARATIONS, DECLARED),
    }
    sections = (
        "summary", "regressions", "drift", "trend", "budget", "declarations", "teams", "graph",
        "ledger",
    )  # fmt: skip
    return Findings(
        recipe="weekly", title="Weekly review", sections=sections, window=WINDOW, incident=WINDOW,
        baseline=BASELINE, baseline_reason="the four weeks before", verdict="incident",
        tables=tables, thresholds={"success_objective": 0.999}, owners=OWNERS,
    )  # fmt: skip


def quiet() -> Findings:
    """A week in which nothing changed, and one edge was not seen."""
    found = weekly()
    found.verdict = "quiet"
    found.tables["drift"] = table(DRIFT, CHANGED[-2:])
    found.tables["regressions"] = table(REGRESSIONS, COSTS[-1:])
    return found
