"""Finding ``propagation``: what a slower upstream offered, and what of it arrived downstream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_edges import CallEdges, call_edges
from tracemap.analyze.call_tree import CallTree, call_tree, per
from tracemap.analyze.statistics import jackknife
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.variation import beyond_variation, cells_seen
from tracemap.model import PROPAGATION, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

NS_PER_MS = 1e6
_SPIKED = ("propagated", "amplified", "absorbed")
_FEW = "too few calls"


def propagation(
    path_facts: pl.DataFrame,
    paths: pl.DataFrame,
    incident: Window,
    baseline: Window,
    thresholds: Thresholds | None = None,
    *,
    parallel_facts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return for each pair of operations how much of an upstream's slowdown reached the caller.

    Offered is the rise of time spent in the calls per downstream request, arrived the rise of
    downstream's latency through them (both from integer sums; docs/methods.md). Verdicts:

    - ``too few calls``: fewer than `Thresholds.min_call_count` on either side.
    - ``no spike``: the offered time rose by less than `Thresholds.spike_ratio` or
      `Thresholds.arrived_rise_ms`, or its 95 % interval holds zero; or neither the time per call
      rose by that factor, path by path, nor the calls of requests that make any: then another mix
      of requests explains it.
    - ``propagated``: at least `Thresholds.propagated_ratio` of it arrived, and it is large enough
      and certain enough to be told from nothing; ``amplified`` from `Thresholds.amplified_ratio`.
    - ``absorbed``: less arrived. The mechanism is what took the most: ``async`` (calls that do not
      block), ``timeout`` (upstream went on after the caller left), else ``parallel slack``
      (something slower ran beside it).

    Calls within one service are not judged. Intervals are jackknife over hash buckets of traces.

    Args:
        path_facts: As `model.PATH_FACTS`, of both windows.
        paths: As `model.PATHS`.
        incident: The window to explain.
        baseline: The window to compare with.
        thresholds: Limits; the defaults when None.
        parallel_facts: As for `flow`.

    Returns:
        As `model.PROPAGATION`, largest offered first.
    """
    tree = call_tree(path_facts, paths, incident, baseline, parallel_facts)
    by_cell = call_tree(path_facts, paths, incident, baseline, by_cell=True)
    cells = cells_seen(path_facts, incident, baseline)
    return propagation_of(tree, by_cell, cells, thresholds or Thresholds())


def propagation_of(
    tree: CallTree, by_cell: CallTree, cells: int, limits: Thresholds
) -> pl.DataFrame:
    """Return `propagation` from call paths as arrays.

    Args:
        tree: Replicates leave out hash buckets of traces.
        by_cell: The same paths; replicates leave out cells of time.
        cells: Cells of time in the window that has fewer.
        limits: Thresholds.
    """
    edges = call_edges(tree)
    if not edges.pairs:
        return PROPAGATION.empty()
    absorbs = pl.col("verdict").is_in(["absorbed", "propagated"]) & (
        pl.col("absorbed_ns") > limits.arrived_rise_ms * NS_PER_MS
    )
    spiked = pl.col("verdict").is_in(_SPIKED)
    rows = _rows(edges, call_edges(by_cell).offered(), cells, limits)
    rows = rows.filter(pl.col("downstream") != pl.col("upstream")).with_columns(
        mechanism=pl.when(absorbs).then("mechanism"),
        ratio=pl.when(spiked & pl.col("ratio").is_not_nan()).then("ratio"),
    )
    key = list(PROPAGATION.key)
    return PROPAGATION.conform(rows).sort(
        [pl.col("offered_ns"), *key], descending=[True, *[False] * len(key)]
    )


