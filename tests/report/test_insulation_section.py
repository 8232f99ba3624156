from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.report import believable
from tests.report.pages import column, sections, tables
from tests.report.shop import MS, table
from tests.report.test_view_parts import sheet_lines
from tracemap.model import INSULATION, Findings
from tracemap.report import build
from tracemap.report.blocks import Note, plain

EDGE = ("storefront", "GET /checkout", "checkout", "POST /orders")


def row(role: str, pattern: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    names = ("downstream", "downstream_operation", "upstream", "upstream_operation")
    return {
        **dict(zip(names, EDGE, strict=True)), "role": role, "pattern": pattern,
        "shows": "what was seen", "confidence": "strong", "exemplars": ["ab" * 16],
        "spans": ["cd" * 8], **more,
    }  # fmt: skip


def with_insulation(*rows: dict[str, Any]) -> Findings:
    findings = believable.incident()
    findings.tables["insulation"] = table(INSULATION, list(rows))
    return replace(findings, sections=(*findings.sections, "insulation"))


def test_what_protects_and_what_is_missing_are_two_tables() -> None:
    """Milliseconds kept away, what was rescued, and traces; then edges with nothing."""
    page = build(
        with_insulation(
            row("protects", "timeout", absorbed_ns=115 * MS, rescued=3),
            row("missing", "none", share=0.8, limit_ns=40 * MS),
        )
    ).view
    seen, missing = tables(page)["insulation-table"], tables(page)["missing-insulation-table"]

    assert column(seen, "absorbed_ms") == [115.0]
    assert column(seen, "exemplars") == [("ab" * 16,)]
    assert column(missing, "share") == [0.8]


def test_what_cannot_be_seen_is_said() -> None:
    """Nothing seen is not nothing there."""
    page = build(with_insulation(row("missing", "none", share=0.8))).view
    notes = [
        plain(block.text)
        for block in sections(page)["insulation"].blocks
        if isinstance(block, Note)
    ]

    assert any("No retry, timeout" in note for note in notes)
    assert any(note.startswith("Cannot be seen in spans") for note in notes)


def test_long_tables_end_with_how_many_more_there_are() -> None:
    """All are in the JSON file."""
    many = [row("advice", "fan-out", occurrences=n) for n in range(60)]
    page = build(with_insulation(*many)).view
    notes = [
        plain(block.text)
        for block in sections(page)["insulation"].blocks
        if isinstance(block, Note)
    ]

    assert len(column(tables(page)["insulation-table"], "pattern")) == 50
    assert "and 10 more: see the JSON file." in notes


def test_the_downstream_team_reads_what_its_edge_lacks() -> None:
    """In its own line of the hand-off."""
    edge = believable.incident().tables["propagation"].row(0, named=True)
    here = {name: edge[name] for name in INSULATION.key if name in edge}
    bare = build(with_insulation(row("missing", "none", share=0.8) | here)).view
    worse = build(with_insulation(row("hurts", "retry storm") | here)).view

    assert any("and nothing was seen on this edge that would" in line for line in sheet_lines(bare))
    assert any("this made it worse: retry storm" in line for line in sheet_lines(worse))


def test_what_is_true_of_every_edge_is_said_once() -> None:
    """Sixteen rows that end alike hide what is different about them."""
    ends = "; too few of its calls failed to say what a failure does"
    rows = [row("missing", "none", shows=f"{share} % of its time is waited for{ends}", share=0.5)
            for share in (94, 100)]  # fmt: skip
    page = build(with_insulation(*rows)).view
    notes = [
        plain(block.text)
        for block in sections(page)["insulation"].blocks
        if isinstance(block, Note)
    ]

    shows = column(tables(page)["missing-insulation-table"], "shows")
    assert shows == ["94 % of its time is waited for", "100 % of its time is waited for"]
    assert "Too few calls failed on these edges to say what a failure does." in notes
