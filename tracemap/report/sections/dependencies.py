"""Section "Dependencies": what depends on each upstream, availability, and circular calls."""

from __future__ import annotations

from tracemap.report.blocks import Block, Column, Name, Section, remark, warning
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.tables import OPERATION, SERVICE, UPSTREAM, table
from tracemap.report.words import counted

_SHOWN = 50
_COLUMNS = (
    UPSTREAM,
    Column("upstream_kind", "It is a"),
    Column("reach", "Requests that reach it", "share", "reach"),
    Column("waiting", "that wait for it", "share", "reach"),
    Column("hit", "Failures began here", "count", "hardness"),
    Column("survived", "Requests that survived", "share", "hardness"),
    Column("hardness", "Hardness", "ratio", "hardness"),
    Column("single_point", "Single point of failure", "text", "single-point"),
    Column("entries", "User operations that reach it", "text", "reach"),
    Column("owner", "Owner", "name", "owner"),
)
_AVAILABILITY = (
    SERVICE,
    OPERATION,
    Column("requests", "Requests", "count"),
    Column("failed_percent", "Failed %", "number", "availability-bound"),
    Column("own_percent", "by itself %", "number", "availability-bound"),
    Column("bound_percent", "Expected from its upstreams %", "number", "availability-bound"),
    Column("weakest", "Weakest upstream", "name", "availability-bound"),
    Column("weakest_percent", "fails it %", "number", "availability-bound"),
)
_FAILING = {
    "failed_percent": "measured",
    "own_percent": "own",
    "bound_percent": "bound",
    "weakest_percent": "weakest_share",
}


def dependencies(story: Story) -> Section | None:
    """Return reach and hardness per upstream, availability per request, and circles."""
    found = story.finding("dependencies")
    if not found:
        return None
    caption = "Upstreams, those that most requests reach first"
    if len(found) > _SHOWN:
        caption = f"{caption}; the first {_SHOWN} of {len(found):,}"
    shown = [{**row, "owner": story.owners.get(row["upstream"])} for row in found[:_SHOWN]]
    blocks: list[Block] = [*_circles(story.finding("cycles"))]
    blocks.append(table("dependencies-table", caption, _COLUMNS, shown))
    bounds = story.finding("availability")
    if bounds:
        caption = "User operations, the least available first"
        failing = [{**row, **_failing(row)} for row in bounds]
        blocks.append(table("availability-table", caption, _AVAILABILITY, failing))
    return Section(
        "dependencies",
        "Dependencies",
        tuple(blocks),
        "Observed in requests, not drawn from a graph. A failure counts where it began; with too "
        "few failures, what one does is unknown. Replicas behind one name cannot be seen.",
    )


def _circles(found: list[Row]) -> list[Block]:
    notes: list[Block] = []
    for row in found:
        chain = " → ".join([*row["services"], row["services"][0]])
        if row["confirmed"]:
            times = counted(row["calls"], "call")
            notes.append(
                warning("Services call each other in a circle: ", Name(chain), f" ({times}).")
            )
        else:
            among = ", ".join(row["services"])
            notes.append(
                remark(
                    "These services call each other in a circle, but no single request was seen "
                    "to go round: ",
                    Name(among),
                    ".",
                )
            )
    return notes


def _failing(row: Row) -> Row:
    """Return shares that succeed as percent that fail: 99.98 and 99.9 would both look fine."""
    return {
        name: None if row[share] is None else 100 * (1 - row[share])
        for name, share in _FAILING.items()
    }
