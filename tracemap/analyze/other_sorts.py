"""Which changed call counts other sorts of requests explain as well.

A cache, a flag or a loop changes one call of an operation. Another sort of requests (a search that
finds nothing, a user who is logged in) changes several at once: of the operation itself, of those
that it calls for the same request, and of those that called it. And
requests of one sort come in bursts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracemap.analyze.call_tree import added, per
from tracemap.analyze.component_rows import indexed
from tracemap.analyze.statistics import rate_difference
from tracemap.analyze.variation import beyond_variation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.call_edges import CallEdges
    from tracemap.analyze.call_tree import CallTree
    from tracemap.analyze.thresholds import Thresholds


def shifted(tree: CallTree, edges: CallEdges, limits: Thresholds) -> NDArray[np.bool_]:
    """Return for each pair of operations whether another call shows another sort of requests.

    It does when the share of requests that make it changed by more than `Thresholds.steady_share`
    and the rise of the share that fails (those end early), with 95 % confidence. Looked at are, of
    each call path of the pair, the other calls of the same operation and what lies below them, and
    the other calls of the operations above, without those of roots: of users' requests any mix may
    change.

    Args:
        tree: Call paths of both windows.
        edges: Its pairs of operations.
        limits: Thresholds.
    """
    moved = _moved(tree, limits)
    below = _added_below(tree, moved)
    beside = _beside(tree, moved)
    found = np.zeros(len(edges.pairs), dtype=np.bool_)
    for row in np.flatnonzero(edges.of_path >= 0).tolist():
        entry = int(tree.parent[row])
        others = below[entry] - below[row] + beside[entry]
        found[edges.of_path[row]] |= others > 0
    return found


def in_bursts(edges: CallEdges, by_cell: CallTree, limits: Thresholds) -> NDArray[np.bool_]:
    """Return for each pair whether the change of the share that makes the call may be bursts.

    Requests of one sort come in bursts (a script, a user who searches). A share that a few cells of
    time made larger has not changed (`variation`).

    Args:
        edges: The pairs of operations; replicates leave out hash buckets of traces.
        by_cell: The same paths, with at least ``calls`` and ``callers``; its replicates leave out
            cells of time.
        limits: Thresholds.
    """
    names = zip(*(by_cell.rows(name) for name in ("step", "service", "operation")), strict=True)
    of_entry, entries = indexed([each if each[0] == "entry" else None for each in names])
    places = {label[1:]: place for place, label in enumerate(entries)}
    caller = np.array([places[edges.entries[pair[0]]] for pair in edges.pairs], dtype=np.int64)
    asked = added(by_cell.sums["calls"], of_entry, len(entries))[:, :, caller]
    varied = per(added(by_cell.sums["callers"], edges.of_path, len(edges.pairs)), asked)
    often = per(edges.sums["callers"], edges.requests[:, :, edges.caller])
    rises = (often[:, 1] - often[:, 0], varied[:, 1] - varied[:, 0])
    enough = edges.requests[0].min(axis=0)[edges.caller] >= limits.min_call_count
    cells = varied.shape[0] - 1
    return ~beyond_variation(rises, cells, enough, limits.spike_false_discovery_rate)


def _moved(tree: CallTree, limits: Thresholds) -> NDArray[np.int64]:
    """Return 1 for each call made by another share of requests than before, 0 for other steps."""
    above = np.maximum(tree.parent, 0)
    requests = tree.sums["calls"][0][:, above]
    callers = np.minimum(tree.sums["callers"][0], requests)
    failed = per(tree.sums["errors"][0], tree.sums["calls"][0])
    least = limits.steady_share + np.maximum(failed[1] - failed[0], 0.0)[above]
    _, low, high = rate_difference((callers[1], requests[1]), (callers[0], requests[0]))
    is_call = np.array([step != "entry" for step in tree.rows("step")], dtype=np.bool_)
    known = is_call & (tree.parent >= 0) & (requests.min(axis=0) > 0)
    return np.asarray(known & ((low > least) | (high < -least)), dtype=np.int64)


def _added_below(tree: CallTree, moved: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many moved at each step and below it."""
    below = moved.copy()
    for row in range(tree.parent.size - 1, -1, -1):
        if tree.parent[row] >= 0:
            below[tree.parent[row]] += below[row]
    return below


def _beside(tree: CallTree, moved: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each entry, how many other calls of the operations above it moved.

    Without those of roots. An entry lies below a call, or below an entry that recorded none.
    """
    of_entry = np.zeros(tree.parent.size, dtype=np.int64)
    np.add.at(of_entry, tree.parent[moved > 0], 1)
    beside = np.zeros(tree.parent.size, dtype=np.int64)
    for row, step in enumerate(tree.rows("step")):
        above = int(tree.parent[row])
        if above < 0 or tree.parent[above] < 0:
            continue
        beside[row] = beside[above]
        if step != "entry":
            beside[row] += of_entry[above] - moved[row]
    return beside
