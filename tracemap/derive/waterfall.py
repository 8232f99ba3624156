"""One trace as a waterfall: every span below its parent, with own and critical time."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Rows, kernel
from tracemap.derive.roles import Roles, roles
from tracemap.derive.spans import SORTED_BY, Spans, spans
from tracemap.derive.tiling import Tiling, tiling
from tracemap.derive.tree import Above, Tree, children, path_roots, tree
from tracemap.model import TRACE, Kind, Status, TraceBucket
from tracemap.model.ids import hex_id


def waterfall(bucket: TraceBucket) -> pl.DataFrame:
    """Return the spans of `bucket` in depth-first order, siblings by start, as `model.TRACE`.

    ``self_ns`` is the span's duration less the on-path time of its own children; ``critical_ns``
    sums to the duration of the root over all spans of its tree, exactly. Flags: ``orphan``,
    ``cycle_cut``, ``async`` (does not block its parent), ``abandoned`` (the client stopped
    waiting), ``skewed`` (its clock disagrees with its client's), ``no_end``.
    """
    ours = spans(bucket)
    if len(ours) == 0:
        return TRACE.empty()
    family = tree(ours)
    played = roles(ours, family)
    every = np.ones(len(ours), dtype=np.bool_)
    tiles = tiling(ours, family, played, every, path_roots(ours, family))
    order, depth = _depth_first(family.parent, *children(family.parent))
    texts = (
        bucket.spans.sort(SORTED_BY)
        .join(bucket.operations, on="operation_id", how="left", maintain_order="left")
        .join(bucket.resources, on="resource_id", how="left", maintain_order="left")
    )
    rows = texts.select(
        trace_id=hex_id("trace_high") + hex_id("trace_low"),
        span_id=hex_id("span_id"),
        parent_span_id=pl.when(pl.col("parent_id") != 0).then(hex_id("parent_id")),
        depth=pl.lit(pl.Series(depth)),
        service="service",
        operation="operation",
        name="name",
        kind=pl.col("kind").replace_strict({int(k): k.name for k in Kind}, default="UNSPECIFIED"),
        status_code=pl.col("status_code").replace_strict(
            {int(s): s.name for s in Status}, default="UNSET"
        ),
        start_ns="start_ns",
        duration_ns=pl.when(pl.col("duration_ns") >= 0).then("duration_ns"),
        self_ns=pl.lit(pl.Series(tiles.own)),
        critical_ns=pl.lit(pl.Series(tiles.critical)),
        critical_parts_ns=pl.lit(_parts(tiles)),
        flags=pl.lit(_flags(ours, family, played, tiles)),
    )
    return TRACE.conform(rows[order])


def _parts(tiles: Tiling) -> pl.Series:
    """Return where each span's exclusive time on the critical path lies, from its own start.

    That is its part of the path, less the parts of what it waited for. For one trace a plain loop
    is fast enough.
    """
    below: dict[int, list[tuple[int, int]]] = {}
    path, waits_for = tiles.path.tolist(), tiles.waits_for.tolist()
    for row, (low, high) in enumerate(path):
        if high > low and waits_for[row] >= 0:
            below.setdefault(waits_for[row], []).append((low, high))
    parts: list[list[int]] = []
    for row, ((low, high), start) in enumerate(zip(path, tiles.start.tolist(), strict=True)):
        mine: list[int] = []
        covered = low
        for begin, end in [*sorted(below.get(row, ())), (high, high)]:
            if begin > covered:
                mine += (covered - start, begin - start)
            covered = max(covered, end)
        parts.append(mine)
    return pl.Series(parts, dtype=pl.List(pl.Int64))


def _flags(spans: Spans, tree: Tree, roles: Roles, tiles: Tiling) -> pl.Series:
    """Return what is remarkable about each span, as a list of words."""
    client, start, duration = roles.client, spans.start, spans.duration
    paired = tiles.paired & (duration >= 0) & (duration[client] >= 0)
    longer = duration > duration[client]
    outside = (start < start[client]) | (start + duration > start[client] + duration[client])
    blocks_nobody = tiles.apart & (tree.parent >= 0)
    words = {
        "orphan": tree.above == Above.ORPHAN,
        "cycle_cut": tree.above == Above.CUT,
        "async": blocks_nobody,
        "abandoned": paired & longer,
        "skewed": paired & outside & ~longer,
        "no_end": duration < 0,
    }
    listed = [pl.when(name).then(pl.lit(name)) for name in words]
    return pl.DataFrame(words).select(pl.concat_list(listed).list.drop_nulls()).to_series()


@kernel
def _depth_first(parent: Rows, first: Rows, listed: Rows) -> tuple[Rows, Rows]:
    """Return the rows depth first, and how many ancestors each row has."""
    total = parent.size
    order = np.empty(total, dtype=np.int32)
    depth = np.zeros(total, dtype=np.int32)
    stack = np.empty(total, dtype=np.int32)
    waiting = 0
    for row in range(total - 1, -1, -1):
        if parent[row] < 0:
            stack[waiting] = row
            waiting += 1
    for at in range(total):
        waiting -= 1
        row = stack[waiting]
        order[at] = row
        if parent[row] >= 0:
            depth[row] = depth[parent[row]] + 1
        for child in range(first[row + 1] - 1, first[row] - 1, -1):
            stack[waiting] = listed[child]
            waiting += 1
    return order, depth
