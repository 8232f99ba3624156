"""ROOT_DURATIONS and BAND_FACTS: the call paths of the requests around a percentile.

Two passes, because a percentile is known only when all requests are: the first says what each
request took, the second sums the call paths of those in a band, a few in a hundred.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Rows
from tracemap.derive.cells import Grid, trace_cells
from tracemap.derive.derived import derived
from tracemap.derive.paths import path_facts
from tracemap.derive.spans import Spans, spans
from tracemap.derive.steps import root_of_each
from tracemap.model import BAND_FACTS, ROOT_DURATIONS, Cells, TraceBucket


def root_durations(bucket: TraceBucket, cells: Cells, roots: pl.DataFrame) -> pl.DataFrame:
    """Return what each request of some root operations took, as `model.ROOT_DURATIONS`.

    Args:
        bucket: Whole traces, duplicates removed.
        cells: The windows; traces in none of them are left out.
        roots: Columns ``service`` and ``operation``: which root operations.
    """
    ours = spans(bucket)
    wanted = np.zeros(len(ours), dtype=np.bool_)
    for service, operation in roots.select("service", "operation").iter_rows():
        wanted |= _named(ours, service, operation)
    ours = ours.of_traces(_with(ours, wanted) & trace_cells(ours, cells).inside)
    if len(ours) == 0:
        return ROOT_DURATIONS.empty()
    grid = trace_cells(ours, cells).path
    found = derived(ours, bucket)
    row = found.steps.span[found.steps.parent < 0]
    named = pl.DataFrame(
        {
            "cell": grid.of_trace[ours.trace[row]],
            "service": ours.service[row],
            "operation": ours.operation[row],
            "duration_ns": np.maximum(ours.duration[row], 0),
        }
    ).with_columns(grid.decoded("cell"), *ours.vocabulary.decoded("service", "operation"))
    return ROOT_DURATIONS.conform(named.join(roots, on=["service", "operation"], how="semi"))


def band_facts(bucket: TraceBucket, cells: Cells, limits: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of the call paths of the requests in each band, as `model.BAND_FACTS`.

    Where a trace has several root requests, only those in the band count.

    Args:
        bucket: Whole traces, duplicates removed.
        cells: The windows; traces in none of them are left out.
        limits: As `model.BAND_LIMITS`.
    """
    ours = spans(bucket)
    cell = trace_cells(ours, cells)
    near = _inside(ours, cell.path, np.arange(len(ours)), limits)
    ours = ours.of_traces(_with(ours, near) & cell.inside)
    if len(ours) == 0:
        return BAND_FACTS.empty()
    grid = trace_cells(ours, cells).path
    found = derived(ours, bucket)
    root = root_of_each(found.steps.parent)
    parts = [BAND_FACTS.empty()]
    for (band,), mine in limits.group_by("band", maintain_order=True):
        inside = _inside(ours, grid, found.steps.span[root], mine)
        facts = path_facts(found, grid, inside)
        parts.append(BAND_FACTS.conform(facts.with_columns(band=pl.lit(band))))
    return pl.concat(parts)


def _named(ours: Spans, service: str, operation: str) -> Bools:
    code = ours.vocabulary.code
    named: Bools = (ours.service == code(service)) & (ours.operation == code(operation))
    return named


def _with(ours: Spans, rows: Bools) -> Bools:
    """Return which traces have one of those spans."""
    having = np.zeros(ours.offsets.size - 1, dtype=np.bool_)
    having[ours.trace[rows]] = True
    return having


def _inside(ours: Spans, grid: Grid, row: Rows, limits: pl.DataFrame) -> Bools:
    """Return which of the spans `row`, taken as root requests, lie within any of `limits`."""
    inside = np.zeros(row.size, dtype=np.bool_)
    start = grid.starts[grid.of_trace]
    wanted = ("service", "operation", "window_start_ns", "low_ns", "high_ns")
    for service, operation, start_ns, low_ns, high_ns in limits.select(wanted).iter_rows():
        duration = np.maximum(ours.duration, 0)
        held = _named(ours, service, operation) & (duration >= low_ns) & (duration <= high_ns)
        held &= start[ours.trace] == start_ns
        inside |= held[row]
    return inside
