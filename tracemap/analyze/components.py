"""What moved between two windows: own times, gaps and call counts, with their visible effect.

A component is the smallest thing a trace tells apart:

- ``self``: the own time of an operation of a service;
- ``gap``: client minus server of the calls between two services (network, queue, pool, TLS), or
  all of a call to an upstream that records no spans (``virtual``);
- ``hidden retries``: a gap in which the client's library called again after a failure;
- ``unanswered``: calls to a service that does record spans, of which it recorded none;
- ``calls``, ``share``, ``retries``, ``fallback``: how many calls are made (`call_counts`).

Its visible effect is what its rise adds to the mean latency of all root requests of the incident:
rise per call, times calls per request, times the share of it that the steps above let through.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_counts import EXPLAINED, call_counts
from tracemap.analyze.call_edges import call_edges
from tracemap.analyze.call_tree import CallTree, added, call_tree, per
from tracemap.analyze.component_rows import COMPONENTS, KEY, Label, component_rows, indexed
from tracemap.analyze.mean_rise import mean_rise, or_mean
from tracemap.analyze.rates import rate_rise
from tracemap.analyze.statistics import slowdown
from tracemap.analyze.visibility import visible_shares
from tracemap.analyze.windows import sided
from tracemap.model import JACKKNIFE_BUCKETS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds
    from tracemap.model import Facts, Window


_MEASURES = ("calls", "callers", "duration_ns", "self_ns", "unanswered", "unanswered_ns")
"""What has to be known cell by cell of time."""


@dataclass(frozen=True)
class _Group:
    """Paths that make up components of one kind: a label per path, None where it is none.

    Attributes:
        kind: Which.
        labels: Label of each path.
        amount: Sum of what is compared, shape (replicate, side, path).
        calls: Calls it is a mean of, same shape.
    """

    kind: str
    labels: list[Label | None]
    amount: NDArray[np.float64]
    calls: NDArray[np.float64]


def components(
    tree: CallTree,
    requests: NDArray[np.int64],
    facts: Facts,
    incident: Window,
    baseline: Window,
    *,
    limits: Thresholds,
) -> pl.DataFrame:
    """Return every component of the two windows with its change, effect and evidence.

    Args:
        tree: Call paths of both windows.
        requests: Rows of the root entries that somebody waits for: effects are per such request.
        facts: Facts of both windows, cut into cells of time.
        incident: The window to explain.
        baseline: The window to compare with.
        limits: Thresholds.

    Returns:
        Columns as `COMPONENTS`, sorted by `KEY`.
    """
    edges = call_edges(tree)
    visible = visible_shares(tree, edges, requests, limits)
    served = tree.sums["calls"][:, :, requests].sum(axis=2, keepdims=True)
    between = _between(tree)
    calls = tree.sums["calls"][:, 1]
    often = per(calls, np.broadcast_to(served[:, 1], calls.shape)) * between * visible
    by_cell = call_tree(
        facts["path_facts"], facts["paths"], incident, baseline, by_cell=True, measures=_MEASURES
    )
    groups = zip(_groups(tree), _groups(by_cell), strict=True)
    durations = pl.concat([_measured(group, varied, often) for group, varied in groups])
    traces = _traces(tree, sided(facts["path_facts"], incident, baseline))
    evidence = _evidence(facts["latency_facts"], incident, baseline, traces)
    durations = or_mean(durations.join(evidence, on=KEY, how="left"), limits)
    parts = [
        weighed(_retried(tree, durations, limits), limits),
        weighed(_unanswered(tree, often, facts["path_facts"], incident, baseline), limits),
        call_counts(tree, edges, (visible * between, served), by_cell, limits),
    ]
    return pl.concat(part.select(COMPONENTS.names()) for part in parts).sort(KEY)


def weighed(rows: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return components with their weight: by `Thresholds.component_ratio`, on a log scale."""
    sure = pl.col("ratio_low").log() / math.log(limits.component_ratio)
    return rows.with_columns(
        pl.col("z").fill_null(0.0),
        pl.col("ratio_low").fill_null(0.0),
        weight=sure.fill_null(0.0).clip(0.0, 1.0),
    )


