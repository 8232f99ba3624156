"""Look things up on a page: its sections, tables and columns."""

from __future__ import annotations

from tracemap.model import Findings
from tracemap.report import build
from tracemap.report.blocks import FigureBlock, Page, Section, TableBlock


def sections(page: Page) -> dict[str, Section]:
    """Sections by name, the proof included."""
    found = {section.id: section for section in page.sections}
    return {**found, page.proof.id: page.proof} if page.proof else found


def tables(page: Page) -> dict[str, TableBlock]:
    """Tables by id, those behind figures included."""
    blocks = [block for section in sections(page).values() for block in section.blocks]
    found = [block for block in blocks if isinstance(block, TableBlock)]
    behind = [block.table for block in blocks if isinstance(block, FigureBlock) and block.table]
    return {table.id: table for table in [*found, *behind]}


def column(table: TableBlock, key: str) -> list[object]:
    """One column of a table."""
    place = [column.key for column in table.columns].index(key)
    return [row[place] for row in table.rows]


def figure(findings: Findings, id_: str) -> FigureBlock:
    """One figure of a report."""
    blocks = [block for section in sections(build(findings).view).values()
              for block in section.blocks]  # fmt: skip
    return next(block for block in blocks if isinstance(block, FigureBlock) and block.id == id_)
