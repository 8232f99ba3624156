"""Traces that show a finding: where to look for them, and those that were found."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import WINDOW_START
from tracemap.model.spans import TRACE_HIGH, TRACE_LOW
from tracemap.model.table import Table, column

_NUMBER = column("number", pl.Int32, "", "which of the things to be shown")
_ROLE = column("role", pl.String, "", "shows: it was slow here; typical: as it usually is")

EXEMPLAR_PLACES = Table(
    "exemplar_places",
    "What is to be shown by traces: durations of one unit.",
    (
        _NUMBER,
        column("unit", pl.String, "", "server, self, client or gap"),
        column("downstream", pl.String, "", "who waits; null: whoever does"),
        column("service", pl.String, "", "whose time, or who is called"),
        column("operation", pl.String, "", "its operation; null: any"),
        column("failing", pl.Boolean, "", "whether failures show it, rather than time"),
    ),
    key=("number",),
)

EXEMPLAR_CELLS = Table(
    "exemplar_cells",
    "In which cell of time to look for traces that show something.",
    (
        *EXEMPLAR_PLACES.columns,
        _ROLE,
        WINDOW_START,
        column("middle_ns", pl.Int64, "ns", "the median, which a typical trace is near"),
    ),
    key=("number", "role"),
)

UNIT_EXEMPLARS = Table(
    "unit_exemplars",
    "Traces that show something, the best first.",
    (
        _NUMBER,
        _ROLE,
        column("away", pl.Float64, "", "how far from the best choice; smaller is better"),
        TRACE_HIGH,
        TRACE_LOW,
    ),
    key=("number", "role", "trace_high", "trace_low"),
)
