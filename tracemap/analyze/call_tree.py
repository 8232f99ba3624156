"""The call paths of two windows as arrays: what `flow`, `propagation` and `origins` compute on.

Nothing here depends on the number of traces: a system has some thousand call paths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.consumers import waited
from tracemap.analyze.parallel import shared
from tracemap.analyze.windows import sided
from tracemap.model import JACKKNIFE_BUCKETS, PARALLEL_FACTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tracemap.model import Window

MEASURES = (
    "calls",
    "callers",
    "errors",
    "duration_ns",
    "self_ns",
    "on_parent_ns",
    "async_ns",
    "abandoned_ns",
    "overlap_calls",
    "unanswered",
    "unanswered_ns",
    "charged_errors",
    "request_errors",
    "hit_callers",
    "hit_callers_failed",
    "callers_failed",
)

_BUCKET = pl.col("hash_bucket").cast(pl.Int64) % JACKKNIFE_BUCKETS


@dataclass(frozen=True)
class CallTree:
    """Sums per call path in a baseline and an incident window, with jackknife replicates.

    Attributes:
        paths: As `model.PATHS`, those seen in either window, parents before children.
        parent: Row of the parent in `paths`, -1 for a root.
        reached: For a call: row of the entry it reached most often; -1: a virtual upstream. For
            an entry: its own row.
        sums: By name of `MEASURES`: array of shape (replicate, side, path); side 0 is the
            baseline, 1 the incident; replicate 0 is all data, replicate i leaves out the i-th
            hash bucket of traces, or the i-th cell of time of both windows.
        shared_ns: What is added to the change of each path's on-path time, per request of the step
            above, where parallel calls share a change that tiling gives to one (`parallel`).
    """

    paths: pl.DataFrame
    parent: NDArray[np.int64]
    reached: NDArray[np.int64]
    sums: dict[str, NDArray[np.float64]]
    shared_ns: NDArray[np.float64]

    @property
    def roots(self) -> NDArray[np.int64]:
        """Rows of the root entries."""
        return np.flatnonzero(self.parent < 0)

    def requests(self, consumers: frozenset[tuple[str, str]]) -> NDArray[np.int64]:
        """Return the rows of the root entries that somebody waits for.

        Args:
            consumers: Services and operations that consume messages: work nobody waits for. They
                count all the same where there is no other root.
        """
        names = self.paths[self.roots.tolist()].select("service", "operation").iter_rows()
        return self.roots[waited(names, consumers)]

    def children(self) -> list[list[int]]:
        """Return for each path the rows of its children, in order."""
        below: list[list[int]] = [[] for _ in range(self.parent.size)]
        for row, above in enumerate(self.parent.tolist()):
            if above >= 0:
                below[above].append(row)
        return below

    def on_path_change(self) -> NDArray[np.float64]:
        """Return the change of each step's on-path time per request of the step above.

        Shape (replicate, path); 0 for roots. Calls side by side share theirs (`parallel`).
        """
        above = np.maximum(self.parent, 0)
        mean = per(self.sums["on_parent_ns"], self.sums["calls"][:, :, above])
        return np.asarray((mean[:, 1] - mean[:, 0] + self.shared_ns) * (self.parent >= 0))

    def rows(self, column: str) -> list[str]:
        """Return one text column of `paths`."""
        return self.paths[column].to_list()


def call_tree(
    path_facts: pl.DataFrame,
    paths: pl.DataFrame,
    incident: Window,
    baseline: Window,
    parallel_facts: pl.DataFrame | None = None,
    *,
    by_cell: bool = False,
    measures: Sequence[str] = MEASURES,
) -> CallTree:
    """Return the call paths of the two windows.

    Args:
        path_facts: As `model.PATH_FACTS`; cells in neither window are ignored.
        paths: As `model.PATHS`, at least those that `path_facts` names.
        incident: The window to explain.
        baseline: The window to compare with.
        parallel_facts: As `model.PARALLEL_FACTS`; None: what calls side by side add is netted.
        by_cell: Whether replicates leave out a cell of time of each window, rather than a hash
            bucket of traces: then they tell how a window varies.
        measures: Those of `MEASURES` that are needed.

    Returns:
        The tree; without any path when neither window holds a fact.
    """
    facts = sided(path_facts, incident, baseline)
    seen = (
        paths.unique("path_id")
        .join(facts.select("path_id").unique(), on="path_id", how="semi")
        .sort("depth", "path_id")
        .with_row_index("row")
    )
    above = seen.join(
        seen.select(parent_path_id="path_id", above="row"), on="parent_path_id", how="left"
    ).sort("row")
    parent = above["above"].cast(pl.Int64).fill_null(-1).to_numpy()
    part = pl.col("window_start_ns").rank("dense").over("during") - 1 if by_cell else _BUCKET
    placed = facts.with_columns(part=part.cast(pl.Int64))
    parts = placed["part"].n_unique() if by_cell else JACKKNIFE_BUCKETS
    placed = placed.join(seen.select("path_id", "row"), on="path_id")
    sums = _sums(placed, (parts, 2, seen.height), measures)
    shared_ns = shared(
        seen.select("path_id", "row"),
        parent,
        sums["calls"][0],
        PARALLEL_FACTS.empty() if parallel_facts is None else parallel_facts,
        (incident, baseline),
    )
    reached = _reached(seen, parent, sums["calls"])
    return CallTree(seen.drop("row"), parent, reached, sums, shared_ns)


def _sums(
    facts: pl.DataFrame, shape: tuple[int, int, int], measures: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Return the measures as arrays (replicate, side, path)."""
    part, during = (facts[name].cast(pl.Int64).to_numpy() for name in ("part", "during"))
    place = (part, during, facts["row"].to_numpy())
    sums = {}
    for name in measures:
        cube = np.zeros(shape)
        np.add.at(cube, place, facts[name].cast(pl.Float64).to_numpy())
        total = cube.sum(axis=0)
        sums[name] = np.concatenate([total[None], total[None] - cube])
    return sums


