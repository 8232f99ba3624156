"""The report in a dozen lines of plain text, to be pasted into a chat."""

from __future__ import annotations

from tracemap.report.blocks import Page
from tracemap.report.chat import in_chat, quoted
from tracemap.report.headline import ALL_OF_IT, verdict_words
from tracemap.report.phrases import cause_words, effect_words, operation_name
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.trace_url import linked
from tracemap.report.week_text import week_lines
from tracemap.report.words import counted, in_ms, percent, signed_ms

_SHOWN = 3


def text(page: Page, story: Story) -> str:
    """Return title, headline, windows, and the first origins, victims and absorbed spikes.

    For weeks: what costs users more and less, the error budget, what changed, and how good the data
    is. Names are between backticks, shortened to 60 characters, and escaped for chats.
    """
    lines = [
        f"{in_chat((page.title,))} ({verdict_words(story).lower()})",
        in_chat(page.headline),
        f"Window {page.window}; baseline {page.baseline}",
    ]
    if story.is_long_term:
        lines += week_lines(story)
    elif page.verdict == "incident":
        lines += [*_origins(story), *_hurt(story), *_absorbed(story), *_first_step(page)]
    return "\n".join(lines) + "\n"


def _origins(story: Story) -> list[str]:
    """Return the first origins: findings by rank, then leads; what the headline charges each."""
    ranked = sorted(story.origins, key=lambda row: row["confidence"] == "weak")
    lines = []
    for row in ranked[:_SHOWN]:
        called = "Lead" if row["confidence"] == "weak" else "Origin"
        called = "No origin, but" if row["cause"] == "mix" else called
        owner = row["owner"] or story.owners.get(row["service"])
        owned = "" if owner is None else f"; owner {quoted(owner)}"
        lines.append(f"• {called}: {in_chat(cause_words(row))}, {_effect(story, row)}{owned}")
    return lines


def _effect(story: Story, origin: Row) -> str:
    """Return what is charged to an origin of the hardest hit; its excess where that is nothing."""
    root = story.hit
    charged_ms = 0.0 if root is None else root.explained_ms(origin)
    if root is None or charged_ms <= 0:
        is_time = origin["cause"] != "error" or not origin["excess_errors"]
        return f"{'excess ' if is_time else ''}{effect_words(origin, '+')}"
    is_part = not root.is_within_variation and charged_ms <= ALL_OF_IT * root.change_ms
    share = f" ({percent(charged_ms / root.change_ms)} of its change)" if is_part else ""
    return f"{signed_ms(charged_ms)} a request of the hardest hit{share}"


def _hurt(story: Story) -> list[str]:
    hurt = story.slower
    lines = [
        f"• Slower: {in_chat(operation_name(root.service, root.operation))} "
        f"{signed_ms(root.change_ms)} a request"
        f"{' (within ordinary variation)' if root.is_within_variation else ''}"
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
        ends = f"{quoted(row['upstream'])} to {quoted(row['downstream'])}"
        lines.append(f"• Absorbed{by}: {kept} of {offered} from {ends}")
    return lines


def _first_step(page: Page) -> list[str]:
    """Return whom to ask and which trace to open, as the page says it."""
    trace = page.first_trace
    return [
        *([f"• Ask: {in_chat(page.ask)}"] if page.ask else []),
        *([f"• Trace to open: {linked(page.trace_url, trace) or quoted(trace)}"] if trace else []),
    ]
