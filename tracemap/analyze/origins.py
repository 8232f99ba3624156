"""Finding ``origins``: where it began, services and edges ranked by the visible time they explain.

A fault in the network of service X shows in the gaps of all edges that touch X, on either side,
and never in X's own server spans. So a gap is not charged to caller or callee by convention: it is
shared between its two ends by how consistently the other edges of each end moved too, again and
again until the simplest explanation holds (expectation-maximisation of a mixture). A service whose
edges mostly rose together is the origin; where one edge alone rose, the edge is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from tracemap.analyze.calltree import CallTree, call_tree
from tracemap.analyze.components import components
from tracemap.analyze.consumers import consumers
from tracemap.analyze.thresholds import Thresholds
from tracemap.model import ORIGINS, Facts, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

NS_PER_MS = 1e6
ROUNDS = 12
"""Rounds of sharing gaps out; the shares no longer change visibly after about five."""
MOST = 10
"""Origins named at most."""
MOVED = 0.5
"""A component has moved when its evidence weighs at least half."""

Row = dict[str, Any]


def origins(
    facts: Facts,
    incident: Window,
    baseline: Window,
    *,
    thresholds: Thresholds | None = None,
    owners: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Return the services and edges that explain the rise of user-visible latency.

    Each component (`components`) that moved counts with its visible effect, weighed by its
    evidence. Own time counts for its service. Gaps, and calls to upstreams that record no spans,
    are shared between their two ends. Nobody is named for less than `Thresholds.origin_excess_ms`
    or `Thresholds.origin_excess_share` of the mean request before, nor with evidence below
    `Thresholds.origin_z`: an empty table is an answer. An origin is ``strong`` when components that
    got much slower make half of it (`Thresholds.strong_ratio`), or when it is very certain
    (`Thresholds.strong_z`, `Thresholds.strong_interval`). Others are ``weak``: leads to look at,
    listed beside a strong one and never alone.

    Causes: ``self`` (own time, or that of an upstream that records no spans: at or beyond it),
    ``wire`` (gaps: network, queue, pool), ``calls`` (more calls than before).

    Args:
        facts: Facts of both windows, each cut into cells of time (`windows.cells`), so that bursts
            are told from shifts.
        incident: The window to explain.
        baseline: The window to compare with.
        thresholds: Limits; the defaults when None.
        owners: Owner by service, where known.

    Returns:
        As `model.ORIGINS`, likeliest first.
    """
    limits = thresholds or Thresholds()
    tree = call_tree(facts["path_facts"], facts["paths"], incident, baseline)
    requests = tree.requests(consumers(facts["edge_facts"]))
    moved = components(tree, requests, facts["latency_facts"], incident, baseline, limits=limits)
    shared = _Blame(moved.filter((pl.col("weight") > 0) & (pl.col("excess_ns") > 0)), moved)
    least_ns = max(
        limits.origin_excess_ms * NS_PER_MS,
        limits.origin_excess_share * _mean_request_ns(tree, requests),
    )
    found = _one_per_edge([shared.origin(service, limits) for service in shared.services()])
    named = [row for row in found if row["excess_ns"] >= least_ns and row["z"] >= limits.origin_z]
    if all(row["confidence"] == "weak" for row in named):
        named = []
    named.sort(key=lambda row: (-row["excess_ns"], row["service"]))
    total = sum(row["excess_ns"] for row in found) or 1.0
    traces = _exemplars(facts["exemplars"], incident)
    rows = [
        {
            **row,
            "rank": rank,
            "share": row["excess_ns"] / total,
            "owner": (owners or {}).get(row["service"]),
            "exemplars": traces,
            **{name: round(row[name]) for name in ("excess_ns", "low_ns", "high_ns")},
        }
        for rank, row in enumerate(named[:MOST], start=1)
    ]
    return ORIGINS.conform(
        pl.DataFrame(
            [{name: row[name] for name in ORIGINS.schema} for row in rows], schema=ORIGINS.schema
        )
    )


