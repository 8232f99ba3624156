"""Section "Origins": where it began, ranked, with the evidence and traces that show it."""

from __future__ import annotations

from tracemap.report.blocks import Column, Note, Section, remark
from tracemap.report.names import label, shown
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
    Column("charged_ms", "Charged ms", "ms", "charged-time"),
    Column("excess_ms", "Excess ms", "ms", "excess"),
    Column("interval_ms", "95 % interval ms", "range", "excess"),
    Column("excess_errors", "Excess failures", "share", "excess-failures"),
    Column("share", "Share", "share", "excess-share"),
    Column("confidence", "Confidence", "text", "confidence"),
    Column("doubt", "Doubt", "text", "doubt"),
    Column("owner", "Owner", "name", "owner"),
)
_SHOWN_BY = (
    Column("rank", "Rank", "count"),
    SERVICE,
    Column("evidence", "What moved", "sentence"),
    Column("exemplars", "Traces that show it", "traces", "exemplar-traces"),
    Column("typical_exemplars", "As it was before", "traces", "exemplar-traces"),
)


def origins(story: Story) -> Section | None:
    """Return the ranking; None where the recipe computed none."""
    if "origins" not in story.findings.tables:
        return None
    how = (
        f"Charged is what the flow {_of(story)} charges to an origin, as in the headline; excess "
        "is what it added to a user's request, on average over all user requests. "
        "Cause wire is network, pool or queue; a named edge means that only it rose. Cause self "
        "with an edge: upstream records no spans, and only these calls of it rose. Cause mix "
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
        and not (column.key == "doubt" and not any(row["doubt"] for row in rows))
    )
    remarks = _weak(rows)
    if unowned:
        remarks.append(remark("No owner is known for any of these services."))
    made = table("origins-table", "Origins, the likeliest first", columns, rows)
    shown_by = table("origins-evidence-table", "What speaks for each of them", _SHOWN_BY, rows)
    return Section("origins", "Origins", (*about_part(story), made, *remarks, shown_by), how)


def _weak(rows: list[Row]) -> list[Note]:
    weak = sum(row["confidence"] == "weak" for row in rows)
    if not weak:
        return []
    return [
        remark(
            f"{counted(weak, 'origin')} of {len(rows):,} with weak confidence: a lead to follow, "
            "not a finding. The doubt says why."
        )
    ]


def _of(story: Story) -> str:
    """Return whose flow it is that the charged time is read from."""
    return f"of {label(*story.hit.step)}" if story.hit else "of the operation hit hardest"


def _row(story: Story, row: Row) -> Row:
    edge = row["edge"]
    return {
        **row,
        "charged_ms": story.hit.explained_ms(row) if story.hit else None,
        "owner": row["owner"] or story.owners.get(row["service"]),
        "interval_ms": interval(row["low_ms"], row["high_ms"]),
        "typical_exemplars": row["typical_exemplars"] or [],
        "evidence": row["evidence"].split("; "),  # each with room for its names
        "edge_words": f"{shown(edge['downstream'], 80)} → {shown(edge['upstream'], 80)}"
        if edge
        else None,
    }
