"""What one service would be named for as an origin: its cause, edge, effect and evidence."""

from __future__ import annotations

from typing import Any

from tracemap.analyze.blame import MOVED, Blame, Row, counted
from tracemap.analyze.confidence import doubt
from tracemap.analyze.origin_words import in_words
from tracemap.analyze.thresholds import Thresholds

TIMES = ("excess_ns", "low_ns", "high_ns")
"""Columns of an origin that are times: its effect and the ends of its interval."""
_CALLS = ("calls", "share")


def origin_of(blame: Blame, service: str, limits: Thresholds) -> Row:
    """Return what `service` would be named for, unranked."""
    shares = blame.shares(service)
    weights = [counted(row) * part for row, part in shares]
    excess, half = sum(weights), _half(shares)
    spread = sum(weight**2 for weight in weights) ** 0.5 or 1.0
    z = sum(w * row["z"] for w, (row, _) in zip(weights, shares, strict=True)) / spread
    cause, edge = _cause(blame, service, excess, limits)
    largest = max(shares, key=lambda pair: counted(pair[0]) * pair[1])[0]
    operation_is_all = counted(largest) >= MOVED * excess
    return {
        "service": edge[1] if edge and cause == "self" else service,
        "operation": largest["operation"] if operation_is_all and cause != "wire" else None,
        "cause": cause,
        "edge_downstream": edge[0] if edge else None,
        "edge_upstream": edge[1] if edge else None,
        "excess_ns": excess,
        "low_ns": excess - half,
        "high_ns": excess + half,
        "excess_errors": None,
        "z": z,
        "doubt": doubt(shares, half, z, limits),
        "components": shares,
        "evidence": in_words(shares),
    }


def _half(shares: list[tuple[Row, float]]) -> float:
    """Return the half-width of the interval of several components together."""
    return float(sum((row["half"] * part) ** 2 for row, part in shares) ** 0.5)


def _cause(
    blame: Blame, service: str, excess: float, limits: Thresholds
) -> tuple[str, tuple[str, str] | None]:
    """Return the cause, and the edge where one edge alone rose."""
    by_kind: dict[str, float] = {}
    unseen = 0.0
    for row, part in blame.shares(service):
        own = row["kind"] in ("virtual", "unanswered") and row["upstream"] == service
        kind = "calls" if row["kind"] in _CALLS else "self" if own else row["kind"]
        by_kind[kind] = by_kind.get(kind, 0.0) + counted(row) * part
        unseen += counted(row) * part if row["kind"] == "virtual" else 0.0
    if by_kind.get("calls", 0.0) >= MOVED * excess:
        return "calls", None
    # Upstream records nothing: its own time and the way to it look alike.
    is_beyond = unseen >= MOVED * excess
    edge = blame.risen_edge(service)
    if is_beyond and edge is None:
        edge = blame.steepest_edge(service, limits.self_share)
    if by_kind.get("self", 0.0) + by_kind.get("failed", 0.0) >= limits.self_share * excess:
        return "self", edge if is_beyond else None
    return "self" if is_beyond and edge else "wire", edge


def one_per_edge(found: list[Row]) -> list[Row]:
    """Return the origins, with one row for an edge for which both its ends were named.

    The end with the larger share keeps the name and gets the other's share added.
    """
    merged: dict[Any, Row] = {}
    for row in sorted(found, key=lambda row: -row["excess_ns"]):
        edge = (row["edge_downstream"], row["edge_upstream"])
        first = merged.setdefault(edge if edge[0] else row["service"], row)
        if first is not row:
            for name in TIMES:
                first[name] += row[name]
            first["components"] = [*first["components"], *row["components"]]
    return list(merged.values())


def together(shares: list[tuple[Row, float]]) -> tuple[float, float]:
    """Return the effect of several components together, and its half-width."""
    return sum(counted(row) * part for row, part in shares), _half(shares)
