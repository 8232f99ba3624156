from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.report import believable, week
from tracemap.report import SECTIONS, build
from tracemap.report.blocks import FactsBlock, FigureBlock, TableBlock
from tracemap.report.definitions import DEFINITIONS, GLOSSARY

DOCS = Path(__file__).parents[2] / "docs"


def anchors(text: str) -> set[str]:
    """Anchors of the headings as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ +(.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("id_", DEFINITIONS)
def test_the_docs_define_every_number_in_the_same_words(id_: str) -> None:
    """Page and docs have the same anchors, and cannot drift apart."""
    definition = DEFINITIONS[id_]
    text = (DOCS / "methods.md").read_text(encoding="utf-8")
    flowed = " ".join(text.split())

    assert id_ in anchors(text)
    for part in (definition.meaning, definition.formula, definition.example, definition.limits):
        assert " ".join(part.split()) in flowed


def test_every_link_to_a_definition_has_one() -> None:
    """Columns and facts name ids that exist."""
    used: set[str] = set()
    for findings in (believable.incident(), believable.incident("batch"), week.weekly()):
        page = build(findings).view
        for section in [*([page.proof] if page.proof else []), *page.sections]:
            for block in section.blocks:
                table = block.table if isinstance(block, FigureBlock) else block
                if isinstance(table, TableBlock):
                    used |= {column.definition for column in table.columns}
                if isinstance(block, FactsBlock):
                    used |= {fact.definition for fact in block.facts}

    assert used - {""} <= set(DEFINITIONS)


def test_no_definition_takes_the_anchor_of_a_section() -> None:
    """They share one page."""
    assert not set(DEFINITIONS) & set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_docs_describe_every_section(section: str) -> None:
    """A section nobody explains is a section nobody trusts."""
    assert section in anchors((DOCS / "reports.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("word", GLOSSARY)
def test_the_glossary_is_the_one_the_reports_print(word: str) -> None:
    """The same words in docs and JSON."""
    text = " ".join((DOCS / "glossary.md").read_text(encoding="utf-8").split())

    assert f"**{word}**: {GLOSSARY[word]}" in text
