"""Section "Origins": where it began, ranked, with the evidence and traces that show it."""

from __future__ import annotations

from tracemap.report.blocks import Column, Note, Section, remark
from tracemap.report.names import shown
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import Story
from tracemap.report.tables import OPERATION, SERVICE, table
from tracemap.report.words import counted, interval

_COLUMNS = (
    Column("rank", "Rank", "count"),
    SERVICE,
    OPERATION,
    Column("cause", "Cause", "text", "origin-cause"),
    Column("edge_words", "Only on the edge", "name"),
    Column("excess_ms", "Excess ms", "ms", "excess"),
    Column("interval_ms", "95 % interval ms", "range", "excess"),
    Column("excess_errors", "Excess failures", "share", "excess-failures"),
    Column("share", "Share", "share", "excess-share"),
    Column("confidence", "Confidence", "text", "confidence"),
    Column("owner", "Owner", "name", "owner"),
    Column("evidence", "Evidence", "name"),
    Column("exemplars", "Traces", "traces", "exemplar-traces"),
)


def origins(story: Story) -> Section | None:
    """Return the ranking; None where the recipe computed none."""
    if "origins" not in story.findings.tables:
        return None
    how = (
        "Excess is the time an origin added to a user's request, on average over all requests. "
        "Cause wire is network, pool or queue; a named edge means that only it rose. Cause mix "
        "accuses nobody: requests of another kind came."
    )
    if not story.origins:
        if story.findings.verdict == "incident":
            unnamed = remark("No service or edge explains enough of the change to be named.")
            return Section("origins", "Origins", (*about_part(story), unnamed), how)
        return None
    rows = [_row(story, row) for row in story.origins]
    unowned = all(not row["owner"] for row in rows)
    columns = tuple(
        column
        for column in _COLUMNS
        if not (column.key == "owner" and unowned)
        and not (column.key == "edge_words" and not any(row["edge"] for row in rows))
        and not (column.key == "excess_errors" and not any(row["excess_errors"] for row in rows))
    )
    remarks = _weak(rows)
    if unowned:
        remarks.append(remark("No owner is known for any of these services."))
    made = table("origins-table", "Origins, the likeliest first", columns, rows)
    return Section("origins", "Origins", (*about_part(story), made, *remarks), how)


def _weak(rows: list[Row]) -> list[Note]:
    weak = sum(row["confidence"] == "weak" for row in rows)
    if not weak:
        return []
    return [
        remark(
            f"{counted(weak, 'origin')} of {len(rows):,} with weak confidence: a lead to follow, "
            "not a finding. Bursts or thin data could look the same."
        )
    ]


def _row(story: Story, row: Row) -> Row:
    edge = row["edge"]
    return {
        **row,
        "owner": row["owner"] or story.owners.get(row["service"]),
        "interval_ms": interval(row["low_ms"], row["high_ms"]),
        "edge_words": f"{shown(edge['downstream'], 80)} → {shown(edge['upstream'], 80)}"
        if edge
        else None,
    }
