"""Section "Bottlenecks": where the time of requests goes, and what could be won."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.names import label
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import CALLS, OPERATION, table
from tracemap.report.words import percent, shares

_SHOWN = 50
_COLUMNS = (
    Column("rank", "#", "count"),
    Column("where", "Where", "name", "bottleneck-place"),
    OPERATION,
    Column("place", "What", "text", "bottleneck-place"),
    Column("critical_share", "Share of request time", "share", "critical-share"),
    Column("interval", "95 % interval", "range", "critical-share"),
    Column("critical_ms", "Per request ms", "ms", "critical-share"),
    Column("saved_per_second_ms", "Won by 10 %, ms each s", "ms", "potential-impact"),
    Column("hidden_share", "Calls hidden", "share", "slack"),
    Column("slack_ms", "Slack ms", "ms", "slack"),
    CALLS,
    Column("owner", "Owner", "name", "owner"),
)


def bottlenecks(story: Story) -> Section | None:
    """Return the places that take most time on the critical path; None without any."""
    found = story.finding("bottlenecks")
    if not found:
        return None
    most = found[0]
    said = remark(
        f"{percent(most['critical_share'])} of the time of all requests is {most['place']} of "
        f"{label(_where(most), most['operation'])}."
    )
    caption = "Where requests spend their time, most first"
    if len(found) > _SHOWN:
        caption = f"{caption}; the first {_SHOWN} of {len(found):,}"
    shown = [_row(story, row) for row in found[:_SHOWN]]
    blocks: list[Block] = [said, table("bottlenecks-table", caption, _COLUMNS, shown)]
    return Section(
        "bottlenecks",
        "Bottlenecks",
        tuple(blocks),
        "Only time that somebody waited for counts: what ran beside something slower is hidden, "
        "and could take the slack longer before anybody noticed.",
    )


def _where(row: Row) -> str:
    return f"{row['downstream']} → {row['service']}" if row["downstream"] else row["service"]


def _row(story: Story, row: Row) -> Row:
    low, high = row["low_share"], row["high_share"]
    known = low is not None and high is not None
    return {
        **row,
        "where": _where(row),
        "interval": shares(low, high) if known else None,
        "owner": story.owners.get(row["service"]),
    }
