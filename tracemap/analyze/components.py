"""What moved between two windows: own times, gaps and call counts, with their visible effect.

A component is the smallest thing a trace tells apart:

- ``self``: the own time of an operation of a service;
- ``gap``: client minus server of the calls between two services (network, queue, pool, TLS), or
  all of a call to an upstream that records no spans (``virtual``);
- ``calls``: how many calls an operation makes where it makes any.

Its visible effect is what its rise adds to the mean latency of all root requests: rise per call,
times calls per request, times the share of it that the steps above let through.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.calledges import CallEdges, call_edges
from tracemap.analyze.calltree import CallTree, added, per
from tracemap.analyze.statistics import jackknife, slowdown
from tracemap.analyze.visibility import visible_shares
from tracemap.analyze.windows import sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds
    from tracemap.model import Window

KEY = ["kind", "downstream", "upstream", "operation"]

COMPONENTS = pl.Schema(
    {
        "kind": pl.String(),  # self, gap, virtual or calls
        "downstream": pl.String(),  # who waits; '' for self
        "upstream": pl.String(),  # whose own time; the called one for gap, virtual and calls
        "operation": pl.String(),  # the operation, the one called
        "baseline_calls": pl.Int64(),
        "calls": pl.Int64(),
        "baseline_mean_ns": pl.Float64(),  # per call; for calls: calls per caller
        "mean_ns": pl.Float64(),
        "excess_ns": pl.Float64(),  # visible effect per root request
        "half_ns": pl.Float64(),  # half-width of its 95 % interval
        "ratio_low": pl.Float64(),  # the typical call got slower by at least this factor
        "z": pl.Float64(),  # log of that factor over its standard error
        "weight": pl.Float64(),  # 0: has not moved, 1: has moved
    }
)


@dataclass(frozen=True)
class _Group:
    """Paths that make up components of one kind: a label per path, None where it is none."""

    kind: str
    labels: list[tuple[str, str, str] | None]
    measure: str


def components(
    tree: CallTree,
    requests: NDArray[np.int64],
    latency_facts: pl.DataFrame,
    incident: Window,
    baseline: Window,
    *,
    limits: Thresholds,
) -> pl.DataFrame:
    """Return every component of the two windows with its change, effect and evidence.

    Args:
        tree: Call paths of both windows.
        requests: Rows of the root entries that somebody waits for: effects are per such request.
        latency_facts: As `model.LATENCY_FACTS`, both windows cut into cells of time.
        incident: The window to explain.
        baseline: The window to compare with.
        limits: Thresholds.

    Returns:
        Columns as `COMPONENTS`, sorted by `KEY`.
    """
    edges = call_edges(tree)
    visible = visible_shares(tree, edges, requests, limits)
    served = tree.sums["calls"][:, :, requests].sum(axis=2, keepdims=True)
    parts = [_measured(tree, group, visible, served) for group in _groups(tree)]
    evidence = _evidence(latency_facts, incident, baseline)
    durations = pl.concat(parts).join(evidence, on=KEY, how="left")
    sure = pl.col("ratio_low").log() / math.log(limits.component_ratio)
    durations = durations.with_columns(
        pl.col("z").fill_null(0.0),
        pl.col("ratio_low").fill_null(0.0),
        weight=sure.fill_null(0.0).clip(0.0, 1.0),
    )
    counted = _call_counts(tree, edges, (visible, served), limits)
    return pl.concat(
        [durations.select(COMPONENTS.names()), counted.select(COMPONENTS.names())]
    ).sort(KEY)


def _groups(tree: CallTree) -> list[_Group]:
    """Return which paths make up which components."""
    service, operation = tree.rows("service"), tree.rows("operation")
    step, upstream = tree.rows("step"), tree.rows("upstream")
    own: list[tuple[str, str, str] | None] = []
    gap: list[tuple[str, str, str] | None] = []
    virtual: list[tuple[str, str, str] | None] = []
    for row in range(tree.parent.size):
        is_entry, reached = step[row] == "entry", int(tree.reached[row])
        own.append(("", service[row], operation[row]) if is_entry else None)
        called = (service[reached], operation[reached]) if reached >= 0 else ("", "")
        gap.append((service[row], *called) if not is_entry and reached >= 0 else None)
        virtual.append(
            (service[row], upstream[row], operation[row]) if not is_entry and reached < 0 else None
        )
    return [
        _Group("self", own, "self_ns"),
        _Group("gap", gap, "self_ns"),
        _Group("virtual", virtual, "duration_ns"),
    ]


def _measured(
    tree: CallTree, group: _Group, visible: NDArray[np.float64], served: NDArray[np.float64]
) -> pl.DataFrame:
    """Return the change and visible effect of the components of one kind."""
    index, labels = _indexed(group.labels)
    size = len(labels)
    calls, amount = (added(tree.sums[name], index, size) for name in ("calls", group.measure))
    mean = per(amount, calls)
    often = per(tree.sums["calls"], np.broadcast_to(served, tree.sums["calls"].shape))
    # Path by path: another mix of paths is no slower component. A path seen in one window only
    # has nothing to compare with.
    each = per(tree.sums[group.measure], tree.sums["calls"])
    rise = (each[:, 1] - each[:, 0]) * (tree.sums["calls"].min(axis=1) > 0)
    excess = added(rise * often.mean(axis=1) * visible, index, size)
    return _frame(group.kind, labels, calls[0], mean[0], excess)


def _call_counts(
    tree: CallTree,
    edges: CallEdges,
    effect: tuple[NDArray[np.float64], NDArray[np.float64]],
    limits: Thresholds,
) -> pl.DataFrame:
    """Return the components of kind ``calls``: calls per request that makes any.

    Counting only requests that make the call keeps a changed mix of requests out of it. A call
    that no request of the baseline made counts as new where a fair share of requests makes it.
    """
    visible, served = effect
    calls, callers = edges.sums["calls"], edges.sums["callers"]
    requests = edges.requests[:, :, edges.caller]
    often = per(calls, callers, otherwise=1.0)
    is_new = (callers[:, 0] == 0) & (callers[:, 1] >= limits.propagated_ratio * requests[:, 1])
    before = np.where(is_new, 0.0, often[:, 0])
    counted = edges.arrived() * _count_share(often, before, edges.sums["duration_ns"], calls)
    above = np.where(tree.parent >= 0, visible[:, tree.parent], 1.0)
    seen = added(above * tree.sums["calls"].sum(axis=1), edges.of_path, len(edges.pairs))
    share = per(seen, calls.sum(axis=1), otherwise=1.0)
    excess = counted * per(requests, np.broadcast_to(served, requests.shape)).mean(axis=1) * share
    labels = [(edges.entries[pair[0]][0], pair[1], pair[2]) for pair in edges.pairs]
    frame = _frame("calls", labels, calls[0], np.stack([before[0], often[0, 1]]), excess)
    enough = edges.requests[0].min(axis=0)[edges.caller] >= limits.min_call_count
    moved = (often[0, 1] >= limits.component_ratio * np.maximum(before[0], 0.5)) & enough
    moved &= _steady(edges, limits)
    z = per(excess[0] * 1.96, frame["half_ns"].to_numpy())
    certain = moved & (excess[0] > frame["half_ns"].to_numpy())
    sure = pl.Series(np.where(certain, per(often[0, 1], np.maximum(before[0], 0.5)), 0.0))
    return frame.with_columns(
        ratio_low=sure, z=pl.Series(z), weight=pl.Series(certain.astype(float))
    )


def _count_share(
    often: NDArray[np.float64],
    before: NDArray[np.float64],
    duration: NDArray[np.float64],
    calls: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the share of each pair's change that more calls make, not slower ones (Kitagawa)."""
    each = per(duration, calls)
    each = np.where(calls > 0, each, each[:, ::-1])
    count = (often[:, 1] - before) * each.mean(axis=1)
    speed = (each[:, 1] - each[:, 0]) * (often[:, 1] + before) / 2
    return per(np.maximum(count, 0), np.maximum(count, 0) + np.maximum(speed, 0))


