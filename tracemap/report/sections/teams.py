"""Section "Teams": one sheet per owner: what is theirs, what is not, and what is not known."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tracemap.model import USER
from tracemap.report.blocks import Name, Section, Sentence, SheetBlock
from tracemap.report.names import shown
from tracemap.report.sections.budget import by_owner
from tracemap.report.story import Story
from tracemap.report.week_words import (
    changed,
    component_name,
    edge_name,
    now_ms,
    owner_of,
    since_words,
)
from tracemap.report.words import counted, in_ms, percent, signed_ms

_LINES = 12
_STILL = ("steady", "too few calls")
_BY_CALLS = ("more calls", "fewer calls")
_CHOICES = ("new", "gone", "re-routed", "more calls", "fewer calls", "changed protocol")
_NOBODY = ""


@dataclass
class _Sheet:
    """What goes on the sheet of one owner; `_NOBODY`: services whose owner is not known."""

    services: list[str] = field(default_factory=list)
    theirs: list[Sentence] = field(default_factory=list)
    not_theirs: list[Sentence] = field(default_factory=list)
    unknown: list[Sentence] = field(default_factory=list)


def teams(story: Story) -> Section | None:
    """Return a sheet per owner of any service that was compared; None where nothing was."""
    if not story.drift:
        return None
    sheets: dict[str, _Sheet] = defaultdict(_Sheet)
    seen = {row[end] for row in story.drift for end in ("downstream", "upstream")}
    for service in sorted(seen - {USER}):
        sheets[_key(story, service)].services.append(service)
    _costs(story, sheets)
    _edges(story, sheets)
    _budget(story, sheets)
    named = sorted(owner for owner in sheets if owner != _NOBODY)
    order = [*named, *([_NOBODY] if _NOBODY in sheets else [])]
    blocks = tuple(_block(number, owner, sheets[owner]) for number, owner in enumerate(order, 1))
    return Section(
        "teams",
        "Teams",
        blocks,
        "Theirs is what their own services did, and what they offer (interface owner). Not theirs "
        "is what reached them from others (experience owner). Nobody is guessed: services without "
        "a known owner stand on the last sheet.",
    )


def _costs(story: Story, sheets: dict[str, _Sheet]) -> None:
    """Put added waiting time on sheets: of upstream for slower calls, of the caller for more."""
    for row in story.regressions:
        if row["verdict"] in _STILL:
            continue
        line: Sentence = (
            *component_name(row),
            *since_words(row),
            f": {signed_ms(row['change_ms'])} per user request ({row['verdict']}), "  # noqa: ISC004
            f"now {in_ms(now_ms(row) * 1e6)}.",
        )
        mine = _key(story, row["service"])
        if row["verdict"] in _BY_CALLS:
            callers = {_key(story, name) for name in _callers(story, row["service"])}
            for caller in sorted(callers):
                sheets[caller].theirs.append(line)
            if mine not in callers:
                sheets[mine].not_theirs.append(line)
        elif row["cause"] == "wire":
            for end in sorted({mine, _key(story, row["downstream"])}):
                sheets[end].unknown.append((*line[:-1], line[-1], " Which end is not known."))
        else:
            sheets[mine].theirs.append(line)


def _callers(story: Story, service: str) -> list[str]:
    """Return who calls a service more or less often than before, as edges say."""
    return [
        row["downstream"]
        for row in changed(story)
        if row["upstream"] == service and row["change"] in _CHOICES and row["downstream"] != USER
    ]


def _edges(story: Story, sheets: dict[str, _Sheet]) -> None:
    """Put each edge that changed on the sheets of both ends, each with its side of it.

    Whom to call is up to downstream. A slower answer is up to upstream only as far as its own time
    is slower; otherwise it passes on what reached it.
    """
    slower = {
        row["service"]
        for row in story.regressions
        if row["cause"] == "self" and row["verdict"] in {"slower", "faster"}
    }
    for row in changed(story):
        detail = f": {row['change']}" + (f" ({row['detail']})" if row["detail"] else "") + "."
        line: Sentence = (*edge_name(row), detail)
        downstream, upstream = (row[end] for end in ("downstream", "upstream"))
        if row["change"] in _CHOICES:
            _tell(story, sheets, downstream, upstream, line)
        elif row["change"] in {"slower", "faster"} and upstream not in slower:
            passed: Sentence = (*line, " Its own time did not change as much: it passes this on.")
            for owner in sorted(
                {_key(story, end) for end in (upstream, downstream) if end != USER}
            ):
                sheets[owner].not_theirs.append(passed)
        else:
            _tell(story, sheets, upstream, downstream, line)


def _tell(story: Story, sheets: dict[str, _Sheet], whose: str, other: str, line: Sentence) -> None:
    """Put a line on the sheet of the responsible owner, and on the other end's as not theirs."""
    mine = _key(story, whose)
    if whose != USER:
        sheets[mine].theirs.append(line)
    if other != USER and _key(story, other) != mine:
        sheets[_key(story, other)].not_theirs.append(line)


def _key(story: Story, service: str) -> str:
    return owner_of(story, service) or _NOBODY


def _budget(story: Story, sheets: dict[str, _Sheet]) -> None:
    for row in by_owner(story):
        if not row["failed"]:
            continue
        line = f"{counted(round(row['failed']), 'failed user request')} began here: "
        used = f"{percent(row['budget_share'])} of the error budget."
        sheets[row["owner"] or _NOBODY].theirs.append((line + used,))


def _block(number: int, owner: str, sheet: _Sheet) -> SheetBlock:
    heading: Sentence = (Name(shown(owner)),) if owner else ("Owner not known",)
    lines: list[Sentence] = []
    for title, told in (
        ("Theirs. ", sheet.theirs),
        ("Not theirs. ", sheet.not_theirs),
        ("Not known. ", sheet.unknown),
    ):
        lines += [(title, *line) for line in told[:_LINES]]
        if len(told) > _LINES:
            lines.append((f"{title}And {len(told) - _LINES:,} more: see Drift and Regressions.",))
    if not lines:
        lines.append(("Nothing changed that can be told from chance.",))
    return SheetBlock(
        f"teams-{number}", heading, tuple(shown(one) for one in sheet.services), tuple(lines)
    )
