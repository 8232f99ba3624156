"""What a weekly report says: who pays, who did it, and what nobody can tell."""

from __future__ import annotations

import polars as pl
import pytest

from tests.report import believable, week
from tests.report.pages import column, tables
from tests.report.shop import table
from tracemap.model import DRIFT, REGRESSIONS
from tracemap.report import build
from tracemap.report.blocks import Note, SheetBlock, TableBlock, plain
from tracemap.report.sections.handoff import _unknown
from tracemap.report.story import Story


def sheets() -> dict[str, list[str]]:
    """The lines of each team's sheet."""
    page = build(week.weekly()).view
    (section,) = (each for each in page.sections if each.id == "teams")
    return {
        plain(block.owner): [plain(line) for line in block.lines]
        for block in section.blocks
        if isinstance(block, SheetBlock)
    }


def test_the_headline_says_what_users_pay_and_for_what() -> None:
    """Cost first, then what edges did."""
    headline = build(week.weekly()).headline

    assert headline.startswith(
        "Users wait 32 ms longer per request (16 → 48 ms): +23 ms is catalog List "
        "since version 3.2.0; "
    )
    assert "2 edges slower and 2 re-routed" in headline


def test_a_team_is_told_since_which_version_it_is_slower() -> None:
    """Where the change began with one; a component whose did not has none."""
    lines = sheets()

    assert "catalog List since version 3.2.0: +23 ms" in " ".join(lines["team-goods"])
    assert "since version" not in " ".join(lines["team-sales"])


def test_a_quiet_week_is_called_quiet() -> None:
    """And an edge that was not seen is no alarm."""
    headline = build(week.quiet()).headline

    assert headline.startswith("A quiet week: 2 edges compared")
    assert "1 edge seen on one side only prove nothing" in headline


def test_a_week_without_one_before_it_says_so() -> None:
    """Nothing to compare with is not the same as quiet."""
    found = week.quiet()
    found.baseline, found.verdict = None, "insufficient_data"
    found.baseline_reason = "there is nothing to compare with: nothing before was recorded"

    assert build(found).headline == (
        "Too little data to judge 2026-03-02 00:00 to 2026-03-09 00:00 UTC: "
        "nothing before was recorded."
    )


def test_what_got_faster_is_taken_off_first() -> None:
    """The headline leads with what is left of all changes, then says the largest regression."""
    found = week.weekly()
    regressions = found.tables["regressions"]
    found.tables["regressions"] = pl.concat(
        [
            regressions,
            regressions.head(1).with_columns(
                service=pl.lit("search"),
                verdict=pl.lit("faster"),
                change_ns=pl.lit(-40_000_000, pl.Int64),
                baseline_user_ns=pl.lit(50_000_000, pl.Int64),
            ),
        ]
    )

    assert build(found).headline.startswith(
        "Users wait 8 ms less per request (66 → 58 ms): +23 ms is catalog List since"
    )


def test_the_proof_of_the_headline_is_what_users_wait_for() -> None:
    """Shown once: right below the headline."""
    page = build(week.weekly()).view

    assert page.proof is not None
    assert page.proof.id == "regressions"
    assert "regressions" not in [section.id for section in page.sections]


def test_a_partial_week_is_no_week_to_compare_calls_with() -> None:
    """The first of the trend holds three days and a half."""
    page = build(week.weekly()).view
    (section,) = (each for each in page.sections if each.id == "trend")
    (said,) = (plain(block.text) for block in section.blocks if isinstance(block, Note))

    assert said == (
        "A partial week begins 2026-02-02 (3.5 of 7 days): its calls are compared with those of "
        "other weeks by the day only."
    )


def test_own_time_is_upstreams() -> None:
    """The interface owner decides what it offers."""
    assert (
        "Theirs. catalog List since version 3.2.0: +23 ms per user request (slower), now 33 ms."
        in (sheets()["team-goods"])
    )


