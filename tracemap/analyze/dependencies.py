"""Findings ``dependencies``, ``availability`` and ``cycles``: who depends on whom.

All of it comes from recorded requests, not from which node could reach which in the graph
(docs/methods.md#dependencies).
"""

from __future__ import annotations

from typing import Any

import igraph
import polars as pl

from tracemap.analyze.consumers import consumers, waited
from tracemap.analyze.thresholds import Thresholds
from tracemap.model import AVAILABILITY, CYCLES, DEPENDENCIES, Facts

_NODE = ["upstream", "upstream_kind"]
_ROOT = ["root_service", "root_operation"]
_COUNTS = ("requests", "waiting", "hit", "hit_failed", "missed_failed")
MOST_ENTRIES = 10
"""Root operations that are named per upstream."""


def dependencies(facts: Facts, thresholds: Thresholds | None = None) -> pl.DataFrame:
    """Return per node how many requests reach it, wait for it, and survive its failures.

    Requests are root operations that do not consume a message, unless there are no others. A
    failure belongs to the node where it began: the deepest failed step. With fewer than
    `Thresholds.min_call_count` requests hit, what a failure does is unknown.

    Args:
        facts: ``reach_facts`` and ``edge_facts`` of the window.
        thresholds: Limits; the defaults when None.

    Returns:
        As `model.DEPENDENCIES`, the widest reach first.
    """
    limits = thresholds or Thresholds()
    summed = _summed(facts)
    total = summed.filter(pl.col("upstream") == "")["requests"].sum()
    named = summed.filter(pl.col("upstream") != "").with_columns(entry=pl.format("{} {}", *_ROOT))
    nodes = (
        named.sort("requests", "entry", descending=[True, False])
        .group_by(_NODE, maintain_order=True)
        .agg(
            *(pl.col(name).sum() for name in _COUNTS),
            entries=pl.col("entry").head(MOST_ENTRIES),
        )
    )
    known = pl.col("hit") >= limits.min_call_count
    died = pl.col("hit_failed") / pl.col("hit")
    otherwise = pl.col("missed_failed") / (pl.col("requests") - pl.col("hit"))
    survived = pl.when(known).then(1 - died)
    return DEPENDENCIES.conform(
        nodes.with_columns(
            reach=pl.col("requests") / max(total, 1),
            waiting=pl.col("waiting") / max(total, 1),
            survived=survived,
            hardness=pl.when(known).then((died - otherwise.fill_nan(0.0)).clip(0.0, 1.0)),
            single_point=pl.when(~known)
            .then(pl.lit("unknown"))
            .when(survived <= limits.single_point_survival)
            .then(pl.lit("yes"))
            .otherwise(pl.lit("no")),
        ).sort(["reach", "waiting", *_NODE], descending=[True, True, False, False])
    )


def availability(facts: Facts, thresholds: Thresholds | None = None) -> pl.DataFrame:
    """Return per root operation how many requests succeeded, and the bound its upstreams set.

    ``bound = own * product over upstreams of (1 - P(hit) * P(failed | hit))``: as if failures of
    different upstreams had nothing to do with each other (Treynor et al., "The Calculus of Service
    Availability", 2017). Each node counts once, where failures began. Root operations with fewer
    than `Thresholds.min_call_count` requests are left out.

    Args:
        facts: ``reach_facts`` and ``edge_facts`` of the window.
        thresholds: Limits; the defaults when None.

    Returns:
        As `model.AVAILABILITY`, the least available first.
    """
    limits = thresholds or Thresholds()
    summed = _summed(facts)
    roots = summed.filter(pl.col("upstream") == "").select(
        *_ROOT,
        "requests",
        measured=1 - (pl.col("hit_failed") + pl.col("missed_failed")) / pl.col("requests"),
        own=1 - pl.col("missed_failed") / pl.col("requests"),
    )
    through = (
        summed.filter((pl.col("upstream") != "") & (pl.col("hit_failed") > 0))
        .join(roots.select(*_ROOT, total="requests"), on=_ROOT)
        .with_columns(through=1 - pl.col("hit_failed") / pl.col("total"))
        .sort("through", "upstream")
        .group_by(_ROOT, maintain_order=True)
        .agg(
            allowed=pl.col("through").product(),
            weakest=pl.col("upstream").first(),
            weakest_share=pl.col("through").first(),
        )
    )
    return AVAILABILITY.conform(
        roots.filter(pl.col("requests") >= limits.min_call_count)
        .join(through, on=_ROOT, how="left")
        .with_columns(
            bound=pl.col("own") * pl.col("allowed").fill_null(1.0),
            weakest=pl.col("weakest").fill_null(""),
        )
        .rename({"root_service": "service", "root_operation": "operation"})
        .sort("measured", "service", "operation")
    )