def _one_per_edge(found: list[Row]) -> list[Row]:
    """Return the origins with an edge that both its ends were named for named once.

    The end with the larger share keeps the name and gets the other's share added.
    """
    merged: dict[Any, Row] = {}
    for row in sorted(found, key=lambda row: -row["excess_ns"]):
        edge = (row["edge_downstream"], row["edge_upstream"])
        first = merged.setdefault(edge if edge[0] else row["service"], row)
        if first is not row:
            for name in ("excess_ns", "low_ns", "high_ns"):
                first[name] += row[name]
    return list(merged.values())


def _mean_request_ns(tree: CallTree, requests: NDArray[np.int64]) -> float:
    """Return the mean duration of a root request in the baseline."""
    calls = tree.sums["calls"][0, 0, requests].sum()
    return float(tree.sums["duration_ns"][0, 0, requests].sum() / calls) if calls else 0.0


def _exemplars(exemplars: pl.DataFrame, incident: Window) -> list[str]:
    """Return the ids of the three slowest traces of the incident."""
    worst = (
        exemplars.filter((pl.col("role") == "worst") & incident.contains(pl.col("window_start_ns")))
        .unique(["trace_high", "trace_low"])
        .sort("duration_ns", "trace_high", "trace_low", descending=[True, False, False])
        .head(3)
    )
    return [
        f"{high:016x}{low:016x}" for high, low in worst.select("trace_high", "trace_low").rows()
    ]


