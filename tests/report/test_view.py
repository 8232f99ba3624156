from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tests.report import believable
from tests.report.shop import MS, NOON_NS
from tests.report.small import findings as small
from tests.report.small import leaf, move, origin
from tracemap.errors import PipelineError
from tracemap.model import MINUTE_NS, SECOND_NS, Findings, Window
from tracemap.report import SECTIONS, build
from tracemap.report.blocks import (
    FactsBlock,
    FigureBlock,
    Note,
    Page,
    Section,
    SheetBlock,
    TableBlock,
    WaterfallBlock,
    plain,
)


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

    assert [section.id for section in page.sections] == ["summary", "graph", "edges", "ledger"]


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


def test_the_flow_figure_runs_in_milliseconds_to_the_user() -> None:
    """The stream that leaves the origin carries both operations' share."""
    (block,) = sections(build(believable.incident()).view)["flow"].blocks
    assert isinstance(block, FigureBlock)
    (trace,) = block.spec["data"]
    link = trace["link"]
    labels = trace["node"]["label"]
    from_origin = [
        value
        for source, value in zip(link["source"], link["value"], strict=True)
        if labels[source] == "card-db"
    ]

    assert from_origin == [pytest.approx(251.8 + 84.5)]
    assert "payment: own time" in labels


def test_a_waterfall_marks_the_critical_path() -> None:
    """The parallel call and the consumer are not on it."""
    blocks = sections(build(believable.incident()).view)["exemplars"].blocks
    typical = blocks[0]
    assert isinstance(typical, WaterfallBlock)

    assert [bar.operation for bar in typical.bars if not bar.is_critical] == [
        "GET /stock", "GET /stock", "process orders",
    ]  # fmt: skip
    assert typical.bars[-1].flags == ("async",)


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


def sheet_lines(page: Page) -> list[str]:
    """Every sentence of the hand-off."""
    blocks = sections(page)["handoff"].blocks
    return [
        plain(line) for block in blocks if isinstance(block, SheetBlock) for line in block.lines
    ]


def test_an_operation_without_calls_counts_with_all_its_requests() -> None:
    """The flow says how many there were; propagation knows only operations that call."""
    made = small([leaf(9, "self", 60, requests=600)], sections=("blast_radius",))
    table = tables(build(made).view)["blast-radius-table"]

    assert column(table, "requests") == [600]
    assert column(table, "lost_minutes") == [pytest.approx(60 * 600 / 60_000)]


def test_rates_count_only_minutes_in_which_anything_was_observed() -> None:
    """Half an hour without any data is no half an hour of silence."""
    findings = believable.incident()
    lines = findings.tables["timeline"]
    findings.tables["timeline"] = lines.filter(
        ~pl.col("window_start_ns").is_between(NOON_NS - 40 * MINUTE_NS, NOON_NS - 11 * MINUTE_NS)
    )
    table = tables(build(findings).view)["changes-table"]
    payment = column(table, "upstream").index("payment")

    assert column(table, "baseline_rate")[payment] == pytest.approx(7_150 / 30)
    assert "inventory" not in column(table, "upstream")  # 473 and 485 a minute


def test_time_that_is_not_covered_does_not_count() -> None:
    """A window may be asked for that reaches beyond the data."""
    findings = believable.incident()
    assert findings.window
    findings.window = Window(findings.window.start_ns, NOON_NS + 30 * MINUTE_NS)
    findings.ledger.covered = Window(NOON_NS - 60 * MINUTE_NS, NOON_NS + 10 * MINUTE_NS)
    table = tables(build(findings).view)["changes-table"]

    assert column(table, "rate")[column(table, "upstream").index("fraud")] == 240.0


def test_the_minute_in_which_the_data_begins_counts_from_there() -> None:
    """The timeline has no cell for it, as it is not whole."""
    findings = believable.incident()
    lines = findings.tables["timeline"]
    start_ns = NOON_NS - 30 * MINUTE_NS + 15 * SECOND_NS
    findings.tables["timeline"] = lines.filter(pl.col("window_start_ns") >= start_ns)
    findings.ledger.covered = Window(start_ns, NOON_NS + 40 * MINUTE_NS)
    table = tables(build(findings).view)["changes-table"]
    payment = column(table, "upstream").index("payment")

    assert column(table, "baseline_rate")[payment] == pytest.approx(7_150 / 29.75)


def test_without_a_timeline_no_rates_are_guessed() -> None:
    """How long calls were observed is not known then."""
    findings = believable.incident()
    findings.tables["timeline"] = findings.tables["timeline"].clear()

    assert "changes" not in sections(build(findings).view)


def test_more_calls_are_charged_to_their_own_operation() -> None:
    """Two operations of one service may be called by the same one."""
    calls = {"calls": 4_000, "baseline_calls": 4_000}
    moves = [
        move("web", "GET /", "cart", operation, 50, 50, "propagated", **calls)
        for operation in ("GET /cart", "POST /cart")
    ]
    made = small([leaf(2, "calls", 30), leaf(4, "calls", 7)], [], moves, sections=("changes",))
    made.tables["timeline"] = believable.incident().tables["timeline"]
    table = tables(build(made).view)["changes-table"]

    assert column(table, "upstream_operation") == ["GET /cart", "POST /cart"]
    assert column(table, "calls_ms") == [30.0, 7.0]


def test_whoever_was_not_slower_is_not_said_to_have_offered_it() -> None:
    """The way and more calls are not the callee's doing."""
    moves = [move("web", "GET /", "cart", "GET /cart", 419, 419, "propagated")]
    made = small([leaf(2, "gap", 295), leaf(2, "calls", 112), leaf(3, "self", 12)], [], moves,
                 sections=("handoff",))  # fmt: skip

    assert sheet_lines(build(made).view)[0] == (
        "Interface owner: cart GET /cart was not slower itself; calls to it took web GET / 419 ms "
        "more per request; 419 ms arrived (propagated). In the change of web GET / that is "
        "295 ms on the way between them and 112 ms for more calls."
    )


