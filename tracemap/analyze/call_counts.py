"""Components of calls: more of them, made by more requests, or made again after a failure.

- ``calls``: an operation makes more calls where it makes any (N+1);
- ``share``: a larger share of requests makes the call (a cold cache, a changed flag);
- ``retries``: more calls per request, and as many more calls failed: the caller tried again;
- ``fallback``: a larger share of requests makes the call, as many as saw another upstream fail;
- ``cut short``: the call is made less often, because requests failed before they came to it.

The first two count for the caller, the others for the upstream that failed. ``cut short`` is time
that failures save: its effect is negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_edges import CallEdges
from tracemap.analyze.call_tree import CallTree, added, per
from tracemap.analyze.component_rows import COMPONENTS, component_rows
from tracemap.analyze.other_sorts import in_bursts, shifted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds

EXPLAINED = 0.5
"""Failures explain more calls when they make up at least half of them."""

MOST_MIXED = 5
"""Another mix of requests makes further calls at most this many times as frequent."""


@dataclass(frozen=True)
class _Change:
    """Calls per pair of operations, shaped (replicate, pair) or (pair,).

    Attributes:
        often: Calls per request that makes any: before and now.
        share: Share of requests that make any: before and now.
        arrived: Change of the caller's mean through these calls.
        seen: What one ns more of the caller's mean adds to the mean root request.
    """

    often: tuple[NDArray[np.float64], NDArray[np.float64]]
    share: tuple[NDArray[np.float64], NDArray[np.float64]]
    arrived: NDArray[np.float64]
    seen: NDArray[np.float64]


def call_counts(
    tree: CallTree,
    edges: CallEdges,
    effect: tuple[NDArray[np.float64], NDArray[np.float64]],
    by_cell: CallTree,
    limits: Thresholds,
) -> pl.DataFrame:
    """Return the components of calls: ``calls``, ``share``, ``retries``, and so on.

    Calls are counted per request that makes at least one, so that a changed mix of requests does
    not count. A larger share of requests that make a call may also be a changed mix. The other
    calls that serve the same requests tell: a cache hides one call, the sort of a request decides
    several (`other_sorts`). At root operations it is always taken for a changed mix: users decide
    what they ask for.

    Args:
        tree: Call paths of both windows.
        edges: Its pairs of operations.
        effect: What each path's time counts for users (its visible share; where it is called more
            often than before, that with the mean of both counts), and root requests served.
        by_cell: The same paths, with at least ``calls`` and ``callers``; its replicates leave out
            cells of time.
        limits: Thresholds.

    Returns:
        Columns as `COMPONENTS`.
    """
    change = _change(tree, edges, effect, limits)
    failing = _failing(edges)
    mixed = shifted(tree, edges, limits)
    often = _more_calls(edges, change, failing, mixed, limits)
    steady = ~mixed & ~in_bursts(edges, by_cell, limits)
    share = _more_callers(tree, edges, change, failing, steady=steady, limits=limits)
    # Where more requests make the call for sure, that those make it more often is of one piece.
    same = (share["kind"] == "share") & (share["weight"] > 0) & (often["kind"] == "calls")
    certain = same & (often["excess"] > often["half"])
    weight = pl.when(certain).then(share["weight"]).otherwise("weight")
    return pl.concat(
        [
            often.with_columns(weight.alias("weight")),
            share,
            _cut_short(edges, change, limits),
        ]
    )


def _change(
    tree: CallTree,
    edges: CallEdges,
    effect: tuple[NDArray[np.float64], NDArray[np.float64]],
    limits: Thresholds,
) -> _Change:
    visible, served = effect
    calls, callers = edges.sums["calls"], edges.sums["callers"]
    requests = edges.requests[:, :, edges.caller]
    often = per(calls, callers, otherwise=1.0)
    # A call that no request of the baseline made is new where a fair share of requests makes it.
    is_new = (callers[:, 0] == 0) & (callers[:, 1] >= limits.propagated_ratio * requests[:, 1])
    before = np.where(is_new, 0.0, often[:, 0])
    share = per(callers, requests).clip(0.0, 1.0)
    above = np.where(tree.parent >= 0, visible[:, tree.parent], 1.0)
    seen = added(above * tree.sums["calls"].sum(axis=1), edges.of_path, len(edges.pairs))
    through = per(seen, calls.sum(axis=1), otherwise=1.0)
    return _Change(
        (before, often[:, 1]),
        (share[:, 0], share[:, 1]),
        edges.arrived(),
        through * per(requests, np.broadcast_to(served, requests.shape))[:, 1],
    )


def _more_calls(
    edges: CallEdges,
    change: _Change,
    failing: NDArray[np.float64],
    mixed: NDArray[np.bool_],
    limits: Thresholds,
) -> pl.DataFrame:
    """Return kinds ``calls`` and ``retries``."""
    before, now = change.often
    excess = change.arrived * change.seen * _counted(edges, before, now)
    usual = np.maximum(before[0], 0.5)
    enough = edges.requests[0].min(axis=0)[edges.caller] >= limits.min_call_count
    moved = (now[0] >= limits.component_ratio * usual) & enough
    again = failing >= EXPLAINED * (now[0] - before[0])
    kinds = np.where(again, "retries", "calls")
    # Nobody makes less than one call: another mix of requests that make one each still makes one.
    beyond = (before[0] >= 1) & (now[0] - 1 > MOST_MIXED * (before[0] - 1))
    moved &= again | beyond | ~mixed
    return _frame(edges, kinds, (before[0], now[0]), excess, moved=moved, least=0.5)


def _more_callers(
    tree: CallTree,
    edges: CallEdges,
    change: _Change,
    failing: NDArray[np.float64],
    *,
    steady: NDArray[np.bool_],
    limits: Thresholds,
) -> pl.DataFrame:
    """Return kinds ``share`` and ``fallback``; `steady`: which pairs only a cache explains."""
    before, now = change.share
    excess = change.arrived * change.seen * _counted(edges, before, now)
    enough = edges.requests[0].min(axis=0)[edges.caller] >= limits.min_call_count
    error = _share_error(edges)
    risen = now[0] - before[0] > limits.steady_share + 2 * error
    risen &= (now[0] >= limits.component_ratio * before[0]) & enough & (before[0] > 0)
    roots = {
        (tree.rows("service")[row], tree.rows("operation")[row]) for row in tree.roots.tolist()
    }
    at_root = np.array([edges.entries[pair[0]] in roots for pair in edges.pairs], dtype=np.bool_)
    culprit = _failing_sibling(edges, failing, now[0] - before[0])
    is_fallback = np.array([bool(name) for name in culprit], dtype=np.bool_)
    moved = risen & (is_fallback | (~at_root & steady))
    kinds = np.where(is_fallback, "fallback", "share")
    rows = _frame(edges, kinds, (before[0], now[0]), excess, moved=moved, least=0.01)
    blamed = pl.Series("upstream", culprit)
    return rows.with_columns(
        upstream=pl.when(pl.col("kind") == "fallback").then(blamed).otherwise("upstream")
    )


def _cut_short(edges: CallEdges, change: _Change, limits: Thresholds) -> pl.DataFrame:
    """Return kind ``cut short``: calls not made because requests failed before them."""
    requests = edges.requests[:, :, edges.caller]
    often = per(edges.sums["calls"], requests)
    usual = per(edges.sums["on_parent_ns"][:, 0], edges.sums["calls"][:, 0])
    excess = np.minimum(often[:, 1] - often[:, 0], 0.0) * usual * change.seen
    fell = 1 - per(often[0, 1], often[0, 0], otherwise=1.0)
    failed = _failing_more(edges)
    moved = (fell > 0) & (failed >= limits.error_rise) & (failed >= EXPLAINED * fell)
    kinds = np.full(len(edges.pairs), "cut short")
    rows = _frame(edges, kinds, (often[0, 0], often[0, 1]), excess, moved=moved, least=0.01)
    certain = moved & (-excess[0] > rows["half"].to_numpy())
    return rows.with_columns(weight=pl.Series(certain.astype(float)))


def _failing_more(edges: CallEdges) -> NDArray[np.float64]:
    """Return the rise of the share of its caller's requests that fail, per pair; at least 0."""
    share = per(edges.failed[0], edges.requests[0])
    return np.asarray(np.maximum(share[1] - share[0], 0.0)[edges.caller])


