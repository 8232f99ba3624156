"""Parallel calls: by how much each of them made the step above longer.

A block of parallel calls takes as long as its longest call. Tiling gives the exact change of that
time, all of it to the call that ended last. Where several calls changed together, the change is
split by `shapley.shares_of_longest`, from how far each call reached into the block before and now.
What that model misses is added in proportion, so that the parts add up to the exact change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.shapley import Reach, shares_of_longest
from tracemap.analyze.windows import sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.model import Window

LEAST_BLOCKS = 20
"""A sort of block is split where there are this many of it on both sides."""


def shared(
    rows: pl.DataFrame,
    parent: NDArray[np.int64],
    requests: NDArray[np.float64],
    facts: pl.DataFrame,
    windows: tuple[Window, Window],
) -> NDArray[np.float64]:
    """Return what sharing each block adds to the change of each path's on-path time.

    In ns per request of the step above; the additions within one block sum to 0.

    Args:
        rows: Columns ``path_id`` and ``row``: the paths of a `call_tree.CallTree`.
        parent: Row of the parent of each.
        requests: Calls of each path, baseline and incident, shape (2, path).
        facts: As `model.PARALLEL_FACTS`.
        windows: Incident and baseline.
    """
    moved = np.zeros(parent.size)
    summed = (
        sided(facts, *windows)
        .join(rows, on="path_id")
        .group_by("block_id", "row", "during", "bucket")
        .agg(pl.col("count", "reach_ns", "on_parent_ns").sum())
        .sort("block_id", "row", "during", "bucket")
    )
    for _, block in summed.group_by("block_id", maintain_order=True):
        calls = dict(iter(block.group_by("row", "during", maintain_order=True)))
        members = block["row"].unique(maintain_order=True).to_numpy()
        sides = [
            [calls[row, during] for row in members.tolist() if (row, during) in calls]
            for during in (False, True)
        ]
        if any(len(side) != members.size or _blocks(side[0]) < LEAST_BLOCKS for side in sides):
            continue
        above = requests[:, parent[members[0]]]
        rate = [_blocks(side[0]) / one for side, one in zip(sides, above, strict=True)]
        moved[members] += float(np.mean(rate)) * _added(*sides)
    return moved


def _blocks(call: pl.DataFrame) -> float:
    return float(call["count"].sum())


def _added(before: list[pl.DataFrame], now: list[pl.DataFrame]) -> NDArray[np.float64]:
    """Return by how much the share of each call in a block's change differs from the tiling's."""
    on_path = [
        np.array([float(call["on_parent_ns"].sum()) / _blocks(call) for call in side])
        for side in (before, now)
    ]
    change = on_path[1] - on_path[0]
    shares, *longest = shares_of_longest(
        *([_reach(call) for call in side] for side in (before, now))
    )
    size = float(np.abs(shares).sum())
    rest = float(change.sum()) - (longest[1] - longest[0])
    if abs(rest) > size:  # reaches depend on each other: nothing is known better
        return np.zeros_like(change)
    return np.asarray(shares + rest * np.abs(shares) / max(size, 1e-9) - change)


def _reach(call: pl.DataFrame) -> Reach:
    count = call["count"].to_numpy().astype(np.float64)
    return Reach(call["reach_ns"].to_numpy() / count, count / count.sum())
