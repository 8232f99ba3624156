"""One trace as a waterfall."""

from __future__ import annotations

import polars as pl

from tracemap.model.table import Table, column

TRACE = Table(
    "trace",
    "One trace as a waterfall, in depth-first order.",
    (
        column("trace_id", pl.String, "", "32 hex digits"),
        column("span_id", pl.String, "", "16 hex digits"),
        column("parent_span_id", pl.String, "", "16 hex digits; null: root"),
        column("depth", pl.Int32, "", "ancestors that are present"),
        column("service", pl.String, "", "who recorded it"),
        column("operation", pl.String, "", "low-cardinality operation name"),
        column("name", pl.String, "", "span name as recorded"),
        column("kind", pl.String, "", "INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER, UNSPECIFIED"),
        column("status_code", pl.String, "", "UNSET, OK, ERROR"),
        column("start_ns", pl.Int64, "ns since the epoch", "start as recorded"),
        column("duration_ns", pl.Int64, "ns", "end - start; null: no end"),
        column("self_ns", pl.Int64, "ns", "own time by local tiling"),
        column("critical_ns", pl.Int64, "ns", "exclusive time on the critical path of the trace"),
        column(
            "critical_parts_ns",
            pl.List(pl.Int64),
            "ns",
            "where that time lies: from, to, from, to, ... since the span's own start",
        ),
        column("flags", pl.List(pl.String), "", "orphan, async, abandoned, skewed, ..."),
    ),
    key=("trace_id", "span_id"),
)
