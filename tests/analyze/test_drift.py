"""What may be called new, gone, re-routed or slower, and what must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyze.weeks import BASELINE, DAY_NS, LATER, WINDOW, Calls, facts
from tracemap import analyze
from tracemap.model import DRIFT, Facts, Window

CART = Calls("web", "cart")
STOCK = Calls("web", "stock", ms=8.0)
PRICING = Calls("web", "pricing", operation="Quote")
TARIFFS = Calls("web", "tariffs", operation="Quote")
USUAL = [CART, STOCK]
MIRRORED = {
    "new": "gone",
    "not observed before": "not observed",
    "slower": "faster",
    "more errors": "fewer errors",
    "more calls": "fewer calls",
}
MIRROR = MIRRORED | {after: before for before, after in MIRRORED.items()}


def found(given_facts: Facts, window: Window = WINDOW, baseline: Window = BASELINE) -> pl.DataFrame:
    return analyze.drift(given_facts, window, baseline)


def row(given_facts: Facts, upstream: str) -> dict[str, Any]:
    (only,) = found(given_facts).filter(pl.col("upstream") == upstream).to_dicts()
    return only


def change(given_facts: Facts, upstream: str) -> str:
    return str(row(given_facts, upstream)["change"])


@settings(deadline=None, max_examples=3)
@given(st.integers(0, 1_000))
def test_a_window_against_itself_is_nothing(seed: int) -> None:
    """All ratios are 1, and nothing is called changed."""
    rows = found(facts(USUAL, seed=seed), WINDOW, WINDOW)

    assert rows["change"].to_list() == ["steady", "steady"]
    assert rows["p95_ratio"].to_list() == [1.0, 1.0]
    assert rows["mean_change_ns"].to_list() == rows["mix_ns"].to_list() == [0, 0]


@settings(deadline=None, max_examples=3)
@given(st.integers(0, 1_000))
def test_swapping_the_windows_mirrors_the_result(seed: int) -> None:
    """Slower becomes faster, new becomes gone, intervals turn over."""
    after = [replace(CART, ms=30.0), PRICING, replace(STOCK, errors=0.05)]
    made = facts([*USUAL, TARIFFS], after, seed=seed)
    key = ["downstream", "upstream"]
    there, back = found(made).sort(key), found(made, BASELINE, WINDOW).sort(key)

    assert [MIRROR.get(word, word) for word in there["change"]] == back["change"].to_list()
    for ratio in ("p50_ratio", "p95_ratio", "calls_ratio", "p95_speed_ratio"):
        assert (there[ratio] * back[ratio] - 1).abs().max() < 1e-9  # type: ignore[operator]
    assert ((there["p95_ratio_low"] * back["p95_ratio_high"]) - 1).abs().max() < 1e-9  # type: ignore[operator]
    assert there["speed_ns"].to_list() == pytest.approx([
        None if each is None else -each for each in back["speed_ns"]
    ], abs=1)  # fmt: skip


@settings(deadline=None, max_examples=3)
@given(st.integers(0, 1_000), st.integers(1, 34))
def test_facts_of_parts_give_what_the_whole_gives(seed: int, cut: int) -> None:
    """Facts are sums: rows that come in two pieces count the same."""
    made = facts(USUAL, [replace(CART, ms=30.0), STOCK], seed=seed)
    doubled = Facts(
        {
            name: pl.concat([made[name], made[name]]) if name.endswith("y_facts") else made[name]
            for name in made.tables
        }
    )
    halves = Facts(dict(made.tables))
    pieces = made["latency_facts"].with_columns(pl.col("count") * 2, pl.col("sum_ns") * 2)
    halves.tables["latency_facts"] = pieces.sample(fraction=1.0, shuffle=True, seed=cut)

    assert found(doubled).equals(found(halves))


@pytest.mark.parametrize("seed", range(5))
def test_quiet_weeks_are_quiet(seed: int) -> None:
    """Days that differ as days do are no drift, whatever the number of requests."""
    rows = found(facts(USUAL, seed=seed, requests=2_000, wobble=0.08))

    assert rows["change"].to_list() == ["steady", "steady"]


def test_a_new_edge_is_new() -> None:
    """Its caller was there before, and called others."""
    assert row(facts(USUAL, [*USUAL, PRICING]), "pricing")["changes"] == ["new"]


def test_a_gone_edge_is_gone() -> None:
    """Its caller is still there, and calls others as ever."""
    gone = row(facts([*USUAL, PRICING], USUAL), "pricing")

    assert gone["change"] == "gone"
    assert "none of about 1,400 calls" in gone["detail"]


def test_an_edge_whose_caller_was_not_there_is_not_observed() -> None:
    """No requests, no calls: that says nothing about the edge."""
    made = facts([*USUAL, Calls("batch", "ledger")], USUAL)
    served = made["latency_facts"]
    is_silent = (pl.col("service") == "batch") & (pl.col("window_start_ns") >= LATER * DAY_NS)
    made.tables["latency_facts"] = served.filter(~is_silent)
    ledger = row(made, "ledger")

    assert ledger["change"] == "not observed"
    assert ledger["detail"] == "who calls it was not observed in the window"


def test_an_edge_of_a_caller_without_any_calls_is_not_observed() -> None:
    """Its requests are there, its client spans are not: instrumentation may have gone."""
    ledger = row(facts([*USUAL, Calls("batch", "ledger")], USUAL), "ledger")

    assert ledger["change"] == "not observed"
    assert "records no calls at all" in ledger["detail"]


def test_an_edge_called_once_a_week_is_not_gone_after_one_week() -> None:
    """Seven silent days prove little about a job of Mondays only."""
    mondays = replace(PRICING, days=(0, 7, 14, 21))

    assert change(facts([*USUAL, mondays], USUAL), "pricing") == "not observed"


def test_an_edge_with_few_calls_is_not_gone() -> None:
    """Three calls were to be expected."""
    seldom = replace(PRICING, rate=0.002)

    assert change(facts([*USUAL, seldom], USUAL), "pricing") == "not observed"


def test_calls_that_moved_are_re_routed() -> None:
    """The same operation, as often, of another upstream."""
    made = facts([*USUAL, PRICING], [*USUAL, TARIFFS])

    assert row(made, "pricing")["detail"] == "calls moved to tariffs"
    assert row(made, "tariffs")["detail"] == "calls moved from pricing"
    assert row(made, "tariffs")["instead"] == "pricing"


def test_calls_that_moved_in_part_are_re_routed() -> None:
    """A canary of a third."""
    after = [*USUAL, replace(PRICING, rate=2 / 3), replace(TARIFFS, rate=1 / 3)]
    made = facts([*USUAL, PRICING], after, requests=400)

    assert "re-routed" in row(made, "pricing")["changes"]
    assert row(made, "tariffs")["change"] == "re-routed"


def test_two_that_could_be_meant_are_not_guessed() -> None:
    """One went, two others came as often, none with an operation of that name."""
    after = [*USUAL, Calls("web", "a", operation="x"), Calls("web", "b", operation="y")]
    made = facts([*USUAL, PRICING], after)

    assert [change(made, name) for name in ("pricing", "a", "b")] == ["gone", "new", "new"]


def test_a_slower_edge_is_slower_and_by_how_much() -> None:
    """Half as slow again; the interval holds the truth."""
    slow = row(facts(USUAL, [replace(CART, ms=30.0), STOCK]), "cart")

    assert slow["changes"] == ["slower"]
    assert slow["p95_ratio_low"] < 1.5 < slow["p95_ratio_high"]
    assert slow["p95_ratio"] == pytest.approx(1.5, rel=0.1)


def test_a_tenth_slower_is_no_drift() -> None:
    """Certain, but nobody can act on it."""
    assert change(facts(USUAL, [replace(CART, ms=22.0), STOCK]), "cart") == "steady"


def test_slower_by_less_than_a_millisecond_is_no_drift() -> None:
    """Twice as long as very little is still very little."""
    tiny = replace(STOCK, ms=0.4)

    assert change(facts([CART, tiny], [CART, replace(tiny, ms=0.8)]), "stock") == "steady"


def test_one_bad_day_is_no_drift() -> None:
    """A day is one event, not two hundred slow requests."""
    made = facts(USUAL)
    bad = facts([replace(CART, ms=200.0), STOCK])
    day = 31 * DAY_NS
    for name in ("edge_facts", "latency_facts"):
        here = pl.col("window_start_ns") == day
        made.tables[name] = pl.concat([made[name].filter(~here), bad[name].filter(here)])

    assert change(made, "cart") == "steady"


def test_another_mix_of_operations_is_not_slower() -> None:
    """Each takes what it took; the slow one is only called more often."""
    fast, slow = Calls("web", "db", ms=5.0, operation="a"), Calls("web", "db", 100.0, 0.1,
                                                                  operation="b")  # fmt: skip
    more = replace(slow, rate=0.5)
    mixed = row(facts([CART, fast, slow], [CART, fast, more]), "db")

    assert mixed["p50_ratio"] < 1.2 or "slower" not in mixed["changes"]
    assert "slower" not in mixed["changes"]
    assert abs(mixed["speed_ns"]) < 0.1 * mixed["mix_ns"]


def test_more_errors_are_told_with_both_shares() -> None:
    """Five in a hundred where there was one in a thousand."""
    before = replace(CART, errors=0.001)
    bad = row(facts([before, STOCK], [replace(CART, errors=0.05), STOCK]), "cart")

    assert bad["changes"] == ["more errors"]
    assert bad["error_change_low"] < 0.049 < bad["error_change_high"]


def weighted(made: Facts, weight: float, *, late: bool) -> Facts:
    """Return the facts with each call of the window (late) or baseline standing for `weight`."""
    side = (pl.col("window_start_ns") >= LATER * DAY_NS) == late
    edges = made["edge_facts"].with_columns(
        calls_weighted=pl.col("calls_weighted") * pl.when(side).then(weight).otherwise(1.0)
    )
    return Facts({**made.tables, "edge_facts": edges})


def test_a_sampler_that_keeps_failures_makes_no_more_errors() -> None:
    """Since this week one recorded call stands for ten: it may be that failures are all kept."""
    before = replace(CART, errors=0.001)
    made = facts([before, STOCK], [replace(CART, errors=0.05), STOCK])
    told = row(weighted(made, 10.0, late=True), "cart")

    assert told["changes"] == ["sampled differently"]
    assert "of those recorded" in told["detail"]


def test_errors_are_compared_where_both_sides_are_sampled_alike() -> None:
    """One call of a hundred was kept in both."""
    made = facts([replace(CART, errors=0.001), STOCK], [replace(CART, errors=0.05), STOCK])
    both = weighted(weighted(made, 100.0, late=True), 100.0, late=False)

    assert row(both, "cart")["changes"] == ["more errors"]


def test_calls_that_are_sampled_differently_may_be_slower() -> None:
    """Only shares of failures wait for a like sampler; nothing is said where few calls failed."""
    made = weighted(facts(USUAL, [replace(CART, ms=30.0), STOCK]), 10.0, late=True)

    assert row(made, "cart")["changes"] == ["slower"]
    assert change(made, "stock") == "steady"


def test_a_few_errors_more_are_no_drift() -> None:
    """From one in a thousand to three: less than half a percent."""
    before = replace(CART, errors=0.001)

    assert change(facts([before, STOCK], [replace(CART, errors=0.003), STOCK]), "cart") == "steady"


def test_more_calls_per_request_are_told() -> None:
    """Twice as many, not twice as many requests."""
    assert row(facts(USUAL, [replace(CART, rate=2.0), STOCK]), "cart")["changes"] == ["more calls"]


def test_more_requests_are_no_more_calls() -> None:
    """Each request still makes as many."""
    made, busy = facts(USUAL), facts(USUAL, requests=600, seed=2)
    late = pl.col("window_start_ns") >= LATER * DAY_NS
    for name in ("edge_facts", "latency_facts"):
        made.tables[name] = pl.concat([made[name].filter(~late), busy[name].filter(late)])

    assert change(made, "cart") == "steady"


def test_changed_evidence_is_told() -> None:
    """Upstream stopped recording: the edge is now seen by its caller alone."""
    blind = replace(CART, evidence="peer")

    assert "changed evidence" in row(facts(USUAL, [blind, STOCK]), "cart")["changes"]


def test_too_few_calls_are_not_called_steady() -> None:
    """Nothing can be said of three calls a week."""
    assert change(facts([STOCK, replace(CART, rate=0.002)], requests=200), "cart") == (
        "too few calls"
    )


def test_no_calls_are_no_rows() -> None:
    """With the declared columns."""
    assert found(Facts()).equals(DRIFT.empty())


def test_twice_as_many_calls_of_a_handful_are_no_more_calls() -> None:
    """Seven requests a week that each make a second call: nothing is known of their scatter."""
    made = facts([CART], [replace(CART, rate=2.0)], requests=1)

    assert row(made, "cart")["changes"] == ["too few calls"]
    assert row(made, "cart")["calls_ratio"] == pytest.approx(2.0)


def test_calls_that_nearly_stopped_are_fewer_calls() -> None:
    """A handful is left where hundreds were to be expected: that is known well."""
    made = facts(USUAL, [replace(CART, rate=0.01), STOCK])

    assert row(made, "cart")["changes"] == ["fewer calls"]


def test_operations_without_a_name_are_not_alike() -> None:
    """That neither upstream says what was asked of it makes them no pair."""
    unnamed = [Calls("web", name, operation="") for name in ("pricing", "a", "b")]
    made = facts([*USUAL, unnamed[0]], [*USUAL, *unnamed[1:]])

    assert [change(made, name) for name in ("pricing", "a", "b")] == ["gone", "new", "new"]


def test_calls_do_not_move_to_an_edge_that_may_not_be_new() -> None:
    """It was called on one day: it could have been silent for four weeks by chance."""
    seldom = replace(TARIFFS, days=(30,))
    made = facts([*USUAL, replace(PRICING, rate=0.15)], [*USUAL, seldom])

    assert change(made, "pricing") == "gone"
    assert change(made, "tariffs") == "not observed before"
    assert row(made, "pricing")["instead"] is None


def test_many_slower_edges_make_no_other_change_likelier() -> None:
    """Fifteen are three times as slow; that is no evidence on failures of the thirty others."""
    slower = [Calls("web", f"slow{number}", rate=0.3) for number in range(15)]
    others = [
        Calls(f"web{number % 3}", f"calm{number}", rate=(0.06, 0.1, 0.15)[number % 3],
              errors=(0.01, 0.02, 0.05)[number % 3])
        for number in range(30)
    ]  # fmt: skip
    now = [*(replace(each, ms=60.0) for each in slower), *others]
    rows = found(facts([*slower, *others], now, requests=150, seed=0))
    calm = rows.filter(pl.col("upstream").str.starts_with("calm"))

    assert set(calm["change"]) == {"steady"}
    assert set(rows.filter(pl.col("upstream").str.starts_with("slow"))["change"]) == {"slower"}