def test_more_calls_are_the_callers() -> None:
    """Whom to call is downstream's choice: tariffs is not to blame for being asked."""
    told = sheets()["team-sales"]

    assert "Theirs. tariffs List: +9.0 ms per user request (more calls), now 9.0 ms." in told
    assert "Theirs. orders → pricing: re-routed (calls moved to tariffs)." in told


def test_what_is_passed_on_is_not_charged() -> None:
    """Edge is slower for users, but its own time is not: it passes catalog's on."""
    told = sheets()["team-front"]

    assert any(
        line.startswith("Not theirs. user → edge: slower") and "passes this on" in line
        for line in told
    )
    assert not any(line.startswith("Theirs. user → edge") for line in told)


def test_services_without_an_owner_stand_together() -> None:
    """Nobody is guessed."""
    found = week.weekly()
    found.owners = {}
    found.tables["budget"] = found.tables["budget"].clear()
    page = build(found).view
    (section,) = (each for each in page.sections if each.id == "teams")

    assert [plain(block.owner) for block in section.blocks if isinstance(block, SheetBlock)] == [
        "Owner not known"
    ]


def test_budget_is_summed_by_owner() -> None:
    """Unknown owners stay unknown."""
    page = build(week.weekly()).view
    (section,) = (each for each in page.sections if each.id == "budget")
    owners = next(block for block in section.blocks if isinstance(block, TableBlock))

    assert [(row[0], row[1]) for row in owners.rows] == [("team-goods", 3.0), (None, 1.0)]


def test_declared_dependencies_are_counted_by_owner() -> None:
    """And all together in a sentence; services without an owner stand last."""
    page = build(week.weekly()).view
    (section,) = (each for each in page.sections if each.id == "declarations")
    owners = tables(page)["declarations-owners-table"]
    (said,) = (plain(block.text) for block in section.blocks if isinstance(block, Note))

    assert said == (
        "2 dependencies observed as declared; 1 declared but not observed; 1 observed but not "
        "declared."
    )
    assert column(owners, "owner") == ["team-front", "team-sales", None]
    assert column(owners, "not observed") == [0, 1, 0]


def test_what_could_not_be_followed_is_on_the_hand_off_as_not_known() -> None:
    """Nobody is charged with it; what could be followed is not in it."""
    found = believable.incident()
    known = _unknown(Story(found))
    flow = found.tables["flow"]
    unresolved = pl.col("leaf").replace({"virtual": "unresolved"})
    found.tables["flow"] = flow.with_columns(leaf=unresolved)
    lost = _unknown(Story(found))

    assert known == []
    assert len(lost) == 2
    assert {side for _, side, _ in lost} == {"unknown"}
    assert all(plain(line).startswith("Not known: ") for _, _, line in lost)


def test_with_another_mix_of_requests_every_figure_is_of_the_same_mix() -> None:
    """3.7 and 12.8 more are 16.5, in the text, the sheets and the figure; the table has both."""
    found = week.weekly()
    row = week.spent(1, "catalog", "slower", 3.65, 16.47) | {
        "user_ns": 16_590_000, "mix_ns": 120_000,
    }  # fmt: skip
    found.tables["regressions"] = table(REGRESSIONS, [row])
    page = build(found)
    behind = tables(page.view)["regressions-table"]

    assert "Users wait 12.8 ms longer per request (3.7 → 16.5 ms)" in page.headline
    assert "+12.8 ms a request (slower since version `3.2.0`), now 16.5 ms" in page.text()
    assert column(behind, "now_ms") == [pytest.approx(16.47)]
    assert column(behind, "user_ms") == [pytest.approx(16.59)]
    assert "catalog List from 3.7 ms to 16.5 ms" in page.markdown()


def test_a_ratio_with_one_known_end_shows_that_end() -> None:
    """Up to 0.71 is faster for certain, however few calls were fast before."""
    found = week.weekly()
    row = week.drifted("edge", "account", "faster", p95_ratio=0.64, p95_ratio_low=None)
    found.tables["drift"] = table(DRIFT, [row | {"p95_ratio_high": 0.71}])

    shown = tables(build(found).view)["drift-table"]
    assert column(shown, "p95_range") == ["0.64 [up to 0.710]"]
