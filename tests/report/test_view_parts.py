from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tests.report import believable
from tests.report.pages import column, sections, tables
from tests.report.shop import NOON_NS
from tests.report.small import findings as small
from tests.report.small import leaf, move, origin
from tracemap.model import MINUTE_NS, SECOND_NS, Window
from tracemap.report import build
from tracemap.report.blocks import (
    FactsBlock,
    FigureBlock,
    Note,
    Page,
    SheetBlock,
    WaterfallBlock,
    plain,
)


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
        assert plain(note.text).startswith("This is about 2026-03-02 12:02 to 12:08 UTC, the spike")


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
    assert any("(90 % of that of all origins)" in plain(fact.remark) for fact in facts.facts)


def test_a_service_with_spans_is_not_said_to_have_none() -> None:
    """Its calls to silent databases do not make it silent."""
    flow = [{**leaf(2, "virtual", 30), "upstream": "redis"}, leaf(2, "gap", 20)]
    made = small(flow, [origin(1, "web", "wire", 50, 1.0)])
    (facts, *_) = sections(build(made).view)["summary"].blocks
    assert isinstance(facts, FactsBlock)

    assert not any("no spans of its own" in plain(fact.remark) for fact in facts.facts)


def test_the_flow_counts_all_leaves_of_what_most_came_from() -> None:
    """Two call paths over the same edge are one band, and one number below it."""
    made = small([leaf(2, "gap", 30), leaf(4, "gap", 25), leaf(1, "self", 40)], sections=("flow",))
    figure = next(
        block
        for block in sections(build(made).view)["flow"].blocks
        if isinstance(block, FigureBlock) and block.id == "flow-figure"
    )

    assert "55 ms per request came from web → cart: gap (way: cart → web)" in figure.summary


def test_a_trace_of_the_baseline_says_so_with_its_time() -> None:
    """A fast trace under a headline of slowness is otherwise a riddle."""
    made = believable.incident()
    typical = made.traces["typical"]
    before = typical.with_columns(start_ns=pl.col("start_ns") - pl.col("start_ns").min() + NOON_NS
                                  - 25 * MINUTE_NS)  # fmt: skip
    worst = typical.with_columns(start_ns=pl.col("start_ns") - pl.col("start_ns").min() + NOON_NS
                                 + 5 * MINUTE_NS)  # fmt: skip
    made = replace(made, traces={"typical": before, "worst": worst}, sections=("exemplars",))

    titles = [block.title for block in sections(build(made).view)["exemplars"].blocks
              if isinstance(block, WaterfallBlock)]  # fmt: skip
    assert titles == ["A typical trace before, 11:35", "The worst trace, 12:05"]


def test_each_part_of_the_evidence_has_room_for_its_names() -> None:
    """Cut as one text, the middle of it would lose which upstream is meant."""
    long = believable.incident()
    parts = [f"gap web → {name * 60}: 1.0 → 9.0 ms a call (10 and 10 calls)" for name in "ab"]
    long.tables["origins"] = long.tables["origins"].with_columns(evidence=pl.lit("; ".join(parts)))

    shown = column(tables(build(long).view)["origins-evidence-table"], "evidence")[0]

    assert shown == tuple(parts)


def test_files_of_other_kinds_are_not_called_rejected_records() -> None:
    """A README beside the traces loses no span."""
    made = believable.incident()
    book = made.ledger
    rejects = pl.DataFrame(
        {
            "path": ["exports/README.md"], "line": [0], "reason": ["not_a_trace_file"],
            "records": [1], "excerpt": ["# Exports"],
        }
    )  # fmt: skip
    book.files = book.files.head(1).with_columns(rejected=pl.lit(1, dtype=pl.Int64))
    book.files = pl.concat([book.files.with_columns(rejected=pl.lit(0, pl.Int64)), book.files])
    book.rejects = rejects

    said = build(made).markdown()

    assert "1 file; 1 file without spans left out; nothing rejected" in said
