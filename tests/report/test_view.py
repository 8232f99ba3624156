from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tests.report import believable
from tests.report.pages import column, sections, tables
from tests.report.shop import table
from tracemap.errors import PipelineError
from tracemap.model import DECLARATIONS, Findings
from tracemap.report import SECTIONS, build
from tracemap.report.blocks import (
    FactsBlock,
    FigureBlock,
    Note,
    SheetBlock,
    WaterfallBlock,
    plain,
)


def test_a_postmortem_has_the_sections_of_its_recipe_and_its_proof_on_top() -> None:
    """Headline first, then the figure that proves it."""
    page = build(believable.incident()).view

    assert page.proof
    assert page.proof.id == "timeline"
    assert [section.id for section in page.sections] == [
        name for name in believable.POSTMORTEM_SECTIONS if name != "timeline"
    ]


def test_a_batch_proves_its_headline_with_its_spikes() -> None:
    """The figure moves up, the table stays in its section."""
    page = build(believable.incident("batch")).view

    assert page.proof
    assert isinstance(page.proof.blocks[0], FigureBlock)
    assert [block.block for block in sections(page)["spikes"].blocks] == ["table"]


@pytest.mark.parametrize(
    "findings",
    [
        believable.incident(), believable.incident("batch"), believable.quiet(),
        believable.insufficient(), believable.nothing(), believable.hostile(),
    ],
    ids=["postmortem", "batch", "quiet", "insufficient", "nothing", "hostile"],
)  # fmt: skip
def test_every_section_says_how_to_read_it(findings: Findings) -> None:
    """And none is empty."""
    for section in sections(build(findings).view).values():
        assert section.how_to_read
        assert section.blocks


def test_every_section_can_stand_alone() -> None:
    """A recipe may ask for any one of them, with or without findings."""
    for name in SECTIONS:
        for made in (believable.incident(), believable.nothing()):
            page = build(replace(made, sections=(name,))).view
            assert set(sections(page)) <= {name, "proof", "graph", "edges"}


def test_an_unknown_section_is_refused_with_the_nearest_name() -> None:
    """A typo in a recipe is an error of the recipe."""
    with pytest.raises(PipelineError) as refused:
        build(replace(believable.quiet(), sections=("propagtion",)))

    assert refused.value.hint == "did you mean 'propagation'?"


def test_sections_without_findings_are_left_out() -> None:
    """Rather than promising something."""
    page = build(believable.insufficient()).view

    assert page.proof is not None
    assert page.proof.id == "graph"
    assert [section.id for section in page.sections] == ["summary", "edges", "ledger"]


def test_a_report_without_an_incident_still_shows_the_graph() -> None:
    """Too little to judge is no reason to show nothing."""
    page = build(believable.insufficient()).view

    assert column(tables(page)["edges-table"], "upstream") == ["cart"]


def test_propagation_shows_offered_arrived_and_verdict() -> None:
    """What arrived most comes first; unknown intervals are unknown."""
    table = tables(build(believable.incident()).view)["propagation-table"]

    assert column(table, "upstream")[:3] == ["checkout", "payment", "card-db"]
    assert column(table, "offered_ms")[1] == 266.0
    assert column(table, "verdict")[1] == "propagated"
    assert None in column(table, "interval_ms")


def test_blast_radius_counts_what_users_lost() -> None:
    """Change times requests, and how much of it came from the first origin."""
    table = tables(build(believable.incident()).view)["blast-radius-table"]

    assert column(table, "operation") == ["POST /buy", "GET /cart"]
    assert column(table, "origin_ms") == [251.8, 84.5]
    assert column(table, "owner") == ["shop-team", "shop-team"]
    assert column(table, "lost_minutes")[0] == pytest.approx(276.4 * 2_310 / 60_000)


def test_a_new_edge_and_a_busier_one_are_what_changed() -> None:
    """Rates, because window and baseline differ in length."""
    table = tables(build(believable.incident()).view)["changes-table"]

    assert column(table, "what") == ["new", "called more"]
    assert column(table, "upstream") == ["fraud", "inventory"]
    assert column(table, "rate_ratio") == [None, pytest.approx(9_700 / 20 / (14_200 / 60))]
    assert column(table, "calls_ms") == [None, 4.2]


def test_two_calls_are_no_new_edge() -> None:
    """Chance makes rare calls come and go."""
    findings = believable.incident()
    moves = findings.tables["propagation"]
    findings.tables["propagation"] = moves.with_columns(
        calls=pl.when(pl.col("upstream") == "fraud").then(2).otherwise("calls")
    )
    table = tables(build(findings).view)["changes-table"]

    assert column(table, "upstream") == ["inventory"]


def test_the_hand_off_groups_services_by_owner_and_guesses_none() -> None:
    """Unknown owners are said to be unknown."""
    sheets = sections(build(believable.incident()).view)["handoff"].blocks
    owners = [plain(block.owner) for block in sheets if isinstance(block, SheetBlock)]

    assert owners[:3] == ["Owner unknown: card-db", "payments-team", "shop-team"]


