"""Section "Exemplars": a typical and the worst trace as waterfalls, critical path marked."""

from __future__ import annotations

import polars as pl

from tracemap.model import iso
from tracemap.report.blocks import Bar, Block, Column, Section, TableBlock, WaterfallBlock
from tracemap.report.names import shown
from tracemap.report.rows import Row, rows
from tracemap.report.story import Story
from tracemap.report.tables import OPERATION, SERVICE, table
from tracemap.report.words import clock, counted

_SHOWN = 60
_LISTED = 5_000
_FINEST = 0.0005
"""Stretches of the critical path closer than this share of the trace are drawn as one."""
_COLUMNS = (
    Column("span_id", "Span", "id"),
    Column("parent_span_id", "Below", "id"),
    SERVICE,
    OPERATION,
    Column("kind", "Kind"),
    Column("status_code", "Status"),
    Column("start_ms", "Start ms", "ms"),
    Column("duration_ms", "Duration ms", "ms"),
    Column("self_ms", "Own ms", "ms", "own-time"),
    Column("critical_ms", "Critical ms", "ms", "critical-path"),
    Column("flags", "Flags", "ids"),
)
_TITLES = {"typical": "A typical trace", "worst": "The worst trace"}


def exemplars(story: Story) -> Section | None:
    """Return the waterfalls; None where no trace was kept."""
    traces = story.findings.traces
    order = sorted(
        traces, key=lambda role: (list(_TITLES).index(role) if role in _TITLES else 9, role)
    )
    blocks: list[Block] = [
        waterfall(role, traces[role], _title(story, role, traces[role]))
        for role in order
        if not traces[role].is_empty()
    ]
    if not blocks:
        return None
    return Section(
        "exemplars",
        "Exemplars",
        tuple(blocks),
        "One bar per span, indented by depth. The strong parts are the critical path: together "
        "they are the whole duration, and to shorten one of them shortens the trace. In its pale "
        "parts a span waits for others, or nobody waits for it.",
    )


def _title(story: Story, role: str, trace: pl.DataFrame) -> str:
    """Return what a trace is an example of: of what was before or after, and of what time."""
    title = _TITLES.get(role, shown(role))
    start_ns = min(trace["start_ns"].to_list())
    baseline, window = story.findings.baseline, story.compared
    side = ""
    if baseline is not None and baseline.start_ns <= start_ns < baseline.end_ns:
        is_before = window is None or baseline.start_ns < window.start_ns
        side = " before" if is_before else " after"
    time = clock(iso(start_ns))
    is_same_day = window is not None and time[:10] == iso(window.start_ns)[:10]
    return f"{title}{side}, {time[11:16] if is_same_day else time[:16]}"


def waterfall(role: str, trace: pl.DataFrame, title: str) -> WaterfallBlock:
    """Return one trace as bars; of a long one, its critical path and the longest of the rest."""
    spans = rows("trace", trace)
    start = min(row["start_ns"] for row in trace.iter_rows(named=True))
    ends = [row["start_ns"] + (row["duration_ns"] or 0) for row in trace.iter_rows(named=True)]
    whole_ms = max((max(ends) - start) / 1e6, 1e-6)
    offsets = [(value - start) / 1e6 for value in trace["start_ns"].to_list()]
    kept = _kept(spans)
    bars = tuple(
        _bar(row, offset, whole_ms)
        for number, (row, offset) in enumerate(zip(spans, offsets, strict=True))
        if number in kept
    )
    return WaterfallBlock(
        f"trace-{role}",
        title,
        shown(spans[0]["trace_id"]),
        next((row["duration_ms"] for row in spans if row["parent_span_id"] is None), None)
        or whole_ms,
        bars,
        len(spans),
        _table(role, title, spans, offsets),
    )


def _table(role: str, title: str, spans: list[Row], offsets: list[float]) -> TableBlock:
    rows = [
        {**row, "start_ms": offset, "operation": row["operation"] or row["name"]}
        for row, offset in zip(spans[:_LISTED], offsets, strict=False)
    ]
    caption = f"{title}: {counted(len(spans), 'span')}"
    if len(spans) > _LISTED:
        caption = f"{caption}, the first {_LISTED:,}"
    return table(f"trace-{role}-table", caption, _COLUMNS, rows, folded=True)


def _kept(spans: list[Row]) -> set[int]:
    """Return places of the spans that are shown: the root, critical ones, then the longest."""
    ranked = sorted(
        range(len(spans)),
        key=lambda place: (
            spans[place]["parent_span_id"] is not None,
            -(spans[place]["critical_ms"] or 0),
            -(spans[place]["duration_ms"] or 0),
            place,
        ),
    )
    return set(ranked[:_SHOWN])


def _bar(row: Row, offset_ms: float, whole_ms: float) -> Bar:
    duration = row["duration_ms"]
    left = min(1.0, offset_ms / whole_ms)
    return Bar(
        service=shown(row["service"]),
        operation=shown(row["operation"] or row["name"]),
        depth=row["depth"],
        kind=row["kind"],
        left=round(left, 5),
        width=round(min(1.0 - left, (duration or 0.0) / whole_ms), 5),
        start_ms=offset_ms,
        duration_ms=duration,
        self_ms=row["self_ms"],
        critical_ms=row["critical_ms"],
        is_error=row["status_code"] == "ERROR",
        flags=tuple(shown(flag) for flag in row["flags"] or ()),
        parts=_parts(row["critical_parts_ms"] or [], left, whole_ms),
    )


def _parts(ends: list[float], left: float, whole_ms: float) -> tuple[tuple[float, float], ...]:
    """Return (left, width) of each stretch; stretches too close to tell apart become one."""
    joined: list[tuple[float, float]] = []
    for start_ms, end_ms in zip(ends[::2], ends[1::2], strict=True):
        start, end = left + start_ms / whole_ms, left + end_ms / whole_ms
        if joined and start - joined[-1][1] < _FINEST:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(
        (round(start, 5), round(min(end, 1.0) - start, 5)) for start, end in joined if start < 1
    )