def _summed(facts: Facts) -> pl.DataFrame:
    """Return the sums per root operation and node; consumers of messages count only if alone."""
    reach = facts["reach_facts"]
    reach = reach.filter(
        pl.Series(waited(reach.select(_ROOT).iter_rows(), consumers(facts["edge_facts"])))
    )
    return reach.group_by(*_ROOT, *_NODE).agg(pl.col(_COUNTS).sum()).sort(*_ROOT, *_NODE)


def cycles(path_facts: pl.DataFrame, paths: pl.DataFrame, edge_facts: pl.DataFrame) -> pl.DataFrame:
    """Return the circles of services that call each other.

    Confirmed: one request went from a service through another and back to it. A circle that only
    the graph of services has may be two unrelated call paths, and is marked so; messages count.

    Args:
        path_facts: As `model.PATH_FACTS`.
        paths: As `model.PATHS`.
        edge_facts: As `model.EDGE_FACTS`.

    Returns:
        As `model.CYCLES`, confirmed ones first, then by calls.
    """
    seen = _within_requests(path_facts, paths)
    rows: list[dict[str, Any]] = [
        {"services": list(services), "confirmed": True, "calls": calls}
        for services, calls in sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    ]
    edges = edge_facts.filter(
        (pl.col("upstream_kind") == "service") & (pl.col("downstream_kind") == "service")
        & (pl.col("downstream") != pl.col("upstream"))
    )  # fmt: skip
    pairs = edges.select("downstream", "upstream").unique().sort("downstream", "upstream").rows()
    graph = igraph.Graph.TupleList(pairs, directed=True)
    known = [set(row["services"]) for row in rows]
    for part in graph.connected_components(mode="strong"):
        names = sorted(graph.vs[part]["name"])
        if len(names) > 1 and not any(cycle <= set(names) for cycle in known):
            rows.append({"services": names, "confirmed": False, "calls": 0})
    return CYCLES.conform(pl.DataFrame(rows, schema=CYCLES.schema))


def _within_requests(path_facts: pl.DataFrame, paths: pl.DataFrame) -> dict[tuple[str, ...], int]:
    """Return the calls that closed each circle: services in the order called, first by name."""
    calls = dict(path_facts.group_by("path_id").agg(pl.col("calls").sum()).iter_rows())
    entries = paths.unique("path_id").sort("depth", "path_id")
    chains: dict[int, tuple[str, ...]] = {0: ()}
    found: dict[tuple[str, ...], int] = {}
    for path_id, parent, step, service in entries.select(
        "path_id", "parent_path_id", "step", "service"
    ).iter_rows():
        chain = chains.get(parent, ())
        if step == "entry" and (not chain or chain[-1] != service):
            if service in chain:
                circle = chain[chain.index(service) :]
                first = circle.index(min(circle))
                circle = circle[first:] + circle[:first]
                found[circle] = found.get(circle, 0) + calls.get(path_id, 0)
            chain = (*chain, service)
        chains[path_id] = chain
    return found
