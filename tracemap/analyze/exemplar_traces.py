"""Which two traces show an operation: a typical one and the worst."""

from __future__ import annotations

import polars as pl

from tracemap.model import Window
from tracemap.model.ids import trace_id


def exemplar_traces(
    exemplars: pl.DataFrame,
    operation: tuple[str, str] | None,
    incident: Window,
    baseline: Window | None,
) -> dict[str, str]:
    """Choose one typical and the worst trace of an operation.

    Args:
        exemplars: As `model.EXEMPLARS`, of both windows.
        operation: Service and root operation that the report speaks of; None: all count, as they
            do where it has no exemplars.
        incident: Where the worst is looked for.
        baseline: Where the typical one is looked for; None: in the incident.

    Returns:
        Trace ids in hex by role (``typical``, ``worst``); a role without a trace is missing.
    """
    time = pl.col("window_start_ns")
    if operation is not None:
        service, name = operation
        mine = exemplars.filter(pl.col("service").eq(service) & pl.col("operation").eq(name))
        exemplars = exemplars if mine.is_empty() else mine
    chosen: dict[str, str] = {}
    typical = exemplars.filter(
        (baseline or incident).contains(time) & pl.col("role").eq("typical")
    ).sort("duration_ns", "trace_high", "trace_low")
    worst = exemplars.filter(incident.contains(time) & pl.col("role").eq("worst")).sort(
        "duration_ns", "trace_high", "trace_low", descending=[True, False, False]
    )
    for role, frame, row in (("typical", typical, typical.height // 2), ("worst", worst, 0)):
        if not frame.is_empty():
            high, low = frame.row(row, named=True)["trace_high"], frame["trace_low"][row]
            chosen[role] = trace_id(high, low)
    return chosen
