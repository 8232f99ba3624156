"""Traces in which a unit was slow, or as usual, read from spans when a report asks for them."""

from __future__ import annotations

import polars as pl

from tracemap.derive.cells import trace_cells
from tracemap.derive.derived import derived
from tracemap.derive.latency import Unit, units
from tracemap.derive.spans import Spans, spans
from tracemap.model import UNIT_EXEMPLARS, Cells, TraceBucket

KEPT = 3
"""Traces kept for each thing to be shown and role."""

_TRACE = ["trace_high", "trace_low"]
_NAMES = ("downstream", "service", "operation")


def unit_exemplars(bucket: TraceBucket, cells: Cells, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return the traces of one bucket that show each thing best, as `model.UNIT_EXEMPLARS`.

    What is slow is shown by the traces in which it took most time in all, what fails by those in
    which it failed most often; typical are those whose slowest call is nearest to the median.

    Args:
        bucket: Whole traces, duplicates removed.
        cells: Those that `wanted` names; traces in none of them are left out.
        wanted: As `model.EXEMPLAR_CELLS`.
    """
    ours = spans(bucket)
    ours = ours.of_traces(trace_cells(ours, cells).inside)
    if len(ours) == 0 or wanted.is_empty():
        return UNIT_EXEMPLARS.empty()
    starts = trace_cells(ours, cells).latency
    found = units(derived(ours, bucket))
    parts = [UNIT_EXEMPLARS.empty()]
    for (name,), mine in wanted.group_by("unit", maintain_order=True):
        seen = _observed(ours, found[str(name)], starts.starts[starts.of_trace])
        any_named = [mine[column].is_null() for column in ("downstream", "operation")]
        alike = mine.with_columns(a=any_named[0], b=any_named[1]).partition_by("a", "b")
        parts += [_ranked(seen, asked) for asked in alike]
    return best_exemplars(parts)


def best_exemplars(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the best of several tables, as `model.UNIT_EXEMPLARS`: `KEPT` for each role."""
    rows = pl.concat([UNIT_EXEMPLARS.empty(), *parts]).sort("number", "role", "away", *_TRACE)
    return rows.group_by("number", "role", maintain_order=True).head(KEPT)


def _observed(ours: Spans, unit: Unit, start_of_trace: object) -> pl.DataFrame:
    """Return one row per observation: its cell, names, trace, duration, and whether it failed."""
    trace = ours.trace[unit.row]
    return pl.DataFrame(
        {
            "window_start_ns": start_of_trace[trace],  # type: ignore[index]
            "downstream": unit.downstream,
            "service": unit.service,
            "operation": unit.operation,
            "trace_high": ours.trace_high[unit.row],
            "trace_low": ours.trace_low[unit.row],
            "ns": unit.ns,
            "failed": unit.failed,
        }
    ).with_columns(*ours.vocabulary.decoded(*_NAMES))


def _ranked(seen: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """Return the traces of `seen` that show what is asked; a name that is null is any name."""
    keys = ["window_start_ns", *(name for name in _NAMES if asked[name].null_count() == 0)]
    traces = (
        asked.select("number", "role", "failing", "middle_ns", *keys)
        .join(seen.select(*keys, *_TRACE, "ns", "failed"), on=keys)
        .group_by("number", "role", "failing", "middle_ns", *_TRACE)
        .agg(pl.col("ns").sum(), slowest=pl.col("ns").max(), failed=pl.col("failed").sum())
        .filter(~pl.col("failing") | (pl.col("role") == "typical") | (pl.col("failed") > 0))
    )
    most = pl.when("failing").then("failed").otherwise("ns").cast(pl.Float64)
    away = (pl.col("slowest") - pl.col("middle_ns")).abs().cast(pl.Float64)
    is_typical = pl.col("role") == "typical"
    ranked = traces.with_columns(away=pl.when(is_typical).then(away).otherwise(-most))
    return UNIT_EXEMPLARS.conform(ranked)
