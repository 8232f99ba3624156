"""PATHS and PATH_FACTS: the calling-context tree and its sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.derive.arrays import Bools, Codes, Ids
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.failures import failures
from tracemap.derive.grouping import first_of_each, grouped
from tracemap.derive.hashing import mixed
from tracemap.derive.spans import Spans
from tracemap.model import JACKKNIFE_BUCKETS, PATH_FACTS, PATHS


def paths(derived: Derived) -> pl.DataFrame:
    """Return each call path once, as `model.PATHS`, sorted by ``path_id``."""
    spans, steps, upstreams = derived.spans, derived.steps, derived.upstreams
    at = first_of_each(halves(steps.path))
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
    texts = spans.vocabulary.decoded("service", "operation", "upstream", "upstream_kind")
    return PATHS.conform(codes.with_columns(texts)).sort("path_id")


def path_facts(derived: Derived, grid: Grid, kept: Bools | None = None) -> pl.DataFrame:
    """Return the sums of each call path, as `model.PATH_FACTS`, sorted by key.

    An unknown duration counts as a call of 0 ns: nothing is on the path in it.

    Args:
        derived: What was found out.
        grid: The cell of each trace.
        kept: Which steps count; None: all.
    """
    spans, steps = derived.spans, derived.steps
    keys = {
        "cell": grid.of_trace[spans.trace[steps.span]],
        "hash_bucket": hash_buckets(spans)[spans.trace[steps.span]],
        **halves(steps.path),
    }
    summed = grouped(*_of(kept, keys, _measures(derived)))
    path_id = summed.select("low", "high").to_numpy().copy().view(np.uint64).ravel()
    found = summed.with_columns(
        grid.decoded("cell"), path_id=pl.Series(path_id), calls=pl.col("rows")
    )
    return PATH_FACTS.conform(found).sort(PATH_FACTS.key)


def _measures(derived: Derived) -> dict[str, NDArray[Any]]:
    """Return what is summed of each step, by column of `model.PATH_FACTS`."""
    spans, steps = derived.spans, derived.steps
    row, apart = steps.span, steps.tiling.apart[steps.span]
    duration = np.maximum(spans.duration[row], 0)
    client = derived.roles.client[row]
    paired = ~steps.is_call & steps.tiling.paired[row] & (spans.duration[client] >= 0)
    # of a span that is entry and call, only the entry can run beside what is above it
    outer = ~steps.is_call | (steps.entry_step[row] < 0)
    broken = failures(spans, derived.roles, steps)
    return {
        "callers": steps.is_new,
        "errors": broken.failed,
        "duration_ns": duration,
        "self_ns": steps.self_ns,
        "on_parent_ns": steps.on_parent_ns,
        "critical_ns": steps.critical_ns,
        "async_ns": np.where(outer & apart, duration, 0),
        "abandoned_ns": np.where(paired, np.maximum(duration - spans.duration[client], 0), 0),
        "overlap_calls": steps.overlaps,
        "unanswered": broken.unanswered,
        "unanswered_ns": np.where(broken.unanswered, duration, 0),
        "charged_errors": broken.charged,
        "request_errors": broken.of_request,
        "hit_callers": broken.hit,
        "hit_callers_failed": broken.hit_failed,
        "callers_failed": broken.above_failed,
        "requests_weighted": np.where(steps.parent < 0, broken.stands_for, 0.0),
        "request_errors_weighted": np.where(broken.of_request, broken.stands_for, 0.0),
    }


def _of(
    kept: Bools | None, keys: dict[str, NDArray[Any]], sums: dict[str, NDArray[Any]]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return the columns with the rows `kept` alone."""
    if kept is None:
        return keys, sums
    return (
        {name: column[kept] for name, column in keys.items()},
        {name: column[kept] for name, column in sums.items()},
    )


def halves(path: Ids) -> dict[str, Codes]:
    """Return path ids as two columns of 32 bits."""
    halves = path.view(np.int32).reshape(-1, 2)
    return {"low": halves[:, 0], "high": halves[:, 1]}


def hash_buckets(spans: Spans) -> Codes:
    """Return for each trace a number that depends on nothing but its id."""
    first = spans.offsets[:-1]
    hashes = mixed(spans.trace_high[first], spans.trace_low[first])
    return (hashes % np.uint64(JACKKNIFE_BUCKETS)).astype(np.int32)
