"""PARALLEL_FACTS: how far the parallel calls of one operation reach, block by block."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Ids, Ints, Rows, kernel
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.grouping import grouped
from tracemap.derive.hashing import mix
from tracemap.derive.paths import halves
from tracemap.model import PARALLEL_FACTS, PARALLEL_SHIFT, histogram

MOST_PATHS = 12
"""Blocks of more different calls are left out: hardly two of them would be of the same sort."""


def parallel_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return how far the calls of each path reach into their blocks, as `model.PARALLEL_FACTS`.

    A block is the calls of one entry that overlap in time, one with the next. A path reaches from
    the start of the block to the end of its last call in it. Blocks of the same paths are of one
    sort. Blocks of a single path are left out, those of more than `MOST_PATHS`, and calls that
    nobody waits for or of unknown duration.
    """
    spans, steps = derived.spans, derived.steps
    step = np.flatnonzero(steps.overlaps & (steps.parent >= 0))
    start = steps.tiling.start[steps.span[step]]
    order = np.lexsort((start, steps.parent[step]))
    step, start = step[order], start[order]
    if step.size == 0:
        return PARALLEL_FACTS.empty()
    end = start + spans.duration[steps.span[step]]
    block, begun = _blocks(steps.parent[step], start, end)
    order = np.lexsort((end, steps.path[step], block))
    last, sort, on_parent_ns = _reached(
        block[order], steps.path[step[order]], steps.on_parent_ns[step[order]]
    )
    block, end, step = block[order][last], end[order][last], step[order][last]
    reach_ns = end - begun[block]
    buckets = pl.DataFrame({"ns": reach_ns}).select(histogram.bucket(pl.col("ns"))).to_series()
    path, sort_of = halves(steps.path[step]), halves(sort)
    summed = grouped(
        {
            "cell": grid.of_trace[spans.trace[steps.span[step]]],
            **path,
            "block_low": sort_of["low"],
            "block_high": sort_of["high"],
            "bucket": buckets.to_numpy() >> PARALLEL_SHIFT,
        },
        {"reach_ns": reach_ns, "on_parent_ns": on_parent_ns},
    )
    found = summed.with_columns(
        grid.decoded("cell"),
        path_id=_whole(summed, "low", "high"),
        block_id=_whole(summed, "block_low", "block_high"),
        count=pl.col("rows"),
    )
    return PARALLEL_FACTS.conform(found).sort(PARALLEL_FACTS.key)


def _whole(summed: pl.DataFrame, low: str, high: str) -> pl.Series:
    return pl.Series(summed.select(low, high).to_numpy().copy().view(np.uint64).ravel())


@kernel
def _blocks(parent: Rows, start: Ints, end: Ints) -> tuple[Rows, Ints]:
    """Return the number of the block of each call, and when each begins.

    Calls come by entry and start.
    """
    block = np.zeros(parent.size, dtype=np.int32)
    begun = np.zeros(parent.size, dtype=np.int64)
    number, reached = -1, np.int64(0)
    for call in range(parent.size):
        if call == 0 or parent[call] != parent[call - 1] or start[call] >= reached:
            number += 1
            begun[number], reached = start[call], end[call]
        reached = max(reached, end[call])
        block[call] = number
    return block, begun[: number + 1].copy()


@kernel
def _reached(block: Rows, path: Ids, on_parent: Ints) -> tuple[Rows, Ids, Ints]:
    """Return the last call of each path in each block, the sort of the block, and on-path time.

    Calls come by block, path and end. The sort is a hash of the block's paths.
    """
    last = np.empty(block.size, dtype=np.int32)
    sort = np.empty(block.size, dtype=np.uint64)
    on_path = np.zeros(block.size, dtype=np.int64)
    count, first, whole, waited = 0, 0, np.uint64(0), np.int64(0)
    for call in range(block.size):
        waited += on_parent[call]
        ends_block = call + 1 == block.size or block[call + 1] != block[call]
        if not ends_block and path[call + 1] == path[call]:
            continue
        last[count], on_path[count] = call, waited
        whole, waited = mix(path[call], whole), np.int64(0)
        count += 1
        if ends_block:
            paths = count - first
            if paths == 1 or paths > MOST_PATHS:
                count = first
            sort[first:count] = whole
            first, whole = count, np.uint64(0)
    return last[:count].copy(), sort[:count].copy(), on_path[:count].copy()
