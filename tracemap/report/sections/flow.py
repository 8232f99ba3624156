"""Section "Flow": milliseconds from origin through hops to what users see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from tracemap.report.blocks import Block, Column, FigureBlock, Section, TableBlock, plain, remark
from tracemap.report.figures.sankey import Stop, Stream, sankey, stream_words
from tracemap.report.figures.steps import Change, steps
from tracemap.report.names import label, shown
from tracemap.report.phrases import cause_words
from tracemap.report.roots import Leaf, Root
from tracemap.report.rows import Row
from tracemap.report.sections.part import about_part
from tracemap.report.story import Story
from tracemap.report.tables import table
from tracemap.report.words import counted, in_ms, interval, signed_ms

_ROOTS = 6
_PARTS = 10
_STEPS = 8
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
    figure = _figure(story, [root for root in story.slower if root.leaves][:_ROOTS])
    if story.hit is not None and story.hit in story.slower:
        blocks += _steps(story, story.hit)
    numbers = _table(roots, is_folded=figure is not None)
    if figure is None:
        is_open = story.is_held_back or any(root.is_within_variation for root in roots)
        certain = "by more than ordinary variation" if is_open else "on average"
        blocks.append(remark(f"No user-visible operation became slower {certain}."))
        blocks.append(numbers)
    else:
        blocks.append(replace(figure, table=numbers))
    return Section(
        "flow",
        "Flow",
        tuple(blocks),
        "The bars lead from the mean before to the mean during, and every part in between adds or "
        "takes away. The bands show the way: time began on the left and reached users on the "
        "right; their width is milliseconds per user request. Small parts and parts that got "
        "faster are left to the table.",
    )


def _steps(story: Story, root: Root) -> list[Block]:
    """Return how one operation came from its mean before to its mean during; () where unknown."""
    row = story.waited.get(root.step)
    if row is None or row["baseline_mean_ms"] is None:
        return []
    parts: dict[str, float] = {}
    for leaf in root.leaves:
        what = "own time" if leaf.is_own else leaf_words(leaf.row)
        parts[what] = parts.get(what, 0.0) + leaf.share_ms
    ranked = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    large = [part for part in ranked if abs(part[1]) >= _SMALLEST_SHARE * abs(root.change_ms)]
    changes = [Change(what, ms) for what, ms in large[:_STEPS]]
    rest_ms = root.change_ms - sum(change.ms for change in changes)
    if len(changes) < len(parts):
        changes.append(Change("all other parts", rest_ms))
    before_ms = row["baseline_mean_ms"]
    said = [in_ms(before_ms * 1e6), *(f"{signed_ms(each.ms)} {each.what}" for each in changes)]
    name = label(*root.step)
    said.append(in_ms((before_ms + root.change_ms) * 1e6))
    summary = f"{name}, mean per request: {' → '.join(said)}."
    return [steps("steps-figure", f"{name}, step by step", summary, before_ms, changes)]


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
    merged = _merged(story, roots)
    if not merged:
        return None
    streams = [
        Stream(*ends, value, stream_words(ends[0].label, ends[1].label, value))
        for ends, value in sorted(
            merged.items(),
            key=lambda item: (item[0][0].label, item[0][1].label, item[0][0].visit),
        )
    ]
    first = story.hit if story.hit in roots else roots[0]
    largest = _largest(first)
    origin = story.strong[0] if story.strong else None
    charged = first.from_origin(origin) if origin else []
    if origin and first.explained_ms(origin) > 0:  # the number of the headline
        part_ms, what = first.explained_ms(origin), plain(cause_words(origin))
        what = f"{what} ({counted(len(charged), 'part')})" if len(charged) > 1 else what
        largest = charged
    else:
        part_ms, what = sum(leaf.share_ms for leaf in largest), leaf_words(largest[0].row)
    way = " → ".join(shown(service, 60) for service in largest[0].services)
    summary = (
        f"{counted(len(roots), 'user-visible operation')} became slower. Of the change of "
        f"{label(*first.step)}, {in_ms(part_ms * 1e6)} per request came from {what} (way: {way})."
    )
    return sankey("flow-figure", "From origin to users", summary, streams, colours=_COLOURS)


def _largest(root: Root) -> list[Leaf]:
    """Return all leaves of the stop at which most of the change began, the largest leaf first."""
    starts: dict[str, list[Leaf]] = {}
    for leaf in sorted(root.leaves, key=lambda leaf: -leaf.share_ms):
        starts.setdefault(leaf_words(leaf.row), []).append(leaf)
    return max(starts.values(), key=lambda leaves: sum(leaf.share_ms for leaf in leaves))


def _merged(story: Story, roots: list[Root]) -> dict[tuple[Stop, Stop], float]:
    """Return milliseconds by pair of stops; ways that meet at a service meet in the diagram.

    Two ways may pass the same services in opposite order. The one that would close a circle with
    those before it keeps its stops to itself.
    """
    merged: dict[tuple[Stop, Stop], float] = {}
    for number, root in enumerate(roots):
        large = [leaf for leaf in root.leaves if leaf.share_ms > _SMALLEST_SHARE * root.change_ms]
        for place, leaf in enumerate(sorted(large, key=lambda leaf: -leaf.share_ms)[:_PARTS]):
            way = _stops(story, leaf)
            if _closes_a_circle(merged, way):
                apart = 1 + number * _PARTS + place
                way = [
                    (replace(start, visit=1000 * apart), replace(end, visit=1000 * apart))
                    for start, end in way
                ]
            for ends in way:
                merged[ends] = merged.get(ends, 0.0) + leaf.share_ms
    return merged


def _closes_a_circle(
    streams: Iterable[tuple[Stop, Stop]], way: Sequence[tuple[Stop, Stop]]
) -> bool:
    """Return whether streams that run in no circle would with `way` added."""
    ahead: dict[Stop, set[Stop]] = {}
    for start, end in [*streams, *way]:
        ahead.setdefault(start, set()).add(end)
    for first, _ in way:
        reached, pending = set[Stop](), [first]
        while pending:
            for stop in ahead.get(pending.pop(), ()):
                if stop == first:
                    return True
                if stop not in reached:
                    reached.add(stop)
                    pending.append(stop)
    return False


def _stops(story: Story, leaf: Leaf) -> list[tuple[Stop, Stop]]:
    """Return the pairs of stops a leaf's time passes, origin first."""
    entries = [step for step in leaf.steps if step[1] or step == leaf.steps[-1]]
    is_origin = story.origin is not None and any(
        leaf in root.from_origin(story.origin) for root in story.roots
    )
    stops = [Stop(leaf_words(leaf.row), "origin" if is_origin else "leaf")]
    for number, step in enumerate(entries):
        name = label(*step)
        role = "user" if number == len(entries) - 1 else "hop"
        visit = sum((stop.label, stop.role) == (name, role) for stop in stops)
        stops.append(Stop(name, role, visit))
    return list(pairwise(stops))


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
