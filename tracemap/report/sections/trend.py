"""Section "Trend": the edges that changed and the busiest ones, week by week."""

from __future__ import annotations

from tracemap.model import USER
from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.figures.panels import Panel, panels
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import CALLS, DOWNSTREAM, UPSTREAM, table
from tracemap.report.week_words import changed
from tracemap.report.words import counted, in_ms, listed

_PANELS = 5
_DAYS = 7
_COLUMNS = (
    DOWNSTREAM,
    UPSTREAM,
    Column("week_start", "Seven days from (UTC)", "time"),
    Column("days", "Days", "number", "partial-week"),
    CALLS,
    Column("calls_per_day", "Calls a day", "number", "partial-week"),
    Column("error_ratio", "Failed", "share", "failed-calls"),
    Column("p50_ms", "p50 ms", "ms", "percentiles"),
    Column("p95_ms", "p95 ms", "ms", "percentiles"),
    Column("p99_ms", "p99 ms", "ms", "percentiles"),
)


def trend(story: Story) -> Section | None:
    """Return what users wait for and the edges that changed, over the weeks; None with one week."""
    weeks = sorted({row["week_start"] for row in story.trend})
    if len(weeks) < 2:  # noqa: PLR2004
        return None
    by_edge: dict[tuple[str, str], list[Row]] = {}
    for row in story.trend:
        by_edge.setdefault((row["downstream"], row["upstream"]), []).append(row)
    drawn = [edge for edge in _edges(story, by_edge) if _has_line(by_edge[edge])][:_PANELS]
    shown = [
        Panel(("client", upstream, "", "" if downstream == USER else downstream),
              upstream if downstream == USER else f"{downstream} → {upstream}", "between",
              [_point(row) for row in by_edge[downstream, upstream]])
        for downstream, upstream in drawn
    ]  # fmt: skip
    behind = table("trend-table", "Each edge, week by week", _COLUMNS, story.trend)
    partial = _partial(story)
    blocks: list[Block] = [remark(partial)] if partial else []
    if shown:
        title = f"{counted(len(weeks), 'week')}: p95 (line) and median (dotted) in ms"
        words = " ".join(_words(panel, weeks[-1]) for panel in shown)
        blocks.append(panels("trend-figure", title, words, shown))
    return Section(
        "trend",
        "Trend",
        (*blocks, behind),
        "Seven days a point, the last one up to the end of the window: what users wait for first, "
        "then the edges that changed most. A week without calls has no point; one that holds less "
        "than seven days of data says how many.",
    )


def _partial(story: Story) -> str:
    """Return which weeks hold less than seven days of data, in words; '' for none."""
    days = {row["week_start"]: row["days"] for row in story.trend}
    found = [
        f"{week[:10]} ({days[week]:g} of 7 days)" for week in sorted(days) if days[week] < _DAYS
    ]
    if not found:
        return ""
    one = len(found) == 1
    return (
        f"{'A partial week begins' if one else 'Partial weeks begin'} {listed(found)}: "
        f"{'its' if one else 'their'} calls are compared with those of other weeks by the day only."
    )


def _edges(story: Story, known: dict[tuple[str, str], list[Row]]) -> list[tuple[str, str]]:
    """Return edges to draw: requests from outside, then those that changed, then the busiest."""
    outside = [edge for edge in known if edge[0] == USER]
    moved = [(row["downstream"], row["upstream"]) for row in changed(story)]
    busiest = sorted(known, key=lambda edge: (-sum(row["calls"] for row in known[edge]), edge))
    wanted = [edge for edge in [*sorted(outside)[:2], *moved, *busiest] if edge in known]
    return list(dict.fromkeys(wanted))


def _has_line(rows: list[Row]) -> bool:
    return sum(row["p95_ms"] is not None for row in rows) > 1


def _point(row: Row) -> Row:
    return {
        "unit": "client", "service": row["upstream"], "operation": "",
        "downstream": row["downstream"], "window_start": row["week_start"], "calls": row["calls"],
        "p50_ms": row["p50_ms"], "p95_ms": row["p95_ms"], "p99_ms": row["p99_ms"],
    }  # fmt: skip


def _words(panel: Panel, last: str) -> str:
    rows = [row for row in panel.rows if row["p95_ms"] is not None]
    first_ms, last_ms = (in_ms(row["p95_ms"] * 1e6) for row in (rows[0], rows[-1]))
    if rows[-1]["window_start"] != last:
        return f"{panel.title}: p95 {first_ms} in its first week, not seen in the last."
    return f"{panel.title}: p95 {first_ms} in its first week, {last_ms} in the last."