def _between(tree: CallTree) -> NDArray[np.float64]:
    """Return per path the factor for its cost, which is that of its calls in the incident.

    Where a request makes more calls than before, their cost counts with the mean of both numbers of
    calls, because that there are more of them is a component of its own. Where it makes fewer, no
    component counts the calls that are gone: the factor is 1.
    """
    calls, callers = tree.sums["calls"], tree.sums["callers"]
    times = per(calls, callers, otherwise=1.0)
    more = (calls.min(axis=1) > 0) & (times[:, 1] > times[:, 0])
    between = np.where(more, per(times.mean(axis=1), times[:, 1]), 1.0)
    for row in range(tree.parent.size):
        above = int(tree.parent[row])
        between[:, row] = between[:, row] * between[:, above] if above >= 0 else 1.0
    return between


def _groups(tree: CallTree) -> list[_Group]:
    """Return which paths make up which components."""
    own, gap, virtual = labels(tree)
    sums = tree.sums
    answered = sums["calls"] - sums["unanswered"]
    return [
        _Group("self", own, sums["self_ns"], sums["calls"]),
        _Group("gap", gap, sums["self_ns"] - sums["unanswered_ns"], answered),
        _Group("virtual", virtual, sums["duration_ns"], sums["calls"]),
    ]


def labels(tree: CallTree) -> tuple[list[Label | None], list[Label | None], list[Label | None]]:
    """Return what each path is: own time, a call to a service, or to one that records nothing."""
    service, operation = tree.rows("service"), tree.rows("operation")
    step, upstream = tree.rows("step"), tree.rows("upstream")
    own: list[Label | None] = []
    gap: list[Label | None] = []
    virtual: list[Label | None] = []
    for row in range(tree.parent.size):
        is_entry, reached = step[row] == "entry", int(tree.reached[row])
        own.append(("", service[row], operation[row]) if is_entry else None)
        called = (service[reached], operation[reached]) if reached >= 0 else ("", "")
        gap.append((service[row], *called) if not is_entry and reached >= 0 else None)
        virtual.append(
            (service[row], upstream[row], operation[row]) if not is_entry and reached < 0 else None
        )
    return own, gap, virtual


def _measured(group: _Group, varied: _Group, often: NDArray[np.float64]) -> pl.DataFrame:
    """Return the change and visible effect of the components of one kind, and `mean_rise` of them.

    Args:
        group: Replicates leave out hash buckets of traces.
        varied: The same; replicates leave out cells of time.
        often: What a call of each path counts for users.
    """
    index, named = indexed(group.labels)
    calls, amount = (added(part, index, len(named)) for part in (group.calls, group.amount))
    usual, excess = _effects(group, often, index, len(named))
    _, by_cell = _effects(varied, often[:1], index, len(named))
    rows = component_rows(group.kind, named, calls[0], per(amount, calls)[0], excess)
    return pl.concat([rows, mean_rise(usual[0], excess, by_cell)], how="horizontal")


