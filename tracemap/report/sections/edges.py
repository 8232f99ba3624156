"""Section "Edges": every observed edge with calls, errors on both sides, latency and evidence."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Note, Section, remark
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import (
    CALLS,
    DOWNSTREAM,
    DOWNSTREAM_OWNER,
    UPSTREAM,
    UPSTREAM_OWNER,
    table,
)
from tracemap.report.words import counted

_THIN = 20
_WEIGHTED = Column("calls_weighted", "Calls, weighted", "count", "weighted-calls")
_COLUMNS = (
    DOWNSTREAM,
    UPSTREAM,
    CALLS,
    Column("p50_ms", "p50 ms", "ms", "percentiles"),
    Column("p90_ms", "p90 ms", "ms", "percentiles", is_extra=True),
    Column("p95_ms", "p95 ms", "ms", "percentiles"),
    Column("p99_ms", "p99 ms", "ms", "percentiles"),
    Column("max_ms", "Slowest ms", "ms", "percentiles", is_extra=True),
    Column("errors_downstream", "Errors seen downstream", "count", "failed-calls"),
    Column("errors_upstream", "Errors seen upstream", "count", "failed-calls"),
    Column("retries", "Retries", "count", "retries"),
    Column("baseline_p95_ms", "p95 before ms", "ms", "percentiles", is_extra=True),
    Column("incident_p95_ms", "p95 during ms", "ms", "percentiles", is_extra=True),
    Column("server_p50_ms", "Server p50 ms", "ms", "percentiles", is_extra=True),
    Column("server_p95_ms", "Server p95 ms", "ms", "percentiles"),
    Column("server_p99_ms", "Server p99 ms", "ms", "percentiles", is_extra=True),
    Column("gap_p50_ms", "Gap p50 ms", "ms", "gap"),
    Column("gap_p95_ms", "Gap p95 ms", "ms", "gap", is_extra=True),
    Column("upstream_kind", "Upstream is a"),
    Column("protocol", "Protocol"),
    Column("evidence", "Evidence", "text", "evidence"),
    Column("traces", "Slowest and typical trace", "traces", "exemplar-traces"),
    DOWNSTREAM_OWNER,
    UPSTREAM_OWNER,
)


def edges(story: Story) -> Section | None:
    """Return the table of edges, those with most calls first; None without edges."""
    if not story.edges:
        return None
    columns = list(_COLUMNS)
    if is_sampled(story):
        columns.insert(columns.index(CALLS) + 1, _WEIGHTED)
    blocks: list[Block] = [*_remarks(story)]
    rows = [{**row, "traces": _traces(row)} for row in story.edges]
    blocks.append(table("edges-table", "Edges, those with most calls first", columns, rows))
    return Section(
        "edges",
        "Edges",
        tuple(blocks),
        "One row per downstream and upstream. p50 to p99 are what downstream waited; server is "
        "what upstream took; the gap between them is network, pool and queue.",
    )


def _traces(row: Row) -> list[str]:
    return [trace for trace in (row["slow_trace"], row["typical_trace"]) if trace]


def is_sampled(story: Story) -> bool:
    """Return whether some calls stand for more than themselves."""
    return any(
        row["calls_weighted"] is not None and row["calls_weighted"] > 1.001 * row["calls"]
        for row in story.edges
    )


def _remarks(story: Story) -> list[Note]:
    notes = []
    thin = sum(row["calls"] < _THIN for row in story.edges)
    if thin:
        notes.append(
            remark(
                f"{counted(thin, 'edge')} of {len(story.edges):,} saw fewer than {_THIN} "
                "calls: their percentiles are single calls, not tendencies."
            )
        )
    unpaired = sum(row["server_p50_ms"] is None for row in story.edges)
    if unpaired:
        notes.append(
            remark(
                f"{counted(unpaired, 'edge leads', 'edges lead')} to an upstream that recorded no "
                "spans of its own: what it took, and the gap, are unknown."
            )
        )
    return notes