def _rows(
    edges: CallEdges, varied: NDArray[np.float64], cells: int, limits: Thresholds
) -> pl.DataFrame:
    """Return a row per pair; ratio and mechanism are given even where they mean nothing.

    Args:
        edges: Replicates leave out hash buckets of traces.
        varied: What the pairs offered; replicates leave out cells of time.
        cells: Cells of time in the window that has fewer.
        limits: Thresholds.
    """
    offered, arrived = edges.offered(), edges.arrived()
    halves = tuple(jackknife(moved[1:], moved[0]) for moved in (offered, arrived))
    calls, requests = edges.sums["calls"][0], edges.requests[0][1][edges.caller]
    return pl.DataFrame(
        {
            **edges.names(),
            "offered_ns": np.rint(offered[0]),
            "arrived_ns": np.rint(arrived[0]),
            "arrived_low_ns": np.rint(arrived[0] - halves[1]),
            "arrived_high_ns": np.rint(arrived[0] + halves[1]),
            "ratio": np.where(offered[0] > 0, per(arrived[0], np.maximum(offered[0], 0)), np.nan),
            "verdict": _varying(
                _verdicts(edges, (offered[0], arrived[0]), halves, limits),
                (offered, varied),
                cells,
                limits,
            ),
            "absorbed_ns": np.rint(np.maximum(0, offered[0] - np.maximum(0, arrived[0]))),
            "mechanism": _mechanisms(edges, offered[0] - arrived[0]),
            "calls": calls[1],
            "baseline_calls": calls[0],
            "downstream_requests": requests,
        }
    )


def _verdicts(
    edges: CallEdges,
    moved: tuple[NDArray[np.float64], NDArray[np.float64]],
    halves: tuple[NDArray[np.float64], ...],
    limits: Thresholds,
) -> NDArray[np.str_]:
    """Return the verdict of each pair from what was offered and arrived, with half-widths."""
    (offered, arrived), (offered_half, arrived_half) = moved, halves
    least_ns = limits.arrived_rise_ms * NS_PER_MS
    calls = edges.sums["calls"][0]
    before, during = (edges.mean("duration_ns", side)[0] for side in (0, 1))
    latency = per(edges.durations[0], edges.requests[0])
    change = np.abs(latency[1] - latency[0])[edges.caller]
    spiked = (
        (offered >= least_ns) & (offered > offered_half) & (during >= limits.spike_ratio * before)
    )
    often = per(edges.sums["calls"][0], edges.sums["callers"][0], otherwise=1.0)
    slower = edges.slowdown >= limits.spike_ratio
    spiked &= slower | (often[1] >= limits.spike_ratio * often[0]) | (before == 0)
    ratio = per(arrived, np.maximum(offered, 0))
    large = (arrived >= np.maximum(least_ns, limits.arrived_share * change)) & (
        arrived > arrived_half
    )
    few = (calls.min(axis=0) < limits.min_call_count) & (before > 0)
    few |= (calls[1] < limits.min_call_count) | (
        edges.requests[0].min(axis=0)[edges.caller] < limits.min_call_count
    )
    uncertain = spiked & (ratio >= limits.propagated_ratio) & ~large
    return np.select(
        [
            few,
            ~spiked,
            uncertain,
            ratio < limits.propagated_ratio,
            ratio >= limits.amplified_ratio,
        ],
        [_FEW, "no spike", "within variation", "absorbed", "amplified"],
        "propagated",
    )


def _varying(
    verdicts: NDArray[np.str_],
    offered: tuple[NDArray[np.float64], NDArray[np.float64]],
    cells: int,
    limits: Thresholds,
) -> NDArray[np.str_]:
    """Return the verdicts, `within variation` for spikes that ordinary variation explains."""
    spiked = np.isin(verdicts, _SPIKED)
    tested = verdicts != _FEW
    beyond = beyond_variation(offered, cells, tested, limits.spike_false_discovery_rate)
    return np.where(spiked & ~beyond, "within variation", verdicts)


def _mechanisms(edges: CallEdges, absorbed: NDArray[np.float64]) -> list[str]:
    """Return for each pair the mechanism that absorbed the most."""
    unblocking = np.maximum(0, edges.change("async_ns")[0])
    abandoned = np.maximum(0, edges.change("abandoned_ns")[0])
    slack = np.maximum(0, absorbed - unblocking - abandoned)
    names = ("parallel slack", "async", "timeout")
    largest = np.argmax(np.stack([slack, unblocking, abandoned]), axis=0)
    return [names[index] for index in largest.tolist()]
