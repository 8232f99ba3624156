"""EDGE_FACTS: observed calls summed per cell, edge, operations and rule."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.grouping import grouped
from tracemap.derive.observations import CODES, Observations
from tracemap.derive.spans import Spans
from tracemap.model import EDGE_FACTS


def edge_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return the observed calls summed, as `model.EDGE_FACTS`, sorted by key."""
    spans, calls = derived.spans, derived.calls
    row = calls.row
    client_ns, server_ns = calls.client_ns(spans), calls.server_ns(spans)
    gap = has_gap(spans, calls)
    summed = grouped(
        {"cell": grid.of_trace[spans.trace[row]]} | {name: getattr(calls, name) for name in CODES},
        {
            "calls_weighted": spans.weight[row],
            "errors_downstream": calls.failed_downstream,
            "errors_upstream": calls.failed_upstream,
            "client_calls": client_ns >= 0,
            "client_ns": np.maximum(client_ns, 0),
            "server_calls": server_ns >= 0,
            "server_ns": np.maximum(server_ns, 0),
            "gap_calls": gap,
            "gap_ns": np.where(gap, client_ns - server_ns, 0),
            "first_ns": spans.start[row],
            "last_ns": spans.start[row],
        },
        smallest=["first_ns"],
        largest=["last_ns"],
    )
    texts = spans.vocabulary.decoded(*CODES)
    return EDGE_FACTS.conform(
        summed.with_columns(grid.decoded("cell"), *texts, calls=pl.col("rows"))
    )


def has_gap(spans: Spans, calls: Observations) -> Bools:
    """Return for which calls both durations are known and the client's is not the shorter one."""
    client_ns, server_ns = calls.client_ns(spans), calls.server_ns(spans)
    return (server_ns >= 0) & (client_ns >= server_ns)
