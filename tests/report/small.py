"""Findings of a few rows: what happened in one sentence, for tests of what is said about it."""

from __future__ import annotations

from typing import Any

from tests.report.shop import BASELINE, MS, WINDOW, edge, move, table
from tracemap.model import EDGES, FINDINGS, FLOW, ORIGINS, PATHS, PROPAGATION, Findings

__all__ = ["findings", "leaf", "move", "origin"]
PATH_ROWS = [
    (1, 0, 0, "entry", "web", "GET /", "", ""),
    (2, 1, 1, "call", "web", "GET", "cart", "service"),
    (3, 2, 2, "entry", "cart", "GET /cart", "", ""),
    (4, 1, 1, "call", "web", "GET", "cart", "service"),
    (5, 4, 2, "entry", "cart", "POST /cart", "", ""),
    (9, 0, 0, "entry", "web", "POST /login", "", ""),
]


def leaf(
    path: int, kind: str, share_ms: float, *, requests: int = 400, half_ms: float = 1.0
) -> dict[str, Any]:
    """A leaf of the flow at one of those paths."""
    _, parent, depth, step, service, operation, upstream, _ = PATH_ROWS[
        [row[0] for row in PATH_ROWS].index(path)
    ]
    return {
        "root_service": "web", "root_operation": "POST /login" if path == 9 else "GET /",
        "requests": requests, "path_id": path, "parent_path_id": parent, "hops": depth // 2,
        "leaf": kind, "service": service, "operation": operation,
        "upstream": upstream if step == "call" else "", "share_ns": int(share_ms * MS),
        "low_ns": int((share_ms - half_ms) * MS), "high_ns": int((share_ms + half_ms) * MS),
    }  # fmt: skip


def origin(
    rank: int, service: str, cause: str, excess_ms: float, share: float, **more: object
) -> dict[str, Any]:
    """A strong origin."""
    return {
        "rank": rank, "service": service, "cause": cause, "excess_ns": int(excess_ms * MS),
        "low_ns": int(excess_ms * 0.9 * MS), "high_ns": int(excess_ms * 1.1 * MS), "share": share,
        "z": 20.0, "confidence": "strong", "evidence": "it moved", "exemplars": [], **more,
    }  # fmt: skip


_LEAVES = {"self": ("self", "virtual"), "wire": ("gap",), "calls": ("calls",)}


def _charged(row: dict[str, Any], origins: list[dict[str, Any]]) -> dict[str, Any]:
    """A leaf, charged to the origin of that name and cause, as `analyze.charged` would."""
    for one in origins:
        of_edge = (one.get("edge_downstream"), one.get("edge_upstream"))
        at = of_edge if of_edge[0] else (one["service"],)
        ends = (row["service"], row["upstream"])
        is_there = ends == at if of_edge[0] else one["service"] in ends
        if row["leaf"] == "self" and one.get("operation") not in (None, row["operation"]):
            is_there = False
        if is_there and row["leaf"] in _LEAVES.get(one["cause"], ()):
            return {"origin": one["rank"], **row}
    return row


def findings(
    flow: list[dict[str, Any]],
    origins: list[dict[str, Any]] | None = None,
    moves: list[dict[str, Any]] | None = None,
    *,
    verdict: str = "incident",
    sections: tuple[str, ...] = ("summary",),
) -> Findings:
    """A web shop of two services; each root operation gets its inner row from its leaves."""
    inner = []
    for path in (1, 9):
        operation = PATH_ROWS[0 if path == 1 else -1][5]
        mine = [row for row in flow if row["root_operation"] == operation]
        if mine:
            whole_ms = sum(row["share_ns"] for row in mine) / MS
            half_ms = max(row["high_ns"] - row["low_ns"] for row in mine) / 2 / MS
            asked = mine[0]["requests"]
            inner.append(leaf(path, "", whole_ms, requests=asked, half_ms=half_ms))
    return Findings(
        recipe="postmortem",
        title="Latency postmortem",
        sections=sections,
        window=WINDOW,
        baseline=BASELINE,
        verdict=verdict,
        tables={
            **{name: FINDINGS[name].empty() for name in FINDINGS},
            "edges": table(EDGES, [edge("web", "cart", 400, 60)]),
            "flow": table(FLOW, [*inner, *(_charged(row, origins or []) for row in flow)]),
            "origins": table(ORIGINS, origins or []),
            "propagation": table(PROPAGATION, moves or []),
            "paths": PATHS.conform(
                table(PATHS, [dict(zip(PATHS.schema, row, strict=True)) for row in PATH_ROWS])
            ),
        },
    )
