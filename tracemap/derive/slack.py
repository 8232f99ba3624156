"""SLACK_FACTS: calls that a slower sibling hid, and how much longer they could have taken."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Ints, Rows, kernel
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.grouping import grouped
from tracemap.model import SLACK_FACTS


def slack_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return the slack of calls that were not on the path of their entry, as `SLACK_FACTS`.

    Slack is the time from the end of a hidden call to the end of the sibling on the path that is
    next to end. Calls that nobody waits for at all have none, nor those of unknown duration.
    """
    spans, steps = derived.spans, derived.steps
    outer = np.flatnonzero(steps.overlaps)
    if outer.size == 0:
        return SLACK_FACTS.empty()
    row = steps.span[outer]
    end = steps.tiling.start[row] + spans.duration[row]
    order = np.lexsort((-end, steps.parent[outer]))
    hidden = (steps.on_parent_ns[outer] == 0)[order]
    slack = _slack(steps.parent[outer][order], end[order], hidden)
    kept = np.flatnonzero(slack >= 0)
    step = outer[order][kept]
    halves = steps.path[step].view(np.int32).reshape(-1, 2)
    summed = grouped(
        {
            "cell": grid.of_trace[spans.trace[steps.span[step]]],
            "low": halves[:, 0],
            "high": halves[:, 1],
        },
        {"slack_ns": slack[kept]},
    )
    path_id = summed.select("low", "high").to_numpy().copy().view(np.uint64).ravel()
    found = summed.with_columns(
        grid.decoded("cell"), path_id=pl.Series(path_id), hidden_calls=pl.col("rows")
    )
    return SLACK_FACTS.conform(found).sort(SLACK_FACTS.key)


@kernel
def _slack(parent: Rows, end: Ints, hidden: Bools) -> Ints:
    """Return the slack of each hidden step, -1 for others; steps come by parent, last end first."""
    slack = np.full(parent.size, -1, dtype=np.int64)
    above, next_end = np.int64(-1), np.int64(-1)
    for step in range(parent.size):
        if parent[step] != above:
            above, next_end = parent[step], np.int64(-1)
        if not hidden[step]:
            next_end = end[step]
        elif next_end >= 0:
            slack[step] = next_end - end[step]
    return slack
