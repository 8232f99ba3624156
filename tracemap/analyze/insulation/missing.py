"""Edges on which nothing would stop a spike: what the downstream team should mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_edges import CallEdges, call_edges
from tracemap.analyze.call_tree import CallTree, added, per
from tracemap.analyze.consumers import consumers
from tracemap.analyze.insulation.seen import SITE, Seen
from tracemap.model.histogram import percentiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds


def missing(
    tree: CallTree,
    edge_facts: pl.DataFrame,
    seen: Seen,
    protected: pl.DataFrame,
    limits: Thresholds,
    *,
    critical: frozenset[str],
) -> pl.DataFrame:
    """Return the edges that users depend on and on which nothing was seen that stops a spike.

    All of this must hold: downstream waits for the edge (at least `Thresholds.waited_share` of its
    time is on downstream's path); at least `Thresholds.depending_share` of users' requests go
    through it, or downstream is a critical service; and its failures, where enough were seen to
    tell, fail downstream too (hardness above `Thresholds.tolerable_hardness`). Retries alone do not
    protect from slowness. Messages are left out: users wait neither for a queue nor for its
    consumers.

    Args:
        tree: The call paths; side 1 is the window in question.
        edge_facts: As `model.EDGE_FACTS`; says which calls are messages.
        seen: What was seen in the window.
        protected: Columns `SITE` of the edges on which something stops a spike.
        limits: Thresholds.
        critical: Services that are called critical.

    Returns:
        Columns `SITE`, ``pattern`` (``none``), ``occurrences`` (calls), ``share`` (of users'
        requests), ``limit_ns`` (p99 of what was waited), ``shows``; the largest share first.
    """
    is_critical = pl.col("downstream").is_in(sorted(critical))
    rows = _waited(tree, edge_facts).with_columns(is_critical=is_critical)
    messages = edge_facts.filter(pl.col("connection_type") == "messaging").select(
        downstream="upstream", upstream="downstream"
    )
    found = (
        rows.filter(
            (pl.col("downstream") != pl.col("upstream"))
            & (pl.col("calls") >= limits.min_call_count)
            & (pl.col("waited") >= limits.waited_share)
            & ((pl.col("share") >= limits.depending_share) | pl.col("is_critical"))
        )
        .join(protected, on=SITE, how="anti")
        .join(messages, on=messages.columns, how="anti")
        .join(_hardness(seen, limits), on=SITE, how="left")
        .filter(pl.col("hardness").fill_null(1.0) > limits.tolerable_hardness)
        .join(_slowest(seen), on=["downstream", "upstream", "upstream_operation"], how="left")
        .sort(["share", "calls", *SITE], descending=[True, True, *[False] * 4])
    )
    return found.select(
        *SITE,
        "share",
        "limit_ns",
        pattern=pl.lit("none"),
        occurrences="calls",
        shows=_words(),
    )


def _waited(tree: CallTree, edge_facts: pl.DataFrame) -> pl.DataFrame:
    """Return per edge its ``calls``, the part of their time that is ``waited``, and ``share``."""
    edges = call_edges(tree)
    calls = edges.sums["calls"][0, 1]
    waited = per(edges.sums["on_parent_ns"][0, 1], edges.sums["duration_ns"][0, 1])
    return pl.DataFrame(
        {
            **edges.names(),
            "calls": calls.astype(np.int64),
            "waited": waited,
            "share": _depending(tree, edges, tree.requests(consumers(edge_facts))),
        },
        schema_overrides=dict.fromkeys(SITE, pl.String),
    )


def _slowest(seen: Seen) -> pl.DataFrame:
    """Return the p99 of what was waited for each upstream operation: ``limit_ns``."""
    return percentiles(
        seen.latency.filter(pl.col("unit") == "client"),
        by=["service", "operation", "downstream"],
    ).select(
        "downstream", upstream="service", upstream_operation="operation", limit_ns="p99_ns"
    )  # fmt: skip


def _words() -> pl.Expr:
    """Return who waits for an edge, for how much of its time, and what its failures do."""
    critical = pl.when(pl.col("is_critical")).then(pl.lit("into a critical service: "))
    unknown = pl.when(pl.col("hardness").is_null()).then(
        pl.lit("too few of its calls failed to say what a failure does")
    )
    failures = pl.format(
        "its failures take {} % of the requests with them",
        (100 * pl.col("hardness")).round(0).cast(pl.Int64, strict=False),
    )
    return pl.format(
        "{}{} % of its time is waited for; {}",
        critical.otherwise(pl.lit("")),
        (100 * pl.col("waited")).round(0).cast(pl.Int64),
        unknown.otherwise(failures),
    )


def _hardness(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return per edge how much likelier downstream fails when the call does, where enough did."""
    known = seen.requests().filter(pl.col("lost") >= limits.min_call_count)
    usual = pl.when(pl.col("fine") > 0).then(pl.col("fine_failed") / pl.col("fine"))
    return known.select(
        *SITE, hardness=pl.col("lost_failed") / pl.col("lost") - usual.fill_null(0.0)
    )


def _depending(tree: CallTree, edges: CallEdges, roots: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of users' requests that go through each pair, at most one a request."""
    calls = tree.sums["calls"][0, 1]
    root = np.arange(tree.parent.size)
    for row, above in enumerate(tree.parent.tolist()):
        if above >= 0:  # parents come before children
            root[row] = root[above]
    total = calls[roots].sum()
    through = np.zeros(len(edges.pairs))
    for each in roots.tolist():
        of_root = np.where(root == each, edges.of_path, -1)
        through += np.minimum(added(calls, of_root, len(edges.pairs)), calls[each])
    return through / total if total else through
