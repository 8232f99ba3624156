"""PATHS and PATH_FACTS: the calling-context tree and its sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.derive.hashing import mixed
from tracemap.model import JACKKNIFE_BUCKETS, PATH_FACTS, PATHS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.derive.roles import Roles
    from tracemap.derive.spans import Spans
    from tracemap.derive.steps import Steps
    from tracemap.derive.upstreams import Upstreams


def paths(spans: Spans, steps: Steps, upstreams: Upstreams) -> pl.DataFrame:
    """Return each call path once, as `model.PATHS`."""
    _, at = np.unique(steps.path, return_index=True)
    row, is_call, above = steps.span[at], steps.is_call[at], steps.parent[at]
    codes = pl.DataFrame(
        {
            "path_id": steps.path[at],
            "parent_path_id": np.where(above >= 0, steps.path[above], np.uint64(0)),
            "depth": steps.depth[at],
            "step": np.where(is_call, "call", "entry"),
            "service": spans.service[row],
            "operation": spans.operation[row],
            "upstream": np.where(is_call, upstreams.name[row], 0),
            "upstream_kind": np.where(is_call, upstreams.kind[row], 0),
        }
    )
    texts = ("service", "operation", "upstream", "upstream_kind")
    decoded = spans.vocabulary.decoded(*texts)
    return PATHS.conform(codes.with_columns(decoded))


def path_facts(spans: Spans, roles: Roles, steps: Steps, cell: NDArray[np.int64]) -> pl.DataFrame:
    """Return the sums of each call path, as `model.PATH_FACTS`.

    An unknown duration counts as a call of 0 ns: nothing is on the path in it.
    """
    row = steps.span
    duration = np.maximum(spans.duration, 0)
    is_entry = ~steps.is_call
    first = is_entry | (steps.entry_step[row] < 0)  # of a span that is both, the entry only
    client = roles.client[row]
    late = np.where(
        is_entry & steps.tiling.paired[row] & (spans.duration[client] >= 0),
        np.maximum(duration[row] - duration[client], 0),
        0,
    )
    first_rows = spans.offsets[:-1]
    spread = mixed(spans.trace_high[first_rows], spans.trace_low[first_rows])
    hash_bucket = (spread % np.uint64(JACKKNIFE_BUCKETS)).astype(np.uint8)
    trace = spans.trace[row]
    summed = (
        pl.LazyFrame(
            {
                "window_start_ns": cell[trace],
                "hash_bucket": hash_bucket[trace],
                "path_id": steps.path,
                "callers": steps.is_new,
                "errors": spans.failed[row],
                "duration_ns": duration[row],
                "self_ns": steps.self_ns,
                "on_parent_ns": steps.on_parent_ns,
                "critical_ns": steps.critical_ns,
                "async_ns": np.where(first & steps.tiling.apart[row], duration[row], 0),
                "abandoned_ns": late,
                "overlap_calls": steps.overlaps,
            }
        )
        .group_by("window_start_ns", "hash_bucket", "path_id")
        .agg(pl.len().alias("calls"), pl.all().sum())
        .collect()
    )
    return PATH_FACTS.conform(summed)
