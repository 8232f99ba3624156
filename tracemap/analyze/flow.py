"""Finding ``flow``: how the change of a user-visible latency splits over its call paths.

The method is exact: what flows out of each step adds up to what flowed in, so the leaves of a root
operation add up to the change of its mean (docs/methods.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tracemap.analyze.call_edges import OVERLAP_SHARE
from tracemap.analyze.call_tree import CallTree, call_tree, netted, per
from tracemap.analyze.statistics import jackknife
from tracemap.analyze.thresholds import Thresholds
from tracemap.analyze.variation import root_halves
from tracemap.model import FLOW, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SMALL_NS = 1e6
"""Less than this (1 ms) is not followed further up,"""
SMALL_SHARE = 0.02
"""nor less than this share of the change of the root."""
STEEPEST = 10.0
"""A flow is not scaled up by more than this: beyond, what moved inside cancelled out."""


def flow(
    path_facts: pl.DataFrame,
    paths: pl.DataFrame,
    incident: Window,
    baseline: Window,
    thresholds: Thresholds | None = None,
    *,
    parallel_facts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return where the change of each root operation's mean latency went, step by step.

    Inner rows (``leaf`` is ``''``) say what flows through a step, leaves where it ends: ``self``
    (own time), ``gap`` (client minus server of one call), ``virtual`` (an upstream that recorded
    no spans), ``calls`` (more or fewer calls), ``small`` (not followed), ``unresolved`` (moves that
    cancel out inside a step). The interval of a root's whole change covers two sorts of chance:
    which traces were recorded, and how means vary from cell to cell of time. Roots with fewer than
    `Thresholds.min_call_count` requests on either side are left out. Negative shares are
    improvements.

    Args:
        path_facts: As `model.PATH_FACTS`, of both windows.
        paths: As `model.PATHS`.
        incident: The window to explain.
        baseline: The window to compare with.
        thresholds: Limits; the defaults when None.
        parallel_facts: As `model.PARALLEL_FACTS`, of both windows: calls side by side that changed
            together share what they added. None: the one that ended last has most of it.

    Returns:
        As `model.FLOW`, roots by size of their change, steps in depth-first order.
    """
    tree = call_tree(path_facts, paths, incident, baseline, parallel_facts)
    varies = root_halves(path_facts, paths, incident, baseline)
    return flow_of(tree, thresholds or Thresholds(), varies)


def flow_of(
    tree: CallTree, limits: Thresholds, varies: Mapping[int, float] | None = None
) -> pl.DataFrame:
    """Return `flow` from call paths as arrays.

    Args:
        tree: Call paths of both windows.
        limits: Thresholds.
        varies: By how much the change of a root may be off by ordinary variation, by path: its
            interval is at least that wide.
    """
    requests = tree.sums["calls"][0]
    split = _Split(tree, varies or {})
    roots = [row for row in tree.roots.tolist() if requests[:, row].min() >= limits.min_call_count]
    change = {row: split.duration_change(row) for row in roots}
    for row in sorted(roots, key=lambda row: (-abs(change[row][0]), row)):
        split.root(row, change[row])
    return FLOW.conform(pl.DataFrame(split.lines, schema=FLOW.schema))


