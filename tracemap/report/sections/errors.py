"""Section "Errors": edge by edge, which failures reached downstream, and how hard it depends."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import Story
from tracemap.report.tables import CALLS, DOWNSTREAM, UPSTREAM, table
from tracemap.report.words import counted, percent

_SILENT = ("no spike", "too few calls")
_COLUMNS = (
    UPSTREAM,
    Column("upstream_operation", "Its operation", "name"),
    DOWNSTREAM,
    Column("downstream_operation", "Its operation", "name"),
    Column("offered_errors", "Offered", "share", "offered-failures"),
    Column("arrived_errors", "Arrived", "share", "arrived-failures"),
    Column("interval", "95 % interval", "range", "arrived-failures"),
    Column("verdict", "Verdict", "verdict", "verdict"),
    Column("hardness", "Hardness", "share", "edge-hardness"),
    Column("hardness_interval", "95 % interval", "range", "edge-hardness"),
    Column("errors", "Failed calls", "count", "failed-calls"),
    Column("baseline_errors", "in baseline", "count", "failed-calls"),
    CALLS,
)


def errors(story: Story) -> Section | None:
    """Return the table of edges with failed calls; None where there are none."""
    found = story.finding("errors")
    if not found:
        return None
    blocks: list[Block] = [*about_part(story)]
    if all(row["verdict"] in _SILENT for row in found):
        blocks.append(remark("No upstream failed its downstream more often than in the baseline."))
    rows = [_row(row) for row in found]
    caption = f"{counted(len(rows), 'edge')} with failed calls, what arrived most first"
    blocks.append(table("errors-table", caption, _COLUMNS, rows))
    return Section(
        "errors",
        "Errors",
        tuple(blocks),
        "Shares of downstream requests, against the baseline. Offered is how many more calls "
        "failed, arrived how many more requests failed because of them.",
    )


def _row(row: Row) -> Row:
    return {
        **row,
        "interval": _interval(row["arrived_low"], row["arrived_high"]),
        "hardness_interval": _interval(row["hardness_low"], row["hardness_high"]),
    }


def _interval(low: float | None, high: float | None) -> str | None:
    if low is None or high is None or low == high:
        return None
    return f"{percent(low)} to {percent(high)}"