def test_the_hand_off_names_an_edge_that_the_catalog_does_not_declare() -> None:
    """That one only, and only where a catalog was given."""
    findings = believable.incident()
    said = "The catalog declares no such dependency."
    assert said not in build(findings).markdown()

    rows = [("payment", "card-db", "not declared"), ("checkout", "payment", "as declared")]
    findings.tables["declarations"] = table(
        DECLARATIONS,
        [dict(zip(("downstream", "upstream", "status"), row, strict=True)) for row in rows],
    )
    sheets = sections(build(findings).view)["handoff"].blocks
    lines = [
        plain(line) for block in sheets if isinstance(block, SheetBlock) for line in block.lines
    ]

    assert [line.split(";")[0] for line in lines if said in line] == [
        "Experience owner: payment Charge took 253 ms from card-db"
    ]


def test_a_waterfall_marks_the_critical_path() -> None:
    """The parallel call and the consumer are not on it."""
    blocks = sections(build(believable.incident()).view)["exemplars"].blocks
    typical = blocks[0]
    assert isinstance(typical, WaterfallBlock)

    assert [bar.operation for bar in typical.bars if not bar.is_critical] == [
        "GET /stock", "GET /stock", "process orders",
    ]  # fmt: skip
    assert typical.bars[-1].flags == ("async",)
    assert sum(width for bar in typical.bars for _, width in bar.parts) <= 1
    for bar in typical.bars:
        for left, width in bar.parts:
            assert bar.left <= left < left + width <= bar.left + bar.width + 1e-4


def test_a_huge_trace_is_cut_and_says_so() -> None:
    """The root and the critical path are kept."""
    findings = believable.incident()
    many = pl.concat([findings.traces["worst"]] * 32)
    findings.traces = {"worst": many}
    (block,) = sections(build(findings).view)["exemplars"].blocks
    assert isinstance(block, WaterfallBlock)

    assert len(block.bars) == 60
    assert block.total == many.height


def test_a_silent_upstream_is_blamed_with_care() -> None:
    """A database that recorded nothing may itself have waited for something."""
    (facts,) = [
        block
        for block in sections(build(believable.incident()).view)["summary"].blocks
        if isinstance(block, FactsBlock)
    ]
    remark = next(plain(fact.remark) for fact in facts.facts if fact.term == "Likeliest origin")

    assert remark.endswith("It recorded no spans of its own: it began there or beyond")


def test_sampling_and_thin_data_are_said_in_words() -> None:
    """A number that misleads comes with its warning."""
    findings = believable.incident("batch")
    edges = findings.tables["edges"]
    findings.tables["edges"] = edges.with_columns(calls_weighted=edges["calls_weighted"] * 10)
    page = build(findings).view
    notes = [
        plain(block.text)
        for section in sections(page).values()
        for block in section.blocks
        if isinstance(block, Note)
    ]

    assert any("were sampled" in note for note in notes)
    assert any("fewer than 20 calls" in note for note in notes)
    assert "calls_weighted" in [column.key for column in tables(page)["edges-table"].columns]


def test_the_ledger_balances() -> None:
    """Records are spans, duplicates and rejects; here they do add up, so nothing is said."""
    section = sections(build(believable.incident()).view)["ledger"]
    facts = next(block for block in section.blocks if isinstance(block, FactsBlock))

    assert {fact.term: plain(fact.value) for fact in facts.facts} == {
        "Records read": "252,498",
        "Spans stored": "252,080",
        "Duplicates": "402",
        "Rejected": "16",
        "Covers": "2026-03-02 11:00 to 12:40 UTC",
    }
    assert not [block for block in section.blocks if isinstance(block, Note)]


def test_what_is_odd_about_every_span_is_said_once() -> None:
    """Eleven rows of "no sampling information" tell no more than one."""
    made = believable.incident()
    services = ["cart", "web"]
    made.ledger.quality = pl.DataFrame(
        {
            "service": [*services, *services, "web"],
            "reason": ["in_edge"] * 2 + ["no_sampling_information"] * 2 + ["clock_skew"],
            "spans": [30, 70, 30, 70, 5],
        }
    )

    found = tables(build(made).view)["quality-table"]

    assert column(found, "service") == ["(every service)", "web"]
    assert column(found, "spans") == [100, 5]


def test_where_spans_went_is_not_called_odd() -> None:
    """Every span has one place; only some have an oddity."""
    found = tables(build(believable.incident()).view)

    assert column(found["places-table"], "reason") == ["in_edge", "no_edge_internal"]
    assert column(found["quality-table"], "reason") == ["orphan", "end_missing"]


def test_books_that_do_not_balance_are_called_out() -> None:
    """That would be a fault of tracemap, and hiding it a worse one."""
    findings = believable.incident()
    files = findings.ledger.files
    findings.ledger.files = files.with_columns(records=files["records"] + 1)
    section = sections(build(findings).view)["ledger"]

    assert any(block.level == "warning" for block in section.blocks if isinstance(block, Note))


def test_beyond_forty_nodes_the_heat_map_comes_first() -> None:
    """A hairball answers nothing."""
    page = build(believable.large()).view
    figures = [
        block.id for block in sections(page)["graph"].blocks if isinstance(block, FigureBlock)
    ]

    assert figures == ["adjacency-figure", "graph-figure"]
