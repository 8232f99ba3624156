"""A shop whose card-db became slow: the rows of its findings, by position, one a line."""
# ruff: noqa: PLR0917

from __future__ import annotations

from typing import Any

import polars as pl

from tracemap.model import MINUTE_NS, TRACE, USER, Table, Window

NOON_NS = 1_772_452_800 * 1_000_000_000  # 2026-03-02T12:00:00Z
MS = 1_000_000
WINDOW = Window(NOON_NS, NOON_NS + 20 * MINUTE_NS)
BASELINE = Window(NOON_NS - 60 * MINUTE_NS, NOON_NS)


def table(schema: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as that table; columns not named are null."""
    return pl.DataFrame(
        [{name: row.get(name) for name in schema.schema} for row in rows], schema=schema.schema
    )


def edge(
    downstream: str, upstream: str, calls: int, p95_ms: float, **more: object
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "downstream": downstream, "upstream": upstream, "upstream_kind": "service",
        "connection_type": "rpc", "protocol": "http", "evidence": f"paired {calls}",
        "calls": calls, "calls_weighted": float(calls), "errors_downstream": calls // 200,
        "errors_upstream": calls // 250, "p50_ns": int(p95_ms * 0.4 * MS),
        "p95_ns": int(p95_ms * MS), "p99_ns": int(p95_ms * 1.6 * MS),
        "server_p50_ns": int(p95_ms * 0.38 * MS), "server_p95_ns": int(p95_ms * 0.97 * MS),
        "server_p99_ns": int(p95_ms * 1.5 * MS), "gap_p50_ns": int(0.9 * MS),
        "gap_p95_ns": int(2.1 * MS), "gap_p99_ns": int(4 * MS),
        "first_ns": BASELINE.start_ns, "last_ns": WINDOW.end_ns - 1,
    }  # fmt: skip
    return {**made, **more}


_VIRTUAL = dict.fromkeys(
    ("server_p50_ns", "server_p95_ns", "server_p99_ns", "gap_p50_ns", "gap_p95_ns", "gap_p99_ns")
)
SHOP_EDGES = [
    edge(USER, "storefront", 24_000, 820, protocol="http", evidence="root 24000",
         baseline_p95_ns=320 * MS, incident_p95_ns=820 * MS),
    edge("storefront", "checkout", 9_600, 640, baseline_p95_ns=215 * MS,
         incident_p95_ns=640 * MS),
    edge("storefront", "catalog", 41_000, 48, baseline_p95_ns=47 * MS, incident_p95_ns=48 * MS),
    edge("storefront", "search", 12_500, 130, protocol="grpc"),
    edge("checkout", "payment", 9_550, 560, protocol="grpc", baseline_p95_ns=97 * MS,
         incident_p95_ns=560 * MS),
    edge("checkout", "inventory", 18_900, 210),
    edge("checkout", "recommendations", 9_500, 340),
    edge("payment", "card-db", 9_500, 470, upstream_kind="database", connection_type="database",
         protocol="postgresql", evidence="peer 9500", baseline_p95_ns=62 * MS,
         incident_p95_ns=470 * MS, **_VIRTUAL),
    edge("inventory", "stock-db", 37_800, 12, upstream_kind="database", connection_type="database",
         protocol="postgresql", evidence="peer 37800", **_VIRTUAL),
    edge("catalog", "catalog-cache", 40_800, 1.4, upstream_kind="database",
         connection_type="database", protocol="redis", evidence="peer 40800", **_VIRTUAL),
    edge("checkout", "orders", 9_400, 3.1, upstream_kind="queue", connection_type="messaging",
         protocol="kafka", evidence="link 9400"),
    edge("orders", "mailer", 9_400, 95, connection_type="messaging", protocol="kafka"),
    edge("mailer", "api.mail.example", 14, 380, upstream_kind="external", evidence="peer 14",
         **_VIRTUAL),
]  # fmt: skip

PATH_ROWS = [
    (1, 0, 0, "entry", "storefront", "POST /buy", "", ""),
    (2, 1, 1, "call", "storefront", "POST", "checkout", "service"),
    (3, 2, 2, "entry", "checkout", "POST /checkout", "", ""),
    (4, 3, 3, "call", "checkout", "Charge", "payment", "service"),
    (5, 4, 4, "entry", "payment", "Charge", "", ""),
    (6, 5, 5, "call", "payment", "SELECT cards", "card-db", "database"),
    (7, 3, 3, "call", "checkout", "GET /stock", "inventory", "service"),
    (8, 7, 4, "entry", "inventory", "GET /stock", "", ""),
    (11, 0, 0, "entry", "storefront", "GET /cart", "", ""),
    (12, 11, 1, "call", "storefront", "POST", "checkout", "service"),
    (13, 12, 2, "entry", "checkout", "POST /checkout", "", ""),
    (14, 13, 3, "call", "checkout", "Charge", "payment", "service"),
    (15, 14, 4, "entry", "payment", "Charge", "", ""),
    (16, 15, 5, "call", "payment", "SELECT cards", "card-db", "database"),
]


def _leaf(root: str, path: int, leaf: str, share_ms: float, **more: object) -> dict[str, Any]:
    parents = {row[0]: row for row in PATH_ROWS}
    step = parents[path]
    return {
        "root_service": "storefront", "root_operation": root,
        "requests": {"POST /buy": 2_310, "GET /cart": 940}[root], "path_id": path,
        "parent_path_id": step[1], "hops": step[2] // 2, "leaf": leaf, "service": step[4],
        "operation": step[5], "upstream": step[6] if step[3] == "call" else "",
        "share_ns": int(share_ms * MS), "low_ns": int((share_ms * 0.93 - 0.4) * MS),
        "high_ns": int((share_ms * 1.07 + 0.4) * MS), **more,
    }  # fmt: skip


FLOW_ROWS = [
    _leaf("POST /buy", 1, "", 276.4),
    _leaf("POST /buy", 6, "virtual", 251.8, origin=1),
    _leaf("POST /buy", 5, "self", 6.3),
    _leaf("POST /buy", 4, "gap", 7.9, origin=2),
    _leaf("POST /buy", 7, "calls", 4.2),
    _leaf("POST /buy", 1, "self", 8.1),
    _leaf("POST /buy", 3, "unresolved", 2.4),
    _leaf("POST /buy", 8, "small", -4.3),
    _leaf("GET /cart", 11, "", 88.0),
    _leaf("GET /cart", 16, "virtual", 84.5, origin=1),
    _leaf("GET /cart", 15, "self", 2.2),
    _leaf("GET /cart", 11, "self", 1.3),
]


BAND_ROWS = [
    {
        "band": band, "root_service": "storefront", "root_operation": "POST /buy",
        "requests": 116, "baseline_requests": 348, "band_change_ns": int(change * MS),
        "quantile_change_ns": int((change - smoothing) * MS),
        "smoothing_ns": int(smoothing * MS), "path_id": 6, "leaf": leaf, "service": service,
        "operation": "charge", "upstream": upstream, "share_ns": int(share * MS),
        "low_ns": int((share - 9) * MS), "high_ns": int((share + 9) * MS),
    }
    for band, change, smoothing, leaf, service, upstream, share in (
        ("p50", 196.0, 1.0, "virtual", "payment", "card-db", 190.0),
        ("p50", 196.0, 1.0, "small", "storefront", "search", 6.0),
        ("p95", 472.0, -3.0, "virtual", "payment", "card-db", 540.0),
        ("p95", 472.0, -3.0, "self", "inventory", "", -68.0),
    )
]  # fmt: skip
USER_ROWS = [
    {
        "service": "storefront", "operation": operation, "requests": requests,
        "baseline_requests": requests * 3, "errors": requests // 300, "baseline_errors": 2,
        "mean_ns": int((before + change) * MS), "baseline_mean_ns": int(before * MS),
        "p50_ns": int((before + change) * 0.8 * MS), "baseline_p50_ns": int(before * 0.8 * MS),
        "p95_ns": int(after * MS), "baseline_p95_ns": int(p95 * MS),
        "p99_ns": int(after * 1.4 * MS), "baseline_p99_ns": int(p95 * 1.4 * MS),
    }
    for operation, requests, before, change, p95, after in (
        ("POST /buy", 2_310, 180.0, 276.4, 318.0, 790.0),
        ("GET /cart", 940, 92.0, 88.0, 140.0, 262.0),
    )
]  # fmt: skip
CRITICAL_ROWS = [
    {
        "root_service": "storefront", "requests": requests, "path_id": row[0],
        "root_operation": operation, "parent_path_id": row[1], "depth": row[2], "step": row[3],
        "service": row[4], "operation": row[5], "upstream": row[6], "calls": requests,
        "critical_ns": int(own[row[2]] * requests * MS),
    }
    for operation, requests, first, own in (
        ("POST /buy", 2_310, 0, (44.0, 3.0, 61.0, 9.0, 47.0, 285.0)),
        ("GET /cart", 940, 10, (24.0, 2.0, 21.0, 3.0, 17.0, 113.0)),
    )
    for row in PATH_ROWS
    if first < row[0] <= first + 6
]  # fmt: skip


BOTTLENECK_ROWS = [
    {
        "rank": 1, "service": "card-db", "operation": "charge", "place": "no spans",
        "downstream": "payment", "critical_share": 0.61, "low_share": 0.58, "high_share": 0.64,
        "critical_ns": 380 * MS, "saved_per_second_ns": 24 * MS, "calls": 2_310,
        "hidden_share": 0.0,
    },
    {
        "rank": 2, "service": "payment", "operation": "charge", "place": "own time",
        "downstream": "", "critical_share": 0.2, "critical_ns": 120 * MS,
        "saved_per_second_ns": 8 * MS, "calls": 2_310, "hidden_share": 0.25, "slack_ns": 14 * MS,
    },
]  # fmt: skip
DEPENDENCY_ROWS = [
    {
        "upstream": "payment", "upstream_kind": "service", "requests": 2_310, "reach": 0.71,
        "waiting": 0.7, "entries": ["storefront POST /buy", "storefront GET /"], "hit": 31,
        "survived": 0.0, "hardness": 0.99, "single_point": "yes",
    },
    {
        "upstream": "card-db", "upstream_kind": "database", "requests": 2_310, "reach": 0.71,
        "waiting": 0.7, "entries": ["storefront POST /buy"], "hit": 2, "single_point": "unknown",
    },
]  # fmt: skip
AVAILABILITY_ROWS = [
    {
        "service": "storefront", "operation": "POST /buy", "requests": 2_310, "measured": 0.985,
        "own": 0.998, "bound": 0.9846, "weakest": "payment", "weakest_share": 0.9866,
    },
]  # fmt: skip
CYCLE_ROWS = [{"services": ["checkout", "payment"], "confirmed": True, "calls": 12}]


def move(
    down: str,
    down_op: str,
    up: str,
    up_op: str,
    offered: float,
    arrived: float,
    verdict: str,
    **more: object,
) -> dict[str, Any]:
    made = {
        "downstream": down, "downstream_operation": down_op, "upstream": up,
        "upstream_operation": up_op, "offered_ns": int(offered * MS),
        "arrived_ns": int(arrived * MS), "arrived_low_ns": int(arrived * 0.92 * MS),
        "arrived_high_ns": int(arrived * 1.08 * MS),
        "ratio": arrived / offered if offered else None, "verdict": verdict, "mechanism": None,
        "absorbed_ns": max(0, int((offered - arrived) * MS)), "calls": 2_400,
        "baseline_calls": 7_150, "downstream_requests": 2_390,
    }  # fmt: skip
    return {**made, **more}


MOVES = [
    move("payment", "Charge", "card-db", "SELECT cards", 254.1, 252.9, "propagated"),
    move("checkout", "POST /checkout", "payment", "Charge", 266.0, 262.4, "propagated"),
    move("storefront", "POST /buy", "checkout", "POST /checkout", 268.1, 266.7, "propagated",
         downstream_requests=2_310),
    move("storefront", "GET /cart", "checkout", "POST /checkout", 88.3, 86.6, "propagated",
         downstream_requests=940, calls=930, baseline_calls=2_700),
    move("checkout", "POST /checkout", "recommendations", "Suggest", 182.0, 3.1, "absorbed",
         mechanism="parallel slack"),
    move("checkout", "POST /checkout", "inventory", "GET /stock", 41.5, 4.2, "absorbed",
         mechanism="parallel slack", calls=9_700, baseline_calls=14_200),
    move("storefront", "GET /item", "catalog", "GET /item", 0.2, 0.1, "no spike"),
    move("checkout", "POST /checkout", "fraud", "Check", 6.0, 5.2, "propagated", calls=2_400,
         baseline_calls=0, arrived_low_ns=None, arrived_high_ns=None),
    move("mailer", "send", "api.mail.example", "POST", 90, 80, "too few calls", calls=3,
         baseline_calls=11, ratio=None),
]  # fmt: skip


def guard(
    down: str,
    down_op: str,
    up: str,
    up_op: str,
    role: str,
    pattern: str,
    shows: str,
    **more: object,
) -> dict[str, Any]:
    made = {
        "downstream": down, "downstream_operation": down_op, "upstream": up,
        "upstream_operation": up_op, "role": role, "pattern": pattern, "shows": shows,
        "occurrences": 310, "confidence": "strong", "exemplars": [], "spans": [],
    }  # fmt: skip
    return {**made, **more}


INSULATION_ROWS = [
    guard("checkout", "POST /checkout", "recommendations", "Suggest", "protects",
          "parallel slack", "something else that runs beside these calls took longer",
          absorbed_ns=int(178.9 * MS)),
    guard("checkout", "POST /checkout", "inventory", "GET /stock", "advice", "calls in a loop",
          "4.1 calls one after another in a request", attempts_per_call=4.1, saving_ns=30 * MS,
          exemplars=["5b8efff798038103d269b633813fc60c"], spans=["eee19b7ec3c1b174"]),
    guard("payment", "Charge", "card-db", "SELECT cards", "missing", "none",
          "10 % of users' requests go through it", share=0.1, limit_ns=490 * MS),
]  # fmt: skip

ERROR_ROWS = [
    {
        "downstream": "checkout", "downstream_operation": "POST /checkout", "upstream": "stock",
        "upstream_operation": "Reserve", "offered_errors": 0.12, "arrived_errors": 0.05,
        "arrived_low": 0.04, "arrived_high": 0.06, "ratio": 0.42, "verdict": "propagated",
        "hardness": 0.4, "hardness_low": 0.35, "hardness_high": 0.45, "errors": 240,
        "baseline_errors": 3, "calls": 2_000, "baseline_calls": 6_100, "downstream_requests": 2_000,
    },
]  # fmt: skip
ORIGIN_ROWS = [
    {
        "rank": 1, "service": "card-db", "operation": "SELECT cards", "cause": "self",
        "excess_ns": int(203.1 * MS), "low_ns": int(190.2 * MS), "high_ns": int(216 * MS),
        "share": 0.93,
        "z": 41.0,
        "confidence": "strong", "owner": None,
        "evidence": "its calls rose from 38 ms to 291 ms; payment's own time did not move",
        "exemplars": ["5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b1740000000000000001"],
    },
    {
        "rank": 2, "service": "payment", "operation": None, "cause": "wire",
        "edge_downstream": "checkout", "edge_upstream": "payment", "excess_ns": int(7.9 * MS),
        "low_ns": None, "high_ns": None, "share": 0.04, "owner": "payments-team",
        "evidence": "only this edge's gap rose", "exemplars": [],
    },
]  # fmt: skip


def _spike(
    unit: str, service: str, operation: str, before: float, after: float, downstream: str = ""
) -> dict[str, Any]:
    return {
        "unit": unit, "service": service, "operation": operation, "downstream": downstream,
        "start_ns": WINDOW.start_ns, "end_ns": WINDOW.end_ns,
        "baseline_p50_ns": int(before * 0.4 * MS), "p50_ns": int(after * 0.4 * MS),
        "baseline_p95_ns": int(before * MS), "p95_ns": int(after * MS), "ratio": after / before,
        "z": 6.0 + after / before, "calls": 2_400, "excess_ns": int((after - before) * 2_400 * MS),
    }  # fmt: skip


SPIKE_ROWS = [
    _spike("client", "card-db", "SELECT cards", 62, 470, "payment"),
    _spike("server", "payment", "Charge", 96, 560),
    _spike("server", "checkout", "POST /checkout", 210, 640),
    _spike("server", "storefront", "POST /buy", 320, 820),
]


def _wave(minute: int, seed: int) -> float:
    """A repeatable unevenness around 1, without any random numbers."""
    return 1 + 0.09 * (((minute * 37 + seed * 101) % 17) / 17 - 0.5)


def _line(
    unit: str, service: str, operation: str, downstream: str, before: float, after: float, seed: int
) -> list[dict[str, Any]]:
    made = []
    for minute in range(-60, 40):
        if seed == 3 and minute in (-31, -30, -29):
            continue
        inside = 0 <= minute < 20
        p95 = (after * (1 - 0.35 * (minute in (0, 19))) if inside else before) * _wave(minute, seed)
        made.append(
            {
                "unit": unit,
                "service": service,
                "operation": operation,
                "downstream": downstream,
                "window_start_ns": NOON_NS + minute * MINUTE_NS,
                "calls": 120,
                "p50_ns": int(p95 * 0.42 * MS),
                "p95_ns": int(p95 * MS),
                "p99_ns": int(p95 * 1.5 * MS),
            }
        )
    return made


TIMELINE_ROWS = [
    *_line("client", "card-db", "SELECT cards", "payment", 62, 470, 1),
    *_line("server", "payment", "Charge", "", 96, 560, 2),
    *_line("server", "checkout", "POST /checkout", "", 210, 640, 3),
    *_line("server", "storefront", "POST /buy", "", 320, 820, 4),
    *_line("server", "storefront", "GET /cart", "", 140, 262, 5),
]


def _span(
    number: int,
    parent: int | None,
    depth: int,
    service: str,
    operation: str,
    kind: str,
    start: float,
    duration: float,
    critical: float,
    **more: object,
) -> dict[str, Any]:
    return {
        "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": f"{number:016x}",
        "parent_span_id": None if parent is None else f"{parent:016x}", "depth": depth,
        "service": service, "operation": operation, "name": operation, "kind": kind,
        "status_code": "UNSET", "start_ns": NOON_NS + int(start * MS),
        "duration_ns": int(duration * MS), "self_ns": int(critical * MS),
        "critical_ns": int(critical * MS), "flags": [],
        "critical_parts_ns": [int((duration - critical) * MS), int(duration * MS)] * bool(critical),
        **more,
    }  # fmt: skip


def trace(slow_ms: float) -> pl.DataFrame:
    rest = slow_ms + 30
    return table(
        TRACE,
        [
            _span(1, None, 0, "storefront", "POST /buy", "SERVER", 0, rest + 60, 22),
            _span(2, 1, 1, "storefront", "POST", "CLIENT", 10, rest + 36, 3),
            _span(3, 2, 2, "checkout", "POST /checkout", "SERVER", 12, rest + 32, 21),
            _span(4, 3, 3, "checkout", "GET /stock", "CLIENT", 16, 30, 0),
            _span(5, 4, 4, "inventory", "GET /stock", "SERVER", 17, 27, 0),
            _span(6, 3, 3, "checkout", "Charge", "CLIENT", 20, rest, 4),
            _span(7, 6, 4, "payment", "Charge", "SERVER", 22, rest - 4, 24),
            _span(8, 7, 5, "payment", "SELECT cards", "CLIENT", 30, slow_ms, slow_ms),
            _span(9, 3, 3, "checkout", "send orders", "PRODUCER", rest + 40, 3, 2),
            _span(10, 9, 4, "orders", "process orders", "CONSUMER", rest + 55, 24, 0,
                  flags=["async"], status_code="ERROR"),
        ],
    )  # fmt: skip
