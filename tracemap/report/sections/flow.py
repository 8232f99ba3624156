"""Section "Flow": milliseconds from origin through hops to what users see."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from tracemap.report.blocks import Block, Column, FigureBlock, Section, TableBlock, remark
from tracemap.report.figures.sankey import Stop, Stream, sankey, stream_words
from tracemap.report.names import label, shown
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import LEAST_MS, Leaf, Root, Story
from tracemap.report.tables import table
from tracemap.report.words import counted, in_ms, interval

_ROOTS = 6
_PARTS = 10
_SMALLEST_SHARE = 0.02
_COLOURS = {
    "origin": "var(--origin)",
    "leaf": "var(--between)",
    "hop": "var(--node)",
    "user": "var(--victim)",
}
_COLUMNS = (
    Column("root", "User-visible operation", "name", "user-visible-operation"),
    Column("what", "What changed", "name", "flow-share"),
    Column("way", "On the way", "name"),
    Column("share_ms", "ms per request", "ms", "flow-share"),
    Column("interval_ms", "95 % interval ms", "range", "flow-share"),
)


def flow(story: Story) -> Section | None:
    """Return the diagram with its numbers; None without a flow."""
    roots = [root for root in story.roots if root.leaves]
    if not roots:
        return None
    blocks: list[Block] = [*about_part(story)]
    figure = _figure(story, [root for root in roots if root.change_ms >= LEAST_MS][:_ROOTS])
    numbers = _table(roots, is_folded=figure is not None)
    if figure is None:
        blocks.append(remark("No user-visible operation became slower on average."))
        blocks.append(numbers)
    else:
        blocks.append(replace(figure, table=numbers))
    return Section(
        "flow",
        "Flow",
        tuple(blocks),
        "Read from left to right: time began on the left and reached users on the right. The width "
        "is milliseconds per user request; small parts and parts that got faster are left to the "
        "table.",
    )


def leaf_words(row: Row) -> str:
    """Return what a leaf of the flow stands for."""
    service, upstream = shown(row["service"], 60), shown(row["upstream"], 60)
    return {
        "self": f"{service}: own time",
        "gap": f"{service} → {upstream}: gap",
        "calls": f"{service}: more calls to {upstream}",
        "virtual": upstream,
        "small": "small parts",
        "unresolved": f"{service}: unresolved",
    }.get(row["leaf"], service)


def _figure(story: Story, roots: list[Root]) -> FigureBlock | None:
    merged: dict[tuple[Stop, Stop], float] = {}
    for root in roots:
        large = [leaf for leaf in root.leaves if leaf.share_ms > _SMALLEST_SHARE * root.change_ms]
        for leaf in sorted(large, key=lambda leaf: -leaf.share_ms)[:_PARTS]:
            for ends in _stops(story, leaf):
                merged[ends] = merged.get(ends, 0.0) + leaf.share_ms
    if not merged:
        return None
    streams = [
        Stream(*ends, value, stream_words(ends[0].label, ends[1].label, value))
        for ends, value in sorted(
            merged.items(),
            key=lambda item: (-item[0][0].hops, item[0][0].label, item[0][1].label),
        )
    ]
    first = story.hit if story.hit in roots else roots[0]
    largest = max(first.leaves, key=lambda leaf: leaf.share_ms)
    way = " → ".join(shown(service, 60) for service in largest.services)
    summary = (
        f"{counted(len(roots), 'user-visible operation')} became slower. Of the change of "
        f"{label(*first.step)}, {in_ms(largest.share_ms * 1e6)} per "
        f"request came from {leaf_words(largest.row)} (way: {way})."
    )
    return sankey("flow-figure", "From origin to users", summary, streams, colours=_COLOURS)


def _stops(story: Story, leaf: Leaf) -> list[tuple[Stop, Stop]]:
    """Return the pairs of stops a leaf's time passes, origin first."""
    entries = [step for step in leaf.steps if step[1] or step == leaf.steps[-1]]
    is_origin = story.origin is not None and any(
        leaf in root.from_origin(story.origin) for root in story.roots
    )
    stops = [
        Stop(
            len(entries) - 1 - number,
            label(*step),
            "user" if number == len(entries) - 1 else "hop",
        )
        for number, step in enumerate(entries)
    ]
    start = Stop(len(entries), leaf_words(leaf.row), "origin" if is_origin else "leaf")
    way = [start, *stops]
    return list(pairwise(way))


def _table(roots: list[Root], *, is_folded: bool) -> TableBlock:
    rows = [
        {
            "root": label(root.service, root.operation),
            "what": leaf_words(leaf.row),
            "way": " → ".join(shown(service, 60) for service in leaf.services),
            "share_ms": leaf.share_ms,
            "interval_ms": interval(leaf.row["low_ms"], leaf.row["high_ms"]),
        }
        for root in roots
        for leaf in sorted(root.leaves, key=lambda leaf: (-leaf.share_ms, leaf_words(leaf.row)))
    ]
    caption = "What the change of each user-visible operation is made of"
    return table("flow-table", caption, _COLUMNS, rows, folded=is_folded)
