"""EXEMPLARS: a few traces per cell and entry operation that people should look at."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.model import EXEMPLARS

KEPT = 3
"""Traces kept per cell, operation and role."""

_KEY = ("window_start_ns", "service", "operation")
_TRACE = ("trace_high", "trace_low")


def exemplars(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return the slowest traces and those nearest to the median, as `model.EXEMPLARS`.

    A trace with two roots of one operation counts once, with the longer one. Roots of unknown
    duration are left out. Equal durations are ordered by trace id, so the choice is determined.
    """
    spans = derived.spans
    rows = np.flatnonzero(derived.roots & (spans.duration >= 0))
    found = pl.DataFrame(
        {
            "window_start_ns": grid.starts[grid.of_trace[spans.trace[rows]]],
            "service": spans.service[rows],
            "operation": spans.operation[rows],
            "trace_high": spans.trace_high[rows],
            "trace_low": spans.trace_low[rows],
            "duration_ns": spans.duration[rows],
        }
    )
    once = found.group_by(*_KEY, *_TRACE).agg(pl.col("duration_ns").max())
    chosen = pl.concat([_worst(once), _typical(once)])
    texts = spans.vocabulary.decoded("service", "operation")
    return _sorted(chosen.with_columns(texts))


def rechosen(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the best of `rows` (as `model.EXEMPLARS`, of several buckets) per key and role.

    The slowest of all parts are the slowest of the whole. The median of the whole is not known
    from parts: it is taken as the median of the candidates, which are medians of the parts.
    """
    distinct = rows.unique([*_KEY, *_TRACE, "role"], keep="any")
    worst = distinct.filter(pl.col("role") == "worst")
    typical = distinct.filter(pl.col("role") == "typical")
    return _sorted(pl.concat([_worst(worst), _typical(typical)]))


def _worst(rows: pl.DataFrame) -> pl.DataFrame:
    order = rows.sort("duration_ns", *_TRACE, descending=[True, False, False])
    return _ranked(order, "worst")


def _typical(rows: pl.DataFrame) -> pl.DataFrame:
    ordered = rows.sort("duration_ns", *_TRACE)
    middle = ordered.group_by(*_KEY).agg(middle_ns=pl.col("duration_ns").get((pl.len() - 1) // 2))
    away = (pl.col("duration_ns") - pl.col("middle_ns")).abs()
    order = ordered.join(middle, on=_KEY).sort(away, "duration_ns", *_TRACE)
    return _ranked(order, "typical")


def _ranked(ordered: pl.DataFrame, role: str) -> pl.DataFrame:
    kept = ordered.group_by(*_KEY, maintain_order=True).head(KEPT)
    return kept.select(
        *_KEY,
        pl.lit(role).alias("role"),
        pl.int_range(1, pl.len() + 1).over(_KEY).alias("rank"),
        *_TRACE,
        "duration_ns",
    )


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    return EXEMPLARS.conform(rows).sort(*_KEY, "role", "rank")