def _steady(edges: CallEdges, limits: Thresholds) -> NDArray[np.bool_]:
    """Return for each pair whether the other calls of its caller show the same mix of requests.

    The mix has changed when some other call is made by a share of requests that moved by more
    than `Thresholds.steady_share` and twice its standard error.
    """
    requests = edges.requests[0][:, edges.caller]
    share = per(edges.sums["callers"][0], requests).clip(0.0, 1.0)
    error = np.sqrt(per(share * (1 - share), requests).sum(axis=0))
    shifted = np.abs(share[1] - share[0]) > limits.steady_share + 2 * error
    count = np.bincount(edges.caller, weights=shifted, minlength=len(edges.entries))
    return np.asarray(count[edges.caller] - shifted < 1)


def _frame(
    kind: str,
    labels: list[tuple[str, str, str]],
    calls: NDArray[np.float64],
    mean: NDArray[np.float64],
    excess: NDArray[np.float64],
) -> pl.DataFrame:
    """Return components as rows; `excess` per replicate gives the interval."""
    return pl.DataFrame(
        {
            "kind": [kind] * len(labels),
            "downstream": [label[0] for label in labels],
            "upstream": [label[1] for label in labels],
            "operation": [label[2] for label in labels],
            "baseline_calls": calls[0],
            "calls": calls[1],
            "baseline_mean_ns": mean[0],
            "mean_ns": mean[1],
            "excess_ns": excess[0],
            "half_ns": jackknife(excess[1:], excess[0]),
        },
        schema={name: COMPONENTS[name] for name in COMPONENTS.names()[:10]},
        strict=False,
    )


def _indexed(
    labels: list[tuple[str, str, str] | None],
) -> tuple[NDArray[np.int64], list[tuple[str, str, str]]]:
    """Return for each path the number of its label (-1: none), and the labels in order."""
    known: dict[tuple[str, str, str], int] = {}
    index = np.array(
        [-1 if label is None else known.setdefault(label, len(known)) for label in labels],
        dtype=np.int64,
    )
    return index, list(known)


def _evidence(latency_facts: pl.DataFrame, incident: Window, baseline: Window) -> pl.DataFrame:
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
    return slowdown(rows, KEY, "during", "window_start_ns")
