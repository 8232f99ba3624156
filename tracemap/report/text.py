"""The report in a dozen lines of plain text, to be pasted into a chat."""

from __future__ import annotations

from tracemap.report.blocks import Name, Page, Sentence
from tracemap.report.headline import cause_words, operation_name
from tracemap.report.names import shortened, visible
from tracemap.report.story import LEAST_MS, Story
from tracemap.report.trace_url import linked
from tracemap.report.words import counted, in_ms, percent, signed_ms

_SHOWN = 3
_NAME_LENGTH = 60
_INERT = str.maketrans({"`": "'", "<": "\u2039", ">": "\u203a"})
"""What ends a code span, or begins a command or a link in a chat."""
_VERDICTS = {"incident": "incident", "quiet": "quiet", "insufficient_data": "too little data"}


def text(page: Page, story: Story) -> str:
    """Return title, headline, windows, and the first origins, victims and absorbed spikes.

    Names are between backticks, shortened to 60 characters, and hold nothing that a chat acts on.
    """
    verdict = _VERDICTS.get(page.verdict, page.verdict)
    lines = [
        f"{_plain((page.title,))} ({verdict})",
        _plain(page.headline),
        f"Window {page.window}; baseline {page.baseline}",
    ]
    if page.verdict == "incident":
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
    hurt = [root for root in story.roots if root.change_ms >= LEAST_MS]
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


def _trace(page: Page, story: Story) -> list[str]:
    ids = [trace for row in story.origins for trace in row["exemplars"] or []]
    if not ids:
        return []
    return [f"• Trace to open: {linked(page.trace_url, ids[0]) or _name(ids[0])}"]