def _reached(
    paths: pl.DataFrame, parent: NDArray[np.int64], calls: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return for each step the entry it reached most often; -1 for a virtual upstream."""
    entry = (paths["step"] == "entry").to_numpy()
    reached = np.where(entry, np.arange(parent.size), -1)
    most = np.zeros(parent.size)
    total = calls[0].sum(axis=0)
    for row in np.flatnonzero(entry & (parent >= 0)).tolist():
        above = int(parent[row])
        if not entry[above] and total[row] > most[above]:
            reached[above], most[above] = row, total[row]
    return reached


def per(
    amount: NDArray[np.float64], count: NDArray[np.float64], otherwise: float = 0.0
) -> NDArray[np.float64]:
    """Return amount / count, and `otherwise` where there is nothing to divide by."""
    return np.divide(amount, count, out=np.full_like(amount, otherwise), where=count > 0)


def netted(
    change: NDArray[np.float64],
    offered: NDArray[np.float64],
    overlaps: NDArray[np.bool_],
    total: NDArray[np.float64],
    group: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return on-path changes without the time that siblings merely took from each other.

    A child that lost path share without getting faster was displaced by a slower parallel
    sibling, not improved: what it lost beyond its own speed-up is given back and taken from the
    siblings that gained, in proportion. Sums per parent stay exact (docs/methods.md). Where
    the parent got faster the same is done with the windows exchanged.

    Args:
        change: Change of on-path time per parent request, shape (replicate, child).
        offered: Change of offered time per parent request, same shape.
        overlaps: Which children overlap a sibling in time, shape (child,).
        total: Change of the parent's mean duration, shape (replicate, group).
        group: Parent of each child, shape (child,).

    Returns:
        Net changes, shaped as `change`.
    """
    sign = np.where(total[:, group] < 0, -1.0, 1.0)
    moved, wanted = change * sign, offered * sign
    lost = np.maximum(0.0, -moved - np.maximum(0.0, -wanted)) * (moved < 0) * overlaps
    gained = np.maximum(0.0, moved) * overlaps
    groups = total.shape[1]
    all_lost, all_gained = (added(part, group, groups) for part in (lost, gained))
    passed = np.minimum(all_lost, all_gained)
    back = lost * per(passed, all_lost)[:, group]
    taken = gained * per(passed, all_gained)[:, group]
    return np.asarray((moved + back - taken) * sign)


def added(values: NDArray[np.float64], index: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """Return `values` added up over their last axis by `index`; places with -1 are left out.

    Args:
        values: Any shape, as long as `index` in the last axis.
        index: Where each place of the last axis goes.
        size: Length of the result's last axis.
    """
    kept = np.flatnonzero(index >= 0)
    out = np.zeros((size, *values.shape[:-1]))
    np.add.at(out, index[kept], np.moveaxis(values, -1, 0)[kept])
    return np.moveaxis(out, 0, -1)
