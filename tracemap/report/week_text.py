"""A comparison of weeks for a chat: cost, budget, what changed, whom to ask, which data."""

from __future__ import annotations

from tracemap.report.chat import in_chat, quoted
from tracemap.report.rows import Row
from tracemap.report.sections.budget import by_owner
from tracemap.report.story import Story
from tracemap.report.week_words import (
    UNCHANGED,
    changed,
    component_name,
    edge_name,
    now_ms,
    owner_of,
    paid,
    since_words,
)
from tracemap.report.words import counted, listed, moved, percent

_SHOWN = 3
_SHOWN_OWNERS = 6
_DETAIL_LENGTH = 160
_FELL = ("faster", "fewer calls")


def week_lines(story: Story) -> list[str]:
    """Return the lines: components, budget and edges where weeks were compared, then the data."""
    dearer, cheaper = paid(story)[:_SHOWN], _cheaper(story)[:_SHOWN]
    lines = [_component("Dearer", story, row) for row in dearer]
    lines += [_component("Cheaper", story, row) for row in cheaper]
    return [*lines, *_budget(story), *_changes(story), *_asked(story), _data(story)]


def _cheaper(story: Story) -> list[Row]:
    """Return the components for which users wait less, the largest gain first."""
    rows = [row for row in story.regressions if row["verdict"] in _FELL]
    return sorted(rows, key=lambda row: row["change_ms"])


def _component(word: str, story: Story, row: Row) -> str:
    user = moved(row["baseline_user_ms"] * 1e6, now_ms(row) * 1e6)
    sign = "+" if row["change_ms"] > 0 else "-"
    how = in_chat((row["verdict"], *since_words(row)))
    owner = owner_of(story, row["service"])
    owned = "" if owner is None else f"; owner {quoted(owner)}"
    change = f"{sign}{user.change} a request ({how}), now {user.after}{owned}"
    return f"• {word}: {in_chat(component_name(row))} {change}"


def _budget(story: Story) -> list[str]:
    """Return how much of the error budget was used, before and now, and where most of it."""
    known = [row for row in story.budget if row["budget_share"] is not None]
    if not known:
        return []
    failed, requests = sum(row["failed"] for row in known), known[0]["requests"]
    used = percent(sum(row["budget_share"] for row in known))
    before = percent(sum(row["baseline_budget_share"] or 0.0 for row in known))
    line = (
        f"• Error budget: {used} used ({failed:,.0f} of {counted(requests, 'user request')} "
        f"failed), {before} in the baseline"
    )
    if failed:
        line += f"; most began at {_used(known[0]['service'], known[0])}"
    owned = [row for row in by_owner(story) if row["owner"] and row["failed"]]
    if owned:
        line += f"; of owners most: {_used(owned[0]['owner'], owned[0])}"
    return [line]


def _used(name: str, row: Row) -> str:
    return f"{quoted(name)} ({percent(row['budget_share'])})"


def _changes(story: Story) -> list[str]:
    """Return the edges that changed: a line for each change, what matters most first."""
    by_change: dict[str, list[Row]] = {}
    for row in changed(story):
        by_change.setdefault(row["change"], []).append(row)
    lines = []
    for change, rows in by_change.items():
        named = [_edge(row) for row in rows[:_SHOWN]]
        more = [f"{len(rows) - _SHOWN:,} more"] if len(rows) > _SHOWN else []
        lines.append(f"• {change.capitalize()}: {listed([*named, *more])}")
    return lines


def _edge(row: Row) -> str:
    detail = f" ({quoted(row['detail'], _DETAIL_LENGTH)})" if row["detail"] else ""
    return f"{in_chat(edge_name(row))}{detail}"


def _asked(story: Story) -> list[str]:
    """Return whom to ask about these edges and components, where owners are known."""
    services = [row["service"] for row in paid(story)]
    services += [row["upstream"] for row in changed(story)]
    owners = {owner_of(story, service): None for service in services}
    named = [quoted(owner) for owner in owners if owner is not None][:_SHOWN_OWNERS]
    return [f"• Owners to ask: {', '.join(named)}"] if named else []


def _data(story: Story) -> str:
    """Return how much data there is, what could not be judged, and what limits trust in it."""
    book = story.findings.ledger
    parts = [
        f"{counted(book.spans, 'span')} in {counted(book.traces, 'trace')}",
        f"{counted(book.rejected, 'record')} rejected",
    ]
    open_ = [row for row in story.drift if row["change"] in UNCHANGED and row["change"] != "steady"]
    if open_:
        of = counted(len(story.drift), "edge")
        parts.append(f"{len(open_):,} of {of} could not be judged")
    about = list(dict.fromkeys(book.cautions["about"].to_list()))
    if about:
        parts.append(f"cautions: {listed([each.replace('_', ' ') for each in about])}")
    return f"• Data: {'; '.join(parts)}"
