"""The view model: plain values a report is made of, the same for HTML, Markdown and the tests.

A `Page` holds `Section`s, a section holds blocks in reading order. Nothing here knows of HTML.
Values are raw (milliseconds as numbers, times as ISO-8601 text); `words.cell_text` shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Value = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True)
class Name:
    """A name out of the traces inside a sentence; each writer marks and escapes it in its way."""

    text: str


Sentence = tuple[str | Name, ...]


def plain(sentence: Sentence) -> str:
    """Return a sentence as plain text."""
    return "".join(part if isinstance(part, str) else part.text for part in sentence)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        key: Name in downloads; ends in its unit (``p95_ms``).
        title: Heading, with the unit.
        kind: How a cell is shown: name, text, sentence, count, number, ms, ratio, share, time,
            bytes, range, verdict, id, ids or traces (ids of traces, which may be links).
        definition: Id in `definitions`; '' where the title says it all.
        is_extra: Whether only downloads have it: a table of twenty columns shows nothing.
    """

    key: str
    title: str
    kind: str = "text"
    definition: str = ""
    is_extra: bool = False


@dataclass(frozen=True)
class TableBlock:
    """A table. `folded` tables stand behind the figure they belong to."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    folded: bool = False
    block: str = field(default="table", init=False)

    @property
    def shown(self) -> tuple[int, ...]:
        """Places of the columns that are shown."""
        return tuple(at for at, column in enumerate(self.columns) if not column.is_extra)


@dataclass(frozen=True)
class FigureBlock:
    """A figure as plotly data and layout, with the words that say the same.

    Colours are written ``var(--name)`` and looked up in the page's stylesheet when drawn, so that
    one figure serves light and dark.

    Attributes:
        id: Fixed id of the element.
        title: What the figure shows.
        summary: What it shows in words; stands beside the figure and is its text alternative.
        spec: ``data`` and ``layout`` for plotly.js.
        height_px: Height on the page.
        min_width_px: Below this width the figure scrolls in its own frame.
        max_width_px: It never grows beyond this; 0: as wide as the page.
        table: The numbers behind it.
        explore: Nodes and links of a graph in which the page's script can search and focus.
    """

    id: str
    title: str
    summary: str
    spec: dict[str, Any]
    height_px: int
    min_width_px: int = 0
    max_width_px: int = 0
    table: TableBlock | None = None
    explore: dict[str, Any] | None = None
    block: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Note:
    """A remark the reader must not miss: thin data, sampling, what is unknown."""

    text: Sentence
    level: str = "information"
    block: str = field(default="note", init=False)


def remark(*parts: str | Name) -> Note:
    """Return a remark made of these parts."""
    return Note(parts)


def warning(*parts: str | Name) -> Note:
    """Return a remark that asks for action or for doubt."""
    return Note(parts, "warning")


@dataclass(frozen=True)
class Fact:
    """One key figure, with its definition and a remark."""

    term: str
    value: Sentence
    remark: Sentence = ()
    definition: str = ""


@dataclass(frozen=True)
class FactsBlock:
    """A few facts side by side."""

    facts: tuple[Fact, ...]
    block: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Bar:
    """One span of a waterfall; left and width are shares (0-1) of the trace.

    `parts` are (left, width) of its own time on the critical path, shares of the trace as well.
    """

    service: str
    operation: str
    depth: int
    kind: str
    left: float
    width: float
    start_ms: float
    duration_ms: float | None
    self_ms: float | None
    critical_ms: float | None
    is_error: bool
    flags: tuple[str, ...]
    parts: tuple[tuple[float, float], ...] = ()

    @property
    def is_critical(self) -> bool:
        """Whether some of the span's own time is on the critical path."""
        return bool(self.critical_ms)


@dataclass(frozen=True)
class WaterfallBlock:
    """One trace as bars, in depth-first order; `total` spans of which `bars` are shown.

    `table` has the spans with all their numbers.
    """

    id: str
    title: str
    trace_id: str
    duration_ms: float
    bars: tuple[Bar, ...]
    total: int
    table: TableBlock | None = None
    block: str = field(default="waterfall", init=False)


@dataclass(frozen=True)
class SheetBlock:
    """The sheet of one owner: a heading and sentences."""

    id: str
    owner: Sentence
    services: tuple[str, ...]
    lines: tuple[Sentence, ...]
    block: str = field(default="sheet", init=False)


Block = TableBlock | FigureBlock | Note | FactsBlock | WaterfallBlock | SheetBlock


@dataclass(frozen=True)
class Section:
    """A section: its name (also its anchor and its key in JSON), blocks, and how to read them."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    how_to_read: str


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes:
        title: As the recipe says.
        recipe: Name of the recipe.
        version: Version of tracemap that made it.
        verdict: ``incident``, ``quiet`` or ``insufficient_data``.
        headline: The answer in one sentence.
        window: What was looked at, in words.
        baseline: What it was compared with, in words.
        baseline_reason: Why with that; '' where there is nothing to say.
        proof: The section that proves the headline, shown right below it; None: there is none.
        sections: In the order of the recipe, without those that have nothing to say.
        trace_url: Template of a link to a trace, ``{trace_id}`` in it; '': no links.
        is_failing: Whether it is a quiet time in which requests of users failed.
        ask: Who owns the origin; () where nobody is to be asked.
        first_trace: Id of the trace to open first; '' where there is none.
    """

    title: str
    recipe: str
    version: str
    verdict: str
    headline: Sentence
    window: str
    baseline: str
    baseline_reason: str
    proof: Section | None
    sections: tuple[Section, ...]
    trace_url: str = ""
    is_failing: bool = False
    ask: Sentence = ()
    first_trace: str = ""

    @property
    def figures(self) -> tuple[FigureBlock, ...]:
        """Every figure, in order."""
        sections = (*((self.proof,) if self.proof else ()), *self.sections)
        blocks = (block for section in sections for block in section.blocks)
        return tuple(block for block in blocks if isinstance(block, FigureBlock))