@dataclass
class _Split:
    """One walk down the call paths; `lines` collects the rows of `model.FLOW`."""

    tree: CallTree
    varies: Mapping[int, float]
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._below = self.tree.children()
        self._on_path = self.tree.on_path_change()
        self._text = {
            name: self.tree.rows(name) for name in ("service", "operation", "upstream", "step")
        }
        self._ids = self.tree.paths["path_id"].to_list()

    def duration_change(self, row: int) -> NDArray[np.float64]:
        """Return the change of the mean duration of a step, per replicate."""
        return self._change("duration_ns", row, row)

    def root(self, row: int, change: NDArray[np.float64]) -> None:
        """Split the change of one root operation; its leaves add up to it in whole ns."""
        first = len(self.lines)
        self._root, self._least = row, max(SMALL_NS, SMALL_SHARE * abs(change[0]))
        self._step(row, change, hops=0)
        leaves = [line for line in self.lines[first:] if line["leaf"]]
        if leaves:
            largest = max(leaves, key=lambda line: abs(line["share_ns"]))
            largest["share_ns"] += round(change[0]) - sum(line["share_ns"] for line in leaves)

    def _step(self, row: int, flowing: NDArray[np.float64], hops: int) -> None:
        """Split what flows through one step over its own time and its children."""
        pending = [(row, flowing, hops)]
        while pending:
            step, flowing, hops = pending.pop()
            self._line(step, "", flowing, hops)
            change = self.duration_change(step)
            children = self._below[step]
            if abs(flowing[0]) < self._least and step != self._root:
                self._line(step, "small", flowing, hops)
            elif self._text["step"][step] == "call" and not children:
                self._line(step, "virtual", flowing, hops)
            elif abs(change[0]) * STEEPEST < abs(flowing[0]):
                self._line(step, "unresolved", flowing, hops)
            else:
                scale = np.divide(
                    flowing, change, out=np.ones_like(change), where=change != 0
                ).clip(-STEEPEST, STEEPEST)
                pending += self._children(step, scale, flowing, hops)[::-1]

    def _children(
        self, step: int, scale: NDArray[np.float64], flowing: NDArray[np.float64], hops: int
    ) -> list[tuple[int, NDArray[np.float64], int]]:
        """Write the own time and count leaves of a step; return what flows on into its children."""
        children = self._below[step]
        is_call = self._text["step"][step] == "call"
        if not children:
            self._line(step, "self", flowing, hops)
            return []
        moved = self._netted(step, children)
        own = flowing - (scale * moved.T).T.sum(axis=1)
        self._line(step, "gap" if is_call else "self", own, hops)
        onward = []
        for place, child in enumerate(children):
            through = scale * moved[:, place]
            counted = (
                np.zeros_like(through) if is_call else through * self._count_share(step, child)
            )
            if abs(counted[0]) >= self._least:
                self._line(child, "calls", counted, hops)
                through = through - counted
            deeper = hops + (self._text["step"][child] == "entry")
            onward.append((child, through, deeper))
        return onward

    def _netted(self, step: int, children: list[int]) -> NDArray[np.float64]:
        """Return the net on-path change of each child per request of the step."""
        change = self._on_path[:, children]
        offered = np.stack([self._change("duration_ns", child, step) for child in children], axis=1)
        calls, overlap = (
            self.tree.sums[name][0].sum(axis=0)[children] for name in ("calls", "overlap_calls")
        )
        overlaps = per(overlap, calls) >= OVERLAP_SHARE
        total = self.duration_change(step)[:, None]
        return netted(change, offered, overlaps, total, np.zeros(len(children), np.int64))

    def _count_share(self, step: int, child: int) -> NDArray[np.float64]:
        """Return the share of a child's change that comes from more or fewer calls (Kitagawa)."""
        calls, duration = (self.tree.sums[name][:, :, child] for name in ("calls", "duration_ns"))
        requests = self.tree.sums["calls"][:, :, step]
        often, each = per(calls, requests), per(duration, calls)
        each = np.where(calls > 0, each, each[:, ::-1])
        count = (often[:, 1] - often[:, 0]) * each.sum(axis=1) / 2
        speed = (each[:, 1] - each[:, 0]) * often.sum(axis=1) / 2
        share = per(np.abs(count), np.abs(count + speed)).clip(0, 1)
        return np.asarray(share * (count * (count + speed) > 0))

    def _change(self, name: str, row: int, by: int) -> NDArray[np.float64]:
        """Return the change of a measure of `row` per request of `by`, per replicate."""
        mean = per(self.tree.sums[name][:, :, row], self.tree.sums["calls"][:, :, by])
        return np.asarray(mean[:, 1] - mean[:, 0])

    def _line(self, row: int, leaf: str, share: NDArray[np.float64], hops: int) -> None:
        """Add one row of the result."""
        if leaf and round(share[0]) == 0:
            return
        half = float(jackknife(share[1:], share[0]))
        if row == self._root and not leaf:
            half = max(half, self.varies.get(self._ids[row], 0.0))
        parent = int(self.tree.parent[row])
        self.lines.append(
            {
                "root_service": self._text["service"][self._root],
                "root_operation": self._text["operation"][self._root],
                "requests": int(self.tree.sums["calls"][0, 1, self._root]),
                "path_id": self._ids[row],
                "parent_path_id": self._ids[parent] if parent >= 0 else 0,
                "hops": hops,
                "leaf": leaf,
                "service": self._text["service"][row],
                "operation": self._text["operation"][row],
                "upstream": self._text["upstream"][row],
                "share_ns": round(share[0]),
                "low_ns": round(share[0] - half),
                "high_ns": round(share[0] + half),
                "origin": None,
            }
        )
