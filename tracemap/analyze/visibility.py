"""How much of a slowdown on a call path reaches the user request at its root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracemap.analyze.call_tree import CallTree, per

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.call_edges import CallEdges
    from tracemap.analyze.thresholds import Thresholds

NS_PER_MS = 1e6


def visible_shares(
    tree: CallTree, edges: CallEdges, requests: NDArray[np.int64], limits: Thresholds
) -> NDArray[np.float64]:
    """Return per replicate and path the share of a rise there that reaches a waiting root.

    Step by step: where the incident offered more, what arrived of it; elsewhere the share of the
    step's time that was on the path of its parent.
    """
    calls = _through(
        *edges.slower(),
        (edges.mean("duration_ns", 1), edges.mean("on_parent_ns", 1)),
        limits,
    )
    took, waited = (
        per(tree.sums[name], tree.sums["calls"]) for name in ("duration_ns", "on_parent_ns")
    )
    entries = _through(
        took[:, 1] - took[:, 0], waited[:, 1] - waited[:, 0], (took[:, 1], waited[:, 1]), limits
    )
    visible = np.zeros_like(entries)
    visible[:, requests] = 1.0
    for row in range(tree.parent.size):
        above, pair = int(tree.parent[row]), int(edges.of_path[row])
        if above >= 0:
            visible[:, row] = visible[:, above] * (calls[:, pair] if pair >= 0 else entries[:, row])
    return visible


def _through(
    offered: NDArray[np.float64],
    arrived: NDArray[np.float64],
    usual: tuple[NDArray[np.float64], NDArray[np.float64]],
    limits: Thresholds,
) -> NDArray[np.float64]:
    """Return the share of a rise that arrives one step up: of this rise, else of time as a rule.

    Args:
        offered: Rise of the step's duration, shape (replicate, step).
        arrived: Rise of its time on the path of the step above.
        usual: Its duration and its time on that path in the incident.
        limits: Thresholds.
    """
    duration, on_path = usual
    least = np.maximum(limits.arrived_rise_ms * NS_PER_MS, limits.arrived_share * duration[:1])
    as_rule = per(on_path, duration)
    share = np.where(offered[:1] >= least, per(arrived, np.maximum(offered, 0.0)), as_rule)
    return np.asarray(share.clip(0.0, 1.0))
