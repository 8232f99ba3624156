from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import believable
from tracemap.report import build
from tracemap.report.markdown import _line_start, code, escape


def test_a_pull_request_shows_headline_diagram_and_tables() -> None:
    """The answer first, then how it travelled."""
    text = build(believable.incident()).markdown()

    assert text.startswith("# Latency postmortem\n\n**`storefront` `POST /buy` slowed down by")
    assert '```mermaid\nflowchart LR\n  n0["card-db"]\n  n1["payment · Charge"]' in text
    assert "n0 -->|253 ms arrived| n1" in text
    assert "| `payment` | `checkout` | propagated |" in text


def test_plain_words_stay_plain() -> None:
    """Dates and signs are read in the raw text of a pull request as well."""
    text = build(believable.incident()).markdown()
    assert "Window: 2026-03-02 12:00 to 12:20 UTC" in text
    assert "\\-" not in text
    assert "\\+" not in text


def test_long_tables_are_folded_away() -> None:
    """A pull request should scroll; an empty line lets Markdown begin inside."""
    made = believable.incident("batch")
    text = build(made).markdown()

    assert text.count("<details><summary>") == text.count("</details>") > 0
    assert re.search(r"<details><summary>Edges[^\n]*</summary>\n\n\| Downstream", text)


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("a - b + c = d", "a - b + c = d"), ("+52 ms", "+52 ms"), ("_x_ a_b", "\\_x\\_ a_b"),
        ("#12 @you", "\\#12 \\@you"), ("&lt;", "\\&lt;"), ("a & b", "a & b"),
        ("<img>", "\\<img\\>"), ("$x$", "\\$x\\$"),
    ],
)  # fmt: skip
def test_only_what_would_be_markup_is_escaped(plain: str, escaped: str) -> None:
    """As little as possible, as much as necessary."""
    assert escape(plain) == escaped


@pytest.mark.parametrize(
    ("plain", "safe"),
    [
        ("1. a", "1\\. a"),
        ("12) a", "12\\) a"),
        ("- a", "\\- a"),
        ("# a", "\\# a"),
        ("1,2 a", "1,2 a"),
    ],
)
def test_a_line_begins_with_text(plain: str, safe: str) -> None:
    """Neither a list nor a heading."""
    assert _line_start(plain) == safe


@pytest.mark.parametrize(
    "findings",
    [believable.incident(), believable.hostile(), believable.nothing(), believable.large()],
    ids=["incident", "hostile", "nothing", "large"],
)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(findings) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """No name can add a column."""
    width = 0
    for line in build(findings).markdown().splitlines():
        if not line.startswith("| "):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width


def test_hostile_names_are_code_and_nothing_else() -> None:
    """Outside code spans and fences no tag is left."""
    text = build(believable.hostile()).markdown()
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text.replace("```mermaid", ""))

    assert "\u202e" not in text
    assert "\u0000" not in text
    assert not re.findall(r"(?<!\\)<(img|/script)", outside)
    assert all(line.count("```") in (0, 1) or "pay" in line for line in text.splitlines())


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1))
def test_a_code_span_cannot_be_closed_from_inside(name: str) -> None:
    """Its fence is longer than any run of backticks in the name."""
    made = code(name)
    fence = re.match(r"`+", made)
    assert fence

    inner = made[fence.end() : -fence.end()]
    assert inner.strip() == name.strip()
    assert fence.group() not in re.findall(r"`+", inner)


def test_special_signs_in_a_sentence_are_shown_literally() -> None:
    """No link, no mention, no emphasis."""
    assert escape("*a* <b> @c") == r"\*a\* \<b\> \@c"


def test_long_tables_are_cut_and_say_so() -> None:
    """A pull request is no place for 5,000 rows."""
    text = build(believable.large()).markdown()

    assert "(the first 20 shown)" in text
    assert len(text) < 40_000