def _failing(edges: CallEdges) -> NDArray[np.float64]:
    """Return the rise of failed calls per request that makes any, per pair."""
    errors, callers = edges.sums["errors"][0], edges.sums["callers"][0]
    ratio = per(errors, callers)
    return np.asarray(ratio[1] - ratio[0])


def _failing_sibling(
    edges: CallEdges, failing: NDArray[np.float64], more: NDArray[np.float64]
) -> list[str]:
    """Return for each pair the upstream whose failures explain that it is called more; '': none."""
    share = per(edges.sums["callers"][0], edges.requests[0][:, edges.caller])[1]
    hits = failing * share
    found = []
    for place, (caller, upstream, _) in enumerate(edges.pairs):
        others = [
            (hits[other], edges.pairs[other][1])
            for other in np.flatnonzero(edges.caller == caller).tolist()
            if other != place and edges.pairs[other][1] != upstream
        ]
        most, name = max(others, default=(0.0, ""))
        found.append(name if most >= EXPLAINED * more[place] and most > 0 else "")
    return found


def _counted(
    edges: CallEdges, before: NDArray[np.float64], now: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of each pair's change that a count makes that rose (Kitagawa).

    The rest is left to what else changed: calls that got slower, or the other count.
    """
    requests = edges.requests[:, :, edges.caller]
    whole = per(edges.sums["duration_ns"], requests)
    factor = np.stack([before, now], axis=1)
    each = per(whole, factor)
    each = np.where(factor > 0, each, each[:, ::-1])
    count = (now - before) * each.mean(axis=1)
    rest = (each[:, 1] - each[:, 0]) * (now + before) / 2
    return per(np.maximum(count, 0), np.maximum(count, 0) + np.maximum(rest, 0))


def _share_error(edges: CallEdges) -> NDArray[np.float64]:
    """Return the standard error of the change of the share of requests that make each call."""
    requests = edges.requests[0][:, edges.caller]
    share = per(edges.sums["callers"][0], requests).clip(0.0, 1.0)
    return np.asarray(np.sqrt(per(share * (1 - share), requests).sum(axis=0)))


def _frame(
    edges: CallEdges,
    kinds: NDArray[np.str_],
    counts: tuple[NDArray[np.float64], NDArray[np.float64]],
    excess: NDArray[np.float64],
    *,
    moved: NDArray[np.bool_],
    least: float,
) -> pl.DataFrame:
    """Return components as rows, those that did not move without weight.

    What was less than `least` before counts as that, so that a ratio means something.
    """
    labels = [(edges.entries[pair[0]][0], pair[1], pair[2]) for pair in edges.pairs]
    rows = component_rows(kinds.tolist(), labels, edges.sums["calls"][0], np.stack(counts), excess)
    half = rows["half"].to_numpy()
    certain = moved & (excess[0] > half)
    before, now = counts
    ratio = np.where(certain, now / np.maximum(before, least), 0.0)
    return rows.with_columns(
        ratio_low=pl.Series(ratio),
        z=pl.Series(per(excess[0] * 1.96, half)),
        weight=pl.Series(certain.astype(float)),
    ).select(COMPONENTS.names())
