"""Calls between two operations, added up over all call paths: the rows `propagation` judges.

A calling operation and a called one may meet on many call paths; propagation asks about the pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tracemap.analyze.call_tree import MEASURES, CallTree, added, netted, per

if TYPE_CHECKING:
    from numpy.typing import NDArray

Operation = tuple[str, str]
"""A service and one of its operations."""

OVERLAP_SHARE = 0.05
"""A child overlaps its siblings when at least this share of its calls does (docs/methods.md)."""


@dataclass(frozen=True)
class CallEdges:
    """Sums per pair of operations, shaped (replicate, side, pair).

    Attributes:
        entries: Calling operations.
        requests: Requests of each calling operation, shape (replicate, side, entry).
        durations: Sum of their durations in ns, same shape.
        failed: How many of them failed, same shape.
        pairs: Rows: (index of the calling operation, upstream service, upstream operation).
        caller: Index of the calling operation of each pair.
        sums: By name of `MEASURES`.
        of_path: For each path of the tree the pair it is a call of; -1: none.
        slowdown: Time per call in the incident over that in the baseline, each call path weighing
            the same in both (another mix of requests is no slower upstream); 1 where no path was
            seen in both.
        shared_ns: By how much the change of its on-path time per request of the caller is larger
            than by tiling, shape (pair,); see `CallTree.shared_ns`.
    """

    entries: list[Operation]
    requests: NDArray[np.float64]
    durations: NDArray[np.float64]
    failed: NDArray[np.float64]
    pairs: list[tuple[int, str, str]]
    caller: NDArray[np.int64]
    sums: dict[str, NDArray[np.float64]]
    of_path: NDArray[np.int64]
    slowdown: NDArray[np.float64]
    shared_ns: NDArray[np.float64]

    def names(self) -> dict[str, list[str]]:
        """Return both ends of each pair, as columns of findings about operations."""
        callers = [self.entries[entry] for entry, _, _ in self.pairs]
        return {
            "downstream": [service for service, _ in callers],
            "downstream_operation": [operation for _, operation in callers],
            "upstream": [service for _, service, _ in self.pairs],
            "upstream_operation": [operation for _, _, operation in self.pairs],
        }

    def change(self, name: str) -> NDArray[np.float64]:
        """Return the change of a measure per request of the caller, shape (replicate, pair)."""
        return self.mean(name, 1) - self.mean(name, 0)

    def mean(self, name: str, side: int) -> NDArray[np.float64]:
        """Return a measure per request of the caller on one side, shape (replicate, pair)."""
        return per(self.sums[name][:, side], self.requests[:, side][:, self.caller])

    def offered(self) -> NDArray[np.float64]:
        """Return the change of time spent in the calls per request.

        Async calls count, and so does what upstream did after the caller had given up.
        """
        return self.change("duration_ns") + self.change("abandoned_ns")

    def slower(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what slower calls offered and what of it arrived, per request of the incident.

        As `offered` and `arrived`, with calls as frequent as in the incident on both sides: a
        changed count, or another mix of requests, has no part in it. 0 for pairs that only one
        side called.
        """
        often = per(self.sums["calls"][:, 1], self.requests[:, 1][:, self.caller])
        known = often * (self.sums["calls"].min(axis=1) > 0)
        duration, waited = (
            per(self.sums[name], self.sums["calls"]) for name in ("duration_ns", "on_parent_ns")
        )
        offered, change = (known * (each[:, 1] - each[:, 0]) for each in (duration, waited))
        change = change + self.shared_ns
        total = added(change, self.caller, len(self.entries))
        return offered, netted(change, offered, self._overlaps(), total, self.caller)

    def _overlaps(self) -> NDArray[np.bool_]:
        """Return which pairs overlap a sibling in a fair share of their calls."""
        overlap, calls = (self.sums[name][0].sum(axis=0) for name in ("overlap_calls", "calls"))
        return per(overlap, calls) >= OVERLAP_SHARE

    def arrived(self) -> NDArray[np.float64]:
        """Return the change of the caller's latency through the calls, per request.

        A pair that the baseline or the incident never called counts in full. See
        `call_tree.netted` for what siblings took from each other.
        """
        latency = per(self.durations, self.requests)
        total = latency[:, 1] - latency[:, 0]
        change = self.change("on_parent_ns") + self.shared_ns
        return netted(change, self.offered(), self._overlaps(), total, self.caller)


def call_edges(tree: CallTree) -> CallEdges:
    """Return the pairs of operations that call each other, with sums over all their paths.

    A call that reaches several operations counts for the one it reached most often.
    """
    service, operation = tree.rows("service"), tree.rows("operation")
    step, upstream = tree.rows("step"), tree.rows("upstream")
    entry_index: dict[Operation, int] = {}
    pair_index: dict[tuple[int, str, str], int] = {}
    of_entry = np.full(tree.parent.size, -1)
    of_path = np.full(tree.parent.size, -1)
    for row in range(tree.parent.size):
        if step[row] == "entry":
            key = (service[row], operation[row])
            of_entry[row] = entry_index.setdefault(key, len(entry_index))
        above = int(tree.parent[row])
        if above < 0 or step[above] != "entry":
            continue
        reached = int(tree.reached[row])
        called = (
            (service[reached], operation[reached])
            if reached >= 0
            else (upstream[row], operation[row])
        )
        pair = (int(of_entry[above]), *called)
        of_path[row] = pair_index.setdefault(pair, len(pair_index))
    pairs = list(pair_index)
    requests = added(tree.sums["calls"], of_entry, len(entry_index))
    caller = np.array([pair[0] for pair in pairs], dtype=np.int64)
    return CallEdges(
        entries=list(entry_index),
        requests=requests,
        durations=added(tree.sums["duration_ns"], of_entry, len(entry_index)),
        failed=added(tree.sums["errors"], of_entry, len(entry_index)),
        pairs=pairs,
        caller=caller,
        sums={name: added(tree.sums[name], of_path, len(pairs)) for name in MEASURES}
        | {
            "abandoned_ns": added(tree.sums["abandoned_ns"], _of_entries(tree, of_path), len(pairs))
        },
        of_path=of_path,
        slowdown=_slowdown(tree, of_path, len(pairs)),
        shared_ns=_shared_ns(tree, of_path, requests[0, 1, caller]),
    )


def _shared_ns(
    tree: CallTree, of_path: NDArray[np.int64], requests: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return `CallEdges.shared_ns`, given the requests of each pair's caller in the incident."""
    above = tree.sums["calls"][0, 1, np.maximum(tree.parent, 0)]
    return per(added(tree.shared_ns * above, of_path, requests.size), requests)


def _of_entries(tree: CallTree, of_path: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each entry the pair of the call that reached it, which knows who gave up."""
    entry = np.array([step == "entry" for step in tree.rows("step")], dtype=np.bool_)
    above = np.where(tree.parent >= 0, of_path[tree.parent], -1)
    return np.where(entry, np.where(of_path >= 0, of_path, above), -1)


def _slowdown(tree: CallTree, of_path: NDArray[np.int64], pairs: int) -> NDArray[np.float64]:
    """Return `CallEdges.slowdown`."""
    calls, took = tree.sums["calls"][0], tree.sums["duration_ns"][0]
    weight = calls.mean(axis=0) * (calls.min(axis=0) > 0)
    before, during = (added(weight * each, of_path, pairs) for each in per(took, calls))
    return per(during, before, otherwise=1.0)
