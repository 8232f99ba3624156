"""Section "Insulation": edge by edge, what stops a spike or makes it worse; where nothing does."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Section, remark
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import Story
from tracemap.report.tables import DOWNSTREAM, UPSTREAM, table
from tracemap.report.words import counted

_ROWS = 50
_FEW_FAILED = "; too few of its calls failed to say what a failure does"
"""How the finding says it, of an edge."""
_EDGE = (
    DOWNSTREAM,
    Column("downstream_operation", "Its operation", "name"),
    UPSTREAM,
    Column("upstream_operation", "Its operation", "name"),
)
_SEEN = (
    *_EDGE,
    Column("pattern", "Pattern", "text", "pattern"),
    Column("role", "Role", "text", "role"),
    Column("absorbed_ms", "Kept away ms", "ms", "kept-away"),
    Column("rescued", "Rescued", "count", "rescued"),
    Column("confidence", "Confidence", "text", "pattern-confidence"),
    Column("shows", "What was seen", "sentence"),
    Column("exemplars", "Traces", "ids", "exemplar-traces"),
)
_MISSING = (
    *_EDGE,
    Column("share", "Requests through it", "share", "requests-through-it"),
    Column("limit_ms", "p99 ms", "ms", "percentiles"),
    Column("confidence", "Confidence", "text", "pattern-confidence"),
    Column("shows", "What was seen", "sentence"),
)


def insulation(story: Story) -> Section | None:
    """Return what was seen and what is missing; None where the recipe computed neither."""
    seen = [row for row in story.insulation if row["role"] != "missing"]
    missing = [row for row in story.insulation if row["role"] == "missing"]
    if not story.insulation:
        return None
    blocks: list[Block] = [*about_part(story)]
    if seen:
        caption = f"{counted(len(seen), 'pattern')} on edges, what protects first"
        blocks.append(table("insulation-table", caption, _SEEN, seen[:_ROWS]))
        blocks += _rest(seen)
    else:
        blocks.append(
            remark("No retry, timeout, breaker, hedge or fallback came into play in the spans.")
        )
    if missing:
        caption = (
            f"{counted(len(missing), 'edge')} on which nothing was seen that would stop a spike, "
            "by requests that depend on them"
        )
        shown, note = _said_once(missing[:_ROWS])
        blocks.append(table("missing-insulation-table", caption, _MISSING, shown))
        blocks += [*_rest(missing), *note]
        blocks.append(
            remark(
                "Cannot be seen in spans: a timeout that no call reached, a breaker that never "
                "opened, a fallback that was never needed. Strong means that a spike came through."
            )
        )
    return Section(
        "insulation",
        "Insulation",
        tuple(blocks),
        "What protects an edge keeps time or failures of upstream from downstream; what hurts "
        "makes a spike worse; advice says what could be faster. Where nothing is seen, the "
        "downstream team decides whether something should be.",
    )


def _said_once(rows: list[Row]) -> tuple[list[Row], list[Block]]:
    """Return rows, and a remark in place of what each of them would say of failures."""
    if not all(row["shows"].endswith(_FEW_FAILED) for row in rows):
        return rows, []
    shorter = [{**row, "shows": row["shows"].removesuffix(_FEW_FAILED)} for row in rows]
    return shorter, [remark("Too few calls failed on these edges to say what a failure does.")]


def _rest(rows: list[Row]) -> list[Block]:
    if len(rows) <= _ROWS:
        return []
    return [remark(f"and {len(rows) - _ROWS:,} more: see the JSON file.")]