def _effects(
    group: _Group, often: NDArray[np.float64], index: NDArray[np.int64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each component cost the mean request before, and by how much that rose.

    Path by path: another mix of paths is no slower component. A path seen in one window only has
    nothing to compare with.
    """
    each = per(group.amount, group.calls)
    known = often * (group.calls.min(axis=1) > 0)
    usual, rise = each[:, 0] * known, (each[:, 1] - each[:, 0]) * known
    return added(usual, index, size), added(rise, index, size)


def _retried(tree: CallTree, durations: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return the components with gaps in which calls were made again as kind ``retries``.

    One client span with several entries below: its library tried again after a failure, and the
    pauses are in the gap.
    """
    _, gap, _ = labels(tree)
    index, named = indexed(gap)
    entry = np.array([step == "entry" for step in tree.rows("step")], dtype=np.bool_)
    above = np.where(entry & (tree.parent >= 0), index[tree.parent], -1)
    sums, size = tree.sums, len(named)
    answered = added(sums["calls"] - sums["unanswered"], index, size)[0]
    attempts, failed = (
        per(added(sums[name], above, size)[0], answered) for name in ("calls", "errors")
    )
    more = attempts[1] - attempts[0]
    again = (more >= limits.steady_share) & (failed[1] - failed[0] >= EXPLAINED * more)
    rows = pl.DataFrame(
        [named[place] for place in np.flatnonzero(again).tolist()],
        schema=dict.fromkeys(KEY[1:], pl.String()),
        orient="row",
    )
    known = rows.with_columns(kind=pl.lit("gap"), again=pl.lit(value=True))
    kind = pl.when(pl.col("again").fill_null(value=False)).then(pl.lit("hidden retries"))
    return (
        durations.join(known, on=KEY, how="left")
        .with_columns(kind=kind.otherwise("kind"))
        .drop("again")
    )


def _unanswered(
    tree: CallTree,
    often: NDArray[np.float64],
    path_facts: pl.DataFrame,
    incident: Window,
    baseline: Window,
) -> pl.DataFrame:
    """Return the components of kind ``unanswered``, with their evidence.

    What counts is how much longer downstream waited than for a call as it was before: where spans
    are merely lost, that is nothing.
    """
    _, gap, _ = labels(tree)
    index, named = indexed(gap)
    sums = tree.sums
    share = per(sums["unanswered"], sums["calls"])
    waited, usual = (
        per(sums["unanswered_ns"], sums["unanswered"]),
        per(sums["duration_ns"], sums["calls"]),
    )
    longer = np.maximum(waited[:, 1] - usual[:, 0], 0.0) * (share[:, 1] - share[:, 0])
    slower = (waited[:, 1] - waited[:, 0]) * share[:, 0]
    rise = (longer + slower) * (sums["calls"].min(axis=1) > 0)
    excess = added(rise * often, index, len(named))
    calls, count = (added(sums[name], index, len(named)) for name in ("calls", "unanswered"))
    rows = component_rows("unanswered", named, calls[0], per(count, calls)[0], excess)
    of_path = pl.DataFrame({"path_id": tree.paths["path_id"], "unit": pl.Series(index)})
    cells = (
        sided(path_facts, incident, baseline)
        .join(of_path.filter(pl.col("unit") >= 0), on="path_id")
        .group_by("unit", "during", "window_start_ns")
        .agg(events=pl.col("unanswered").sum(), trials=pl.col("calls").sum())
    )
    evidence = pl.DataFrame({"unit": range(rows.height)}, schema={"unit": pl.Int64}).join(
        rate_rise(cells), on="unit", how="left", maintain_order="left"
    )
    return pl.concat([rows, evidence.select("ratio_low", "z")], how="horizontal")


def _traces(tree: CallTree, facts: pl.DataFrame) -> pl.DataFrame:
    """Return about how many traces the calls of each component are from: `KEY`, during, traces.

    Counted by the cells of time and hash buckets they fall into: D of M places are hit by
    ``-M * ln(1 - D / M)`` traces (one place is hit by several when there are many).
    """
    places = facts.group_by("during").agg(
        most=pl.col("window_start_ns").n_unique().cast(pl.Float64) * JACKKNIFE_BUCKETS
    )
    parts = []
    for kind, named in zip(("self", "gap", "virtual"), labels(tree), strict=True):
        rows = [label or ("", "", "") for label in named]
        texts = dict.fromkeys(KEY[1:], pl.String())
        of_path = pl.DataFrame(rows, schema=texts, orient="row").with_columns(
            tree.paths["path_id"], kind=pl.lit(kind)
        )
        parts.append(of_path.filter(pl.col("upstream") != ""))
    hit = (
        facts.filter(pl.col("calls") > 0)
        .join(pl.concat(parts), on="path_id")
        .group_by(*KEY, "during")
        .agg(hit=pl.struct("window_start_ns", "hash_bucket").n_unique())
        .join(places, on="during")
    )
    share = (pl.col("hit") / pl.col("most")).clip(upper_bound=1 - 1e-9)
    return hit.select(*KEY, "during", traces=pl.col("most") * -(1 - share).log())


def _evidence(
    latency_facts: pl.DataFrame, incident: Window, baseline: Window, traces: pl.DataFrame
) -> pl.DataFrame:
    """Return how sure the slowdown of each duration component is; see `slowdown`."""
    kind = {"self": ["self"], "gap": ["gap"], "client": ["virtual"]}
    units = pl.DataFrame(
        [(unit, name) for unit, names in kind.items() for name in names],
        schema=["unit", "kind"],
        orient="row",
    )
    rows = (
        sided(latency_facts, incident, baseline)
        .join(units, on="unit")
        .select(
            "kind",
            pl.when(pl.col("kind") == "self")
            .then(pl.lit(""))
            .otherwise("downstream")
            .alias("downstream"),
            pl.col("service").alias("upstream"),
            "operation",
            "window_start_ns",
            "bucket",
            "count",
            "during",
        )
    )
    return slowdown(rows, KEY, "during", "window_start_ns", traces)
