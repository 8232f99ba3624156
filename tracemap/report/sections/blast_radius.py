"""Section "Blast radius": every user-visible operation that became slower, and who owns it."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Section, plain, remark
from tracemap.report.phrases import cause_words
from tracemap.report.roots import Root
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import LEAST_MS, Story
from tracemap.report.tables import OPERATION, SERVICE, table
from tracemap.report.words import counted, in_ms, interval

_COLUMNS = (
    SERVICE,
    OPERATION,
    Column("owner", "Owner", "name", "owner"),
    Column("requests", "Requests", "count", "calls"),
    Column("change_ms", "Change ms", "ms", "flow-share"),
    Column("interval_ms", "95 % interval ms", "range", "ordinary-variation"),
    Column("origin_ms", "From first origin ms", "ms", "charged-time"),
    Column("unexplained_ms", "Unexplained ms", "ms", "unexplained"),
    Column("lost_minutes", "Waited longer, min in all", "number", "flow-share"),
)


def blast_radius(story: Story) -> Section | None:
    """Return the user-visible operations, those that lost most time in all first."""
    if not story.roots:
        return None
    rows = [_row(story, root) for root in story.roots]
    hurt = counted(len(story.slower), "user-visible operation")
    said: list[str] = [f"{hurt} of {len(rows):,} became slower by at least "]
    said.append(f"{in_ms(LEAST_MS * 1e6)} on average and by more than ordinary variation.")
    if story.origin:
        is_lead = story.origin["confidence"] == "weak"
        called = "A lead, not a finding," if is_lead else "The first origin"
        said.append(f" {called} is {plain(cause_words(story.origin))}.")
    caption = "User-visible operations, those that lost most time in all first"
    blocks: list[Block] = [
        *about_part(story),
        remark("".join(said)),
        table("blast-radius-table", caption, _COLUMNS, rows),
    ]
    return Section(
        "blast_radius",
        "Blast radius",
        tuple(blocks),
        "Change is of the mean per request. Waited longer is change times requests: what users "
        "lost in all. An unknown owner is shown as a dash.",
    )


def _row(story: Story, root: Root) -> Row:
    origin_ms = None
    if story.origin:
        origin_ms = root.explained_ms(story.origin)
    lost = None if root.requests is None else root.change_ms * root.requests / 60_000
    return {
        "service": root.service,
        "operation": root.operation,
        "owner": story.owners.get(root.service),
        "requests": root.requests,
        "change_ms": root.change_ms,
        "interval_ms": interval(root.low_ms, root.high_ms),
        "origin_ms": origin_ms,
        "unexplained_ms": root.unexplained_ms,
        "lost_minutes": lost,
    }