def test_whoever_was_slower_is_told_by_how_much() -> None:
    """Own time, and what it waited for."""
    moves = [move("web", "GET /", "cart", "GET /cart", 60, 60, "propagated")]
    made = small([leaf(3, "self", 50), leaf(2, "gap", 10)], [], moves, sections=("handoff",))

    assert sheet_lines(build(made).view)[0].endswith(
        "In the change of web GET / that is 50 ms of its own time and 10 ms on the way between "
        "them."
    )


def test_a_part_too_small_to_follow_is_not_called_waiting() -> None:
    """Nobody looked where in the service it was."""
    moves = [move("web", "GET /", "cart", "GET /cart", 52, 52, "propagated")]
    made = small([leaf(2, "gap", 48), leaf(3, "small", 4)], [], moves, sections=("handoff",))

    assert sheet_lines(build(made).view)[0].endswith(
        "48 ms on the way between them and 4.0 ms too small to follow in it."
    )


def test_a_lead_stays_a_lead_on_the_hand_off() -> None:
    """A team is not sent after noise."""
    weak = origin(1, "cart", "self", 50, 1.0, confidence="weak")
    made = small([leaf(3, "self", 50)], [weak], sections=("handoff",))

    assert sheet_lines(build(made).view)[0].startswith("A lead, not a finding: cart's own time")


def test_a_flat_line_is_not_said_to_be_hurt() -> None:
    """The mean moved, its percentiles did not."""
    findings = believable.incident()
    lines = findings.tables["timeline"]
    flat = (pl.col("operation") == "POST /buy") | (pl.col("operation") == "GET /cart")
    findings.tables["timeline"] = lines.with_columns(
        pl.when(flat).then(120 * MS).otherwise(name).alias(name) for name in ("p50_ns", "p95_ns")
    )
    proof = build(findings).view.proof
    assert proof
    (figure,) = proof.blocks
    assert isinstance(figure, FigureBlock)
    titles = [note["text"] for note in figure.spec["layout"]["annotations"]]

    assert not [title for title in titles if "hurt" in title]
    assert any("POST /buy" in title for title in titles)


def test_the_line_of_a_network_is_one_it_slowed_down() -> None:
    """Not the gap of another caller, however large its peak."""
    made = small([leaf(2, "gap", 60)], [origin(1, "web", "wire", 60, 1.0)], sections=("timeline",))
    lines = believable.incident().tables["timeline"].head(100)
    made.tables["timeline"] = pl.concat(
        lines.with_columns(
            unit=pl.lit("gap"), service=pl.lit("cart"), downstream=pl.lit(downstream),
            operation=pl.lit("GET /cart"), p95_ns=pl.col("p95_ns") * scale,
        )
        for downstream, scale in (("web", 1), ("admin", 9))
    )  # fmt: skip
    proof = build(made).view.proof
    assert proof
    (figure,) = proof.blocks
    assert isinstance(figure, FigureBlock)

    assert "gap to web" in figure.spec["layout"]["annotations"][0]["text"]


def test_sections_about_a_part_of_the_window_say_so() -> None:
    """The rest of a day was not compared with anything."""
    findings = believable.incident("batch")
    findings.tables["timeline"] = believable.incident().tables["timeline"]
    findings.sections = ("flow", "origins", "propagation", "blast_radius", "changes")
    findings.incident = Window(NOON_NS + 2 * MINUTE_NS, NOON_NS + 8 * MINUTE_NS)
    page = build(findings).view

    for name in findings.sections:
        note = sections(page)[name].blocks[0]
        assert isinstance(note, Note)
        assert plain(note.text).startswith("In 2026-03-02 12:02 to 12:08 UTC, the spike")


def test_too_little_data_is_no_proof_of_calm() -> None:
    """The section of spikes says the same as the headline."""
    findings = replace(believable.insufficient(), sections=("spikes",))
    note = sections(build(findings).view)["spikes"].blocks[0]
    assert isinstance(note, Note)

    assert "too little data" in plain(note.text)


def test_the_interval_of_one_trace_is_unknown() -> None:
    """One repetition has no spread; a width of nothing would look like certainty."""
    made = small([leaf(1, "self", 60, half_ms=0)], sections=("flow",))

    assert column(tables(build(made).view)["flow-table"], "interval_ms") == [None]


def test_shares_say_of_what_they_are_shares() -> None:
    """Two figures in percent on one screen are not taken for one."""
    made = small([leaf(3, "self", 30), leaf(1, "self", 10)], [origin(1, "cart", "self", 30, 0.9)])
    page = build(made).view
    (facts,) = [b for b in sections(page)["summary"].blocks if isinstance(b, FactsBlock)]

    assert "75 % of this operation's change" in plain(page.headline)
    assert any("90 % of the time all origins explain" in plain(fact.remark) for fact in facts.facts)


def test_a_service_with_spans_is_not_said_to_have_none() -> None:
    """Its calls to silent databases do not make it silent."""
    flow = [{**leaf(2, "virtual", 30), "upstream": "redis"}, leaf(2, "gap", 20)]
    made = small(flow, [origin(1, "web", "wire", 50, 1.0)])
    (facts, *_) = sections(build(made).view)["summary"].blocks
    assert isinstance(facts, FactsBlock)

    assert not any("no spans of its own" in plain(fact.remark) for fact in facts.facts)
