"""The report as Markdown, for a pull request or a chat: sentences, tables, a small diagram.

Names are code spans, in which Markdown, mentions and links do not work.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from tracemap.report.blocks import (
    Block,
    FactsBlock,
    FigureBlock,
    Name,
    Note,
    Page,
    Section,
    Sentence,
    SheetBlock,
    TableBlock,
    Value,
    WaterfallBlock,
)
from tracemap.report.definitions import GLOSSARY_LINE
from tracemap.report.graph_text import mermaid_chain
from tracemap.report.story import Story
from tracemap.report.trace_url import linked
from tracemap.report.words import UNKNOWN_TEXT, cell_text, significant

_ROWS = 20
_BARS = 15
_SPECIAL = re.compile(r"([\\`*\[\]<>|~@$]|#(?=\w)|(?<!\w)_|_(?!\w)|&(?=[#\w]))")
"""What Markdown would read as markup anywhere."""
_AT_START = re.compile(r"^([#+=-])")
"""What it would read as a heading, a list or a rule at the start of a line."""
_NUMERIC = ("count", "number", "ms", "ratio", "share", "bytes", "range")
_CODE_KINDS = ("name", "id", "ids")
_FOLDED_ROWS = 10
"""Longer tables are folded away, so that a pull request can be scrolled."""


def markdown(page: Page, story: Story) -> str:
    """Return the page as GitHub-flavoured Markdown; long tables are cut and say so."""
    parts = [
        f"# {escape(page.title)}",
        f"**{sentence(page.headline)}**",
        _windows(page),
        f"_{GLOSSARY_LINE}_",
    ]
    diagram = mermaid_chain(story)
    if diagram:
        parts.append(f"```mermaid\n{diagram}\n```")
    for section in ((page.proof,) if page.proof else ()) + page.sections:
        parts += _section(section, page.trace_url)
    parts.append(f"tracemap {escape(page.version)}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _windows(page: Page) -> str:
    reason = f" ({escape(page.baseline_reason)})" if page.baseline_reason else ""
    lines = [f"Window: {escape(page.window)}", f"Baseline: {escape(page.baseline)}{reason}"]
    if page.ask:
        lines.append(f"Ask: {sentence(page.ask)}")
    if page.first_trace:
        lines.append(f"Open first: {_trace(page.first_trace, page.trace_url)}")
    return "  \n".join(lines)


def escape(text: str) -> str:
    """Return `text` such that Markdown shows it literally."""
    return _SPECIAL.sub(r"\\\1", text)


def _line_start(text: str) -> str:
    """Return escaped text such that nothing begins with it but text."""
    digits = re.match(r"^(\d{1,9})([.)].*)", text, re.DOTALL)
    return f"{digits[1]}\\{digits[2]}" if digits else _AT_START.sub(r"\\\1", text)


def code(name: str, *, in_table: bool = False) -> str:
    """Return a name as a code span whose fence is longer than any in the name."""
    if not name:
        return UNKNOWN_TEXT
    fence = "`" * (max((len(run) for run in re.findall(r"`+", name)), default=0) + 1)
    pad = " " if name[0] in "` " or name[-1] in "` " else ""
    shown = name.replace("|", "\\|") if in_table else name
    return f"{fence}{pad}{shown}{pad}{fence}"


def sentence(parts: Sentence) -> str:
    """Return a sentence with its names as code spans."""
    return "".join(code(part.text) if isinstance(part, Name) else escape(part) for part in parts)


def _section(section: Section, trace_url: str) -> list[str]:
    parts = [f"## {escape(section.title)}"]
    for block in section.blocks:
        parts += _block(block, trace_url)
    parts.append(f"_How to read this: {escape(section.how_to_read)}_")
    return parts


def _block(block: Block, trace_url: str) -> list[str]:
    if isinstance(block, TableBlock):
        return _table(block, trace_url)
    if isinstance(block, FigureBlock):
        return [f"**{escape(block.title)}.** {escape(block.summary)}"]
    if isinstance(block, Note):
        called = "**Warning:** " if block.level == "warning" else ""
        return [f"> {called}{_line_start(sentence(block.text))}"]
    if isinstance(block, FactsBlock):
        return ["\n".join(_fact(fact.term, fact.value, fact.remark) for fact in block.facts)]
    if isinstance(block, SheetBlock):
        lines = "\n".join(f"- {sentence(line)}" for line in block.lines)
        return [f"### {sentence(block.owner)}", lines]
    return _waterfall(block, trace_url)


def _fact(term: str, value: Sentence, remark: Sentence) -> str:
    tail = f" ({sentence(remark)})" if remark else ""
    return f"- {escape(term)}: **{sentence(value)}**{tail}"


def _table(table: TableBlock, trace_url: str) -> list[str]:
    if table.folded:
        return []
    columns = [table.columns[at] for at in table.shown]
    lines = [
        _line(escape(column.title) for column in columns),
        _line("---:" if column.kind in _NUMERIC else "---" for column in columns),
    ]
    lines += [
        _line(_cell(row[at], table.columns[at].kind, trace_url) for at in table.shown)
        for row in table.rows[:_ROWS]
    ]
    cut = len(table.rows) - _ROWS
    caption = f"{table.caption}{f' (the first {_ROWS} shown)' if cut > 0 else ''}"
    if len(table.rows) > _FOLDED_ROWS:
        fold = f"<details><summary>{html.escape(caption)}</summary>"
        return [fold, "\n".join(lines), "</details>"]
    return [f"{_line_start(escape(caption))}:", "\n".join(lines)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Value, kind: str, trace_url: str) -> str:
    if value is None or value in ("", ()):
        return UNKNOWN_TEXT
    if isinstance(value, tuple) and kind == "traces":
        return ", ".join(_trace(item, trace_url) for item in value)
    if isinstance(value, tuple):
        return ", ".join(code(item, in_table=True) for item in value)
    if isinstance(value, str) and kind in _CODE_KINDS:
        return code(value, in_table=True)
    return escape(cell_text(value, kind))


def _trace(trace_id: str, trace_url: str) -> str:
    """Return the id of a trace, as a link where there is a template of one."""
    address = linked(trace_url, trace_id)
    shown = code(trace_id, in_table=True)
    return f"[{shown}](<{address}>)" if address else shown


def _waterfall(block: WaterfallBlock, trace_url: str) -> list[str]:
    lines = [
        _line(["Span", "Start ms", "Duration ms", "Critical ms"]),
        _line(["---", "---:", "---:", "---:"]),
    ]
    worth = sorted(block.bars, key=lambda bar: -(bar.critical_ms or 0))[:_BARS]
    for bar in [bar for bar in block.bars if bar in worth]:
        name = code(f"{bar.service} · {bar.operation}", in_table=True)
        lines.append(
            _line(
                [
                    f"{'· ' * bar.depth}{name}",
                    significant(bar.start_ms),
                    UNKNOWN_TEXT if bar.duration_ms is None else significant(bar.duration_ms),
                    UNKNOWN_TEXT if bar.critical_ms is None else significant(bar.critical_ms),
                ]
            )
        )
    shown = min(len(block.bars), _BARS)
    head = (
        f"**{escape(block.title)}** {_trace(block.trace_id, trace_url)}, "
        f"{significant(block.duration_ms)} ms, {block.total:,} spans of which {shown} are shown:"
    )
    return [head, "\n".join(lines)]