@dataclass
class _Blame:
    """Shares the moved components out between services."""

    moved: pl.DataFrame
    everything: pl.DataFrame
    _shares: dict[str, list[tuple[Row, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = self.moved.to_dicts()
        consistency = self._consistency()
        certain = [(row, _sole(row)) for row in rows if _sole(row)]
        links = [row for row in rows if not _sole(row)]
        blame = dict.fromkeys(consistency, 1.0)
        split: list[tuple[Row, str, float]] = []
        for _ in range(ROUNDS):
            split = []
            for row in links:
                ends = {
                    end: consistency[end] * blame[end]
                    for end in (row["downstream"], row["upstream"])
                }
                whole = sum(ends.values()) or 1.0
                split += [(row, end, part / whole) for end, part in ends.items()]
            split += [(row, service, 1.0) for row, service in certain]
            blame = dict.fromkeys(consistency, 1e-6)
            for row, service, part in split:
                blame[service] = blame.get(service, 0.0) + _counted(row) * part
        for row, service, part in split:
            if part > 0:
                self._shares.setdefault(service, []).append((row, part))

    def _consistency(self) -> dict[str, float]:
        """Return per service the share of its edges' gaps that moved (0 to 1)."""
        links = self.everything.filter(pl.col("kind").is_in(["gap", "virtual"])).filter(
            pl.col("baseline_calls") > 0, pl.col("calls") > 0
        )
        ends = pl.concat(
            links.select(pl.col(end).alias("service"), "weight")
            for end in ("downstream", "upstream")
        )
        share = ends.group_by("service").agg(pl.col("weight").mean())
        services = {
            service: 0.0
            for column in ("downstream", "upstream")
            for service in self.everything[column].unique().to_list()
            if service
        }
        return services | dict(share.rows())

    def services(self) -> list[str]:
        """Return the services with any blame, in order."""
        return sorted(self._shares)

    def origin(self, service: str, limits: Thresholds) -> Row:
        """Return what `service` would be named for, unranked."""
        shares = self._shares[service]
        excess = sum(_counted(row) * part for row, part in shares)
        half = sum((row["half_ns"] * part) ** 2 for row, part in shares) ** 0.5
        weights = [_counted(row) * part for row, part in shares]
        spread = sum(weight**2 for weight in weights) ** 0.5 or 1.0
        z = sum(w * row["z"] for w, (row, _) in zip(weights, shares, strict=True)) / spread
        cause, edge = self._cause(service, excess, limits)
        largest = max(shares, key=lambda pair: _counted(pair[0]) * pair[1])[0]
        operation_is_all = _counted(largest) >= MOVED * excess
        return {
            "service": service,
            "operation": largest["operation"] if operation_is_all and cause != "wire" else None,
            "cause": cause,
            "edge_downstream": edge[0] if edge else None,
            "edge_upstream": edge[1] if edge else None,
            "excess_ns": excess,
            "low_ns": excess - half,
            "high_ns": excess + half,
            "z": z,
            "confidence": self._confidence(shares, half, z, limits),
            "evidence": _in_words(shares),
        }

    @staticmethod
    def _confidence(
        shares: list[tuple[Row, float]], half: float, z: float, limits: Thresholds
    ) -> str:
        """Return whether the origin is ``strong`` or ``weak``; see `origins`."""
        excess = sum(_counted(row) * part for row, part in shares)
        large = sum(
            _counted(row) * part for row, part in shares if row["ratio_low"] >= limits.strong_ratio
        )
        certain = z >= limits.strong_z and half <= limits.strong_interval * excess
        return "strong" if large >= MOVED * excess or certain else "weak"

    def _cause(
        self, service: str, excess: float, limits: Thresholds
    ) -> tuple[str, tuple[str, str] | None]:
        """Return the cause, and the edge where one edge alone rose."""
        by_kind: dict[str, float] = {}
        for row, part in self._shares[service]:
            own = row["kind"] == "virtual" and row["upstream"] == service
            kind = "self" if own else row["kind"]
            by_kind[kind] = by_kind.get(kind, 0.0) + _counted(row) * part
        if by_kind.get("calls", 0.0) >= MOVED * excess:
            return "calls", None
        if by_kind.get("self", 0.0) >= limits.self_share * excess:
            return "self", None
        touching = self.everything.filter(
            pl.col("kind").is_in(["gap", "virtual"])
            & ((pl.col("downstream") == service) | (pl.col("upstream") == service))
        )
        pairs = touching.group_by("downstream", "upstream").agg(pl.col("weight").max())
        risen = pairs.filter(pl.col("weight") >= MOVED)
        if risen.height != 1:
            return "wire", None
        edge = risen["downstream"][0], risen["upstream"][0]
        other = edge[0] if edge[1] == service else edge[1]
        # An end with one edge is as good as the edge, unless its other end has but this one too.
        return "wire", edge if pairs.height > 1 or self._edges_of(other) == 1 else None

    def _edges_of(self, service: str) -> int:
        """Return how many edges touch `service`."""
        ends = self.everything.filter(pl.col("kind").is_in(["gap", "virtual"]))
        touching = (pl.col("downstream") == service) | (pl.col("upstream") == service)
        return ends.filter(touching).select("downstream", "upstream").n_unique()


def _counted(row: Row) -> float:
    """Return the visible effect of a component, weighed by its evidence."""
    return float(row["excess_ns"] * row["weight"])


def _sole(row: Row) -> str:
    """Return the one service a component counts for; '' where two ends share it."""
    if row["kind"] == "self":
        return str(row["upstream"])
    return str(row["downstream"]) if row["kind"] == "calls" else ""


def _in_words(shares: list[tuple[Row, float]]) -> str:
    """Return the three largest components in words."""
    ordered = sorted(shares, key=lambda pair: -_counted(pair[0]) * pair[1])[:3]
    return "; ".join(_component_in_words(row) for row, _ in ordered)


def _component_in_words(row: Row) -> str:
    """Return what moved, by how much, on how many calls."""
    if row["kind"] == "calls":
        what = f"{row['downstream']} calls {row['upstream']} {row['operation']}"
        change = f"{row['baseline_mean_ns']:.1f} -> {row['mean_ns']:.1f} times a request"
        return f"{what}: {change} ({row['baseline_calls']} and {row['calls']} calls)"
    before, during = (row[name] / NS_PER_MS for name in ("baseline_mean_ns", "mean_ns"))
    what = {
        "self": f"own time of {row['upstream']} {row['operation']}",
        "gap": f"gap {row['downstream']} > {row['upstream']} {row['operation']}",
        "virtual": f"calls {row['downstream']} > {row['upstream']} {row['operation']}",
    }[row["kind"]]
    return (
        f"{what}: {before:.1f} -> {during:.1f} ms a call"
        f" ({row['baseline_calls']} and {row['calls']} calls)"
    )
