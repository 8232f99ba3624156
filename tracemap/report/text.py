"""The report in a dozen lines of plain text, to be pasted into a chat."""

from __future__ import annotations

from tracemap.report.blocks import Name, Page, Sentence
from tracemap.report.drift_words import changed, component_name, edge_name, owner_of, paid
from tracemap.report.headline import cause_words, operation_name, verdict_words
from tracemap.report.names import shortened, visible
from tracemap.report.story import Story
from tracemap.report.trace_url import linked
from tracemap.report.words import counted, in_ms, percent, signed_ms

_SHOWN = 3
_SHOWN_OWNERS = 6
_NAME_LENGTH = 60
_INERT = str.maketrans({"`": "'", "<": "\u2039", ">": "\u203a"})
"""What ends a code span, or begins a command or a link in a chat."""


def text(page: Page, story: Story) -> str:
    """Return title, headline, windows, and the first origins, victims and absorbed spikes.

    Names are between backticks, shortened to 60 characters, and hold nothing that a chat acts on.
    """
    lines = [
        f"{_plain((page.title,))} ({verdict_words(story).lower()})",
        _plain(page.headline),
        f"Window {page.window}; baseline {page.baseline}",
    ]
    if page.verdict == "incident" and story.is_long_term:
        lines += [*_dearer(story), *_drifted(story), *_asked(story)]
    elif page.verdict == "incident":
        lines += [*_origins(story), *_hurt(story), *_absorbed(story), *_trace(page, story)]
    return "\n".join(lines) + "\n"


def _plain(parts: Sentence) -> str:
    return "".join(
        _name(part.text) if isinstance(part, Name) else part.translate(_INERT) for part in parts
    )


def _name(name: str) -> str:
    return f"`{shortened(visible(name), _NAME_LENGTH).translate(_INERT)}`"


def _origins(story: Story) -> list[str]:
    lines = []
    for row in story.origins[:_SHOWN]:
        called = "Lead" if row["confidence"] == "weak" else f"Origin {row['rank']}"
        share = "" if row["share"] is None else f", {percent(row['share'])} of what is explained"
        owner = row["owner"] or story.owners.get(row["service"])
        owned = "" if owner is None else f"; owner {_name(owner)}"
        excess = in_ms(row["excess_ms"] * 1e6)
        lines.append(f"• {called}: {_plain(cause_words(row))}, +{excess} a request{share}{owned}")
    return lines


def _hurt(story: Story) -> list[str]:
    hurt = story.slower
    lines = [
        f"• Slower: {_plain(operation_name(root.service, root.operation))} "
        f"{signed_ms(root.change_ms)} a request"
        f"{'' if root.requests is None else ', ' + counted(root.requests, 'request')}"
        for root in hurt[:_SHOWN]
    ]
    if len(hurt) > _SHOWN:
        lines.append(f"• and {counted(len(hurt) - _SHOWN, 'more operation')} of users")
    return lines


def _absorbed(story: Story) -> list[str]:
    lines = []
    for row in story.absorbed[:_SHOWN]:
        by = f" by {row['mechanism']}" if row["mechanism"] else ""
        kept, offered = (in_ms((row[name] or 0) * 1e6) for name in ("absorbed_ms", "offered_ms"))
        ends = f"{_name(row['upstream'])} to {_name(row['downstream'])}"
        lines.append(f"• Absorbed{by}: {kept} of {offered} from {ends}")
    return lines


def _dearer(story: Story) -> list[str]:
    """Return what costs users more, of a comparison of weeks."""
    lines = []
    for row in paid(story)[:_SHOWN]:
        now = in_ms((row["baseline_user_ms"] + row["change_ms"]) * 1e6)
        change = f"{signed_ms(row['change_ms'])} a request ({row['verdict']}), now {now}"
        owner = owner_of(story, row["service"])
        owned = "" if owner is None else f"; owner {_name(owner)}"
        lines.append(f"• Dearer: {_plain(component_name(row))} {change}{owned}")
    return lines


def _drifted(story: Story) -> list[str]:
    """Return the edges that changed, what matters most first."""
    rows = changed(story)
    lines = []
    for row in rows[:_SHOWN]:
        detail = f" ({_name(row['detail'])})" if row["detail"] else ""
        lines.append(f"• Edge {_plain(edge_name(row))}: {row['change']}{detail}")
    if len(rows) > _SHOWN:
        lines.append(f"• and {counted(len(rows) - _SHOWN, 'more edge')} changed")
    return lines


def _asked(story: Story) -> list[str]:
    """Return whom to ask about these edges and components, where owners are known."""
    services = [row["service"] for row in paid(story)]
    services += [row["upstream"] for row in changed(story)]
    owners = {owner_of(story, service): None for service in services}
    named = [_name(owner) for owner in owners if owner is not None][:_SHOWN_OWNERS]
    return [f"• Owners to ask: {', '.join(named)}"] if named else []


def _trace(page: Page, story: Story) -> list[str]:
    ids = [trace for row in story.origins for trace in row["exemplars"] or []]
    if not ids:
        return []
    return [f"• Trace to open: {linked(page.trace_url, ids[0]) or _name(ids[0])}"]
