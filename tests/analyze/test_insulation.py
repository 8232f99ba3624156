"""What stops a spike, from simulated systems that have it, nearly have it, or have nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pytest

from tests.analyze.simulated import bucket
from tests.builders import NOON_NS
from tests.derive.traces import at
from tests.derive.traces import facts_of as traces_facts
from tracemap import analyze, derive
from tracemap.analyze.insulation.fallbacks import fallbacks
from tracemap.analyze.insulation.seen import FAILED, Seen
from tracemap.model import (
    HOUR_NS,
    INSULATION,
    LATENCY_FACTS,
    MINUTE_NS,
    PATTERN_FACTS,
    Cells,
    Facts,
    TraceBucket,
    Window,
)
from tracemap.simulate import random_shop, run
from tracemap.simulate.behaviours import MAKERS, Behaviour
from tracemap.simulate.behaviours.behaviour import PRICES, TAXES, call, played, system
from tracemap.simulate.faults import Failing, Slower
from tracemap.simulate.simulated import Simulated

BEHAVIOURS = {maker.__name__: maker for maker in MAKERS}
DETECTED = {
    "retry_http": "retry",
    "retry_grpc": "retry",
    "retry_storm": "retry storm",
    "layered_retries": "layered retries",
    "timeout": "timeout",
    "deadline_grpc": "timeout",
    "deadline_inversion": "deadline inversion",
    "circuit_breaker": "circuit breaker",
    "fallback": "fallback",
    "hedging": "hedge",
    "ejection": "ejection",
    "short_circuit": "short circuit",
    "cold_cache": "cache misses",
    "n_plus_one": "calls in a loop",
    "fan_out": "fan-out",
}
"""The behaviour that has each pattern; `sequential_calls` has two pairs and a test of its own."""
WITHOUT_EXEMPLARS = {"short circuit", "cache misses"}
"""What was not called leaves no span."""
SITE = ("downstream", "downstream_operation", "upstream", "upstream_operation")


@cache
def behaviour(name: str) -> Behaviour:
    return BEHAVIOURS[name]()


def windows(simulated: Simulated) -> tuple[Window, Window]:
    """Return incident and baseline of a behaviour: its second minute, and its first."""
    middle_ns = simulated.start_ns + MINUTE_NS
    return Window(middle_ns, middle_ns + 2 * MINUTE_NS), Window(simulated.start_ns, middle_ns)


def facts_of(spans: TraceBucket, simulated: Simulated) -> Facts:
    incident, baseline = windows(simulated)
    return derive.facts(spans, Cells(windows=analyze.cells(baseline) + analyze.cells(incident)))


@cache
def found(name: str, which: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return insulation and propagation of one run."""
    simulated = getattr(behaviour(name), which)
    facts = facts_of(bucket(simulated), simulated)
    moved = analyze.propagation(facts["path_facts"], facts["paths"], *windows(simulated))
    rows = analyze.insulation(facts, *windows(simulated), moved)
    return rows, analyze.named_mechanisms(moved, rows)


def on_the_edge(name: str, which: str = "positive") -> dict[str, dict[str, Any]]:
    """Return what was found on the edge that a behaviour is about, by pattern."""
    one = behaviour(name)
    rows = found(name, which)[0].filter(
        downstream=one.downstream.service, upstream=one.upstream.service
    )
    return {row["pattern"]: row for row in rows.iter_rows(named=True)}


def did(name: str) -> dict[str, Any]:
    """Return what the mechanisms of the edge did, as the simulation counted it."""
    one = behaviour(name)
    (row,) = (
        row
        for row in one.positive.truth["safeguards"]
        if (row["downstream"], row["upstream"]) == (one.downstream.service, one.upstream.service)
    )
    return dict(row)


@pytest.mark.parametrize(("name", "pattern"), DETECTED.items())
def test_the_pattern_is_seen_where_it_is_and_nowhere_else(name: str, pattern: str) -> None:
    """On its edge of the positive run; on no edge of the near miss or the negative."""
    assert pattern in on_the_edge(name)
    for which in ("near_miss", "negative"):
        assert pattern not in found(name, which)[0]["pattern"].to_list()


@pytest.mark.parametrize(("name", "pattern"), DETECTED.items())
def test_every_pattern_shows_traces_and_spans_that_exist(name: str, pattern: str) -> None:
    """Three of them, with the spans in question."""
    row = on_the_edge(name)[pattern]
    if pattern in WITHOUT_EXEMPLARS:
        assert row["exemplars"] == []
        return
    spans = behaviour(name).positive.spans
    known = set(spans.select("trace_high", "trace_low", "span_id").iter_rows())

    assert len(row["exemplars"]) == len(row["spans"]) == 3
    for trace, shown in zip(row["exemplars"], row["spans"], strict=True):
        for span in shown.split(" "):
            assert (int(trace[:16], 16), int(trace[16:], 16), int(span, 16)) in known


def test_calls_in_a_row_are_pairs() -> None:
    """Each with the one that follows it; side by side there are none."""
    rows, _ = found("sequential_calls", "positive")
    pairs = rows.filter(pattern="calls in a row").select("upstream", "other").sort("upstream")

    assert pairs.rows() == [("ledger", "prices"), ("prices", "taxes")]
    for which in ("near_miss", "negative"):
        assert "calls in a row" not in found("sequential_calls", which)[0]["pattern"]


@pytest.mark.parametrize("name", ["retry_http", "retry_grpc"])
def test_retries_are_those_that_were_made(name: str) -> None:
    """To the last one: how many, how many were rescued."""
    row, truth = on_the_edge(name)["retry"], did(name)

    assert (row["occurrences"], row["rescued"]) == (truth["retries"], truth["recovered"])
    assert (row["role"], row["confidence"]) == ("protects", "strong")


def test_amplification_is_attempts_by_calls() -> None:
    """Of the incident, in which every call is tried up to four times."""
    row, truth = on_the_edge("retry_storm")["retry storm"], did("retry_storm")

    assert row["attempts_per_call"] > truth["amplification"] > 2
    assert row["occurrences"] == truth["retries"]


def test_a_loop_in_which_calls_fail_is_no_retry() -> None:
    """The next call comes after failures and after successes alike."""
    failing = Failing(service="prices", ratio=0.1)
    simulated = played(system((call(PRICES, times=8),)), failing, seed=11)
    rows = analyze.insulation(facts_of(bucket(simulated), simulated), *windows(simulated))

    assert "retry" not in rows["pattern"]
    assert "calls in a loop" in rows["pattern"]


def test_a_loop_that_a_fault_makes_slow_is_told_of_the_time_without_it() -> None:
    """What it costs then is the fault's, not the loop's: advice is for every day."""
    slow = Slower(service="prices", add_ms=300)
    simulated = played(system((call(PRICES, times=8),)), slow, seed=11)
    facts = facts_of(bucket(simulated), simulated)
    incident, baseline = windows(simulated)
    compared, usual = (
        analyze.insulation(facts, *ends).filter(pattern="calls in a loop").row(0, named=True)
        for ends in ((incident, baseline), (baseline,))
    )

    assert compared["shows"] == f"in the baseline: {usual['shows']}"
    assert compared["saving_ns"] == usual["saving_ns"]


def test_messages_that_several_take_are_no_hedge() -> None:
    """Each call has two servers, slow or not."""
    spans = [
        row
        for trace in range(1, 41)
        for row in (
            at("A.S", 1, 0, (0, 300), trace=trace),
            at("A.C", 2, 1, (0, 10), trace=trace),
            at("B.S", 3, 2, (1, 9), trace=trace),
            at("B.S", 4, 2, (1, 200), trace=trace),
        )
    ]
    rows = analyze.insulation(traces_facts(*spans), Window(NOON_NS, NOON_NS + HOUR_NS))

    assert "hedge" not in rows["pattern"]


def test_pauses_are_told() -> None:
    """20 ms, then 40 ms, without jitter."""
    shows = on_the_edge("retry_http")["retry"]["shows"]

    assert "after 20 ms on average, growing exponentially, all alike" in shows


@pytest.mark.parametrize("name", ["timeout", "deadline_grpc"])
def test_the_limit_of_a_timeout_is_found(name: str) -> None:
    """100 ms, from the calls that were given up."""
    row = on_the_edge(name)["timeout"]

    assert row["limit_ns"] == pytest.approx(100e6, rel=0.01)
    assert row["occurrences"] == did(name)["timeouts"]


@pytest.mark.parametrize("name", ["timeout", "deadline_grpc", "hedging"])
def test_what_was_kept_away_is_what_comes_through_without_it(name: str) -> None:
    """The same requests, without the mechanism: that much more arrives."""
    pattern = DETECTED[name]
    edge = {"downstream": "orders", "upstream": behaviour(name).upstream.service}
    with_it, without = (
        found(name, which)[1].filter(**edge)["arrived_ns"].item()
        for which in ("positive", "negative")
    )

    assert on_the_edge(name)[pattern]["absorbed_ns"] == pytest.approx(without - with_it, rel=0.02)


@pytest.mark.parametrize(("name", "mechanism"), [("timeout", "timeout"), ("hedging", "hedge")])
def test_propagation_names_what_was_seen_at_work(name: str, mechanism: str) -> None:
    """Not the slack that it made."""
    rows = found(name, "positive")[1].filter(downstream="orders")

    assert rows["mechanism"].to_list() == [mechanism]


def test_calls_that_a_breaker_refused_are_counted() -> None:
    """Out of all calls of the window; failing in no time, they kept no slowness away here."""
    row = on_the_edge("circuit_breaker")["circuit breaker"]
    simulated = behaviour("circuit_breaker").positive
    calls = facts_of(bucket(simulated), simulated)["pattern_facts"].filter(
        pl.col("pattern") == "attempt",
        pl.col("upstream") == "stock",
        windows(simulated)[0].contains(pl.col("window_start_ns")),
    )

    assert row["opportunities"] == calls["count"].sum() > row["occurrences"]
    assert row["occurrences"] == did("circuit_breaker")["fast_failures"]
    assert row["absorbed_ns"] == 0


def test_a_short_circuit_keeps_the_rise_of_the_calls_not_made_away() -> None:
    """Nine of ten requests were spared about 100 ms."""
    row = on_the_edge("short_circuit")["short circuit"]

    assert row["absorbed_ns"] == pytest.approx(0.9 * 104e6, rel=0.05)
    assert row["confidence"] == "weak"


def test_calls_that_are_all_answered_without_are_a_short_circuit() -> None:
    """In the incident nobody calls `stock`: there is no row of it then."""
    simulated = behaviour("short_circuit").negative
    facts = facts_of(bucket(simulated), simulated)
    late = windows(simulated)[0].contains(pl.col("window_start_ns"))
    silent = facts["pattern_facts"].filter(~(late & (pl.col("upstream") == "stock")))
    spared = Facts({**facts.tables, "pattern_facts": silent})
    rows = analyze.insulation(spared, *windows(simulated)).filter(pattern="short circuit")

    assert rows.select("upstream", "occurrences").rows() == [("stock", 0)]
    assert rows["shows"].item() == "0 % of requests made the call, 100 % in the baseline"


def test_a_call_that_is_new_is_no_cache_that_misses() -> None:
    """Nobody called `stock` in the baseline."""
    simulated = behaviour("short_circuit").negative
    facts = facts_of(bucket(simulated), simulated)
    early = windows(simulated)[1].contains(pl.col("window_start_ns"))
    silent = facts["pattern_facts"].filter(~(early & (pl.col("upstream") == "stock")))
    grown = Facts({**facts.tables, "pattern_facts": silent})

    assert "cache misses" not in analyze.insulation(grown, *windows(simulated))["pattern"].to_list()


@pytest.mark.parametrize(("instead", "expected"), [(9, ["backup"]), (30, [])])
def test_what_is_called_more_often_than_calls_are_lost_is_no_fallback(
    instead: int, expected: list[str]
) -> None:
    """Ten calls failed for good; what comes after thirty failures comes after something else."""
    site = {"downstream": "orders", "downstream_operation": "GET",
            "upstream": "stock", "upstream_operation": "GET"}  # fmt: skip
    counts = [
        ("attempt", 1 | FAILED, "", 10),
        ("attempt", 1, "", 90),
        ("after_failure", 0, "backup", instead),
    ]
    rows = [
        {"window_start_ns": 0, **site, "pattern": pattern, "part": part, "other": other,
         "other_operation": "GET" if other else "", "count": count, "time_ns": 0, "extra_ns": 0,
         "squares": 0}
        for pattern, part, other, count in counts
    ]  # fmt: skip
    seen = Seen.of(PATTERN_FACTS.conform(pl.DataFrame(rows)), LATENCY_FACTS.empty())

    assert fallbacks(seen, analyze.Thresholds())["other"].to_list() == expected


def test_a_fallback_names_what_was_called_instead() -> None:
    """And counts the requests it saved."""
    row, truth = on_the_edge("fallback")["fallback"], did("fallback")

    assert (row["other"], row["rescued"]) == ("backup", truth["fallbacks_answered"])


def test_failures_that_downstream_does_without_are_optional_calls() -> None:
    """What is always called next is nothing instead."""
    for which in ("near_miss", "negative"):
        assert "optional call" in on_the_edge("fallback", which)


def test_an_edge_that_a_spike_came_through_lacks_insulation() -> None:
    """Strong, since it came through; where a timeout kept it away, the edge is not listed."""
    bare = on_the_edge("timeout", "negative")["none"]

    assert (bare["role"], bare["confidence"], bare["share"]) == ("missing", "strong", 1.0)
    assert "too few of its calls failed to say" in bare["shows"]
    assert "none" not in on_the_edge("timeout")


def test_what_a_critical_service_waits_for_is_listed_however_rarely() -> None:
    """One order in fifty asks for taxes: that is no matter, unless orders are critical."""
    simulated = played(system((call(PRICES),), (call(TAXES, probability=0.03),)), seed=301)
    facts, window = facts_of(bucket(simulated), simulated), windows(simulated)[0]
    into = pl.col("upstream") == "taxes"
    usual = analyze.insulation(facts, window).filter(into)
    (row,) = (
        analyze.insulation(facts, window, critical=frozenset({"orders"})).filter(into).to_dicts()
    )

    assert usual.is_empty()
    assert (row["pattern"], row["downstream"]) == ("none", "orders")
    assert row["shows"].startswith("into a critical service: ")


def test_retries_do_not_insulate_from_slowness() -> None:
    """They make it longer."""
    assert {"retry", "none"} <= set(on_the_edge("retry_http"))


@pytest.mark.parametrize("seed", range(3))
def test_quiet_systems_without_any_policy_protect_nothing(seed: int) -> None:
    """Optional calls, fan-outs and loops are no safeguards."""
    simulated = run(random_shop(seed, services=6), minutes=2, seed=seed)
    facts = facts_of(bucket(simulated), simulated)
    moved = analyze.propagation(facts["path_facts"], facts["paths"], *windows(simulated))
    rows = analyze.insulation(facts, *windows(simulated), moved)

    assert rows.filter(pl.col("role").is_in(["protects", "hurts"])).is_empty()
    assert (rows.filter(role="missing")["confidence"] == "weak").all()


@pytest.mark.parametrize("name", ["retry_grpc", "timeout", "hedging", "sequential_calls"])
def test_a_wrong_clock_makes_and_hides_no_pattern(name: str) -> None:
    """Spans of the upstreams are 2 s late by their clock."""
    simulated = behaviour(name).positive
    spans = bucket(simulated)
    late = spans.resources.filter(~pl.col("service").is_in(["web", "orders"]))["resource_id"]
    skewed = spans.spans.with_columns(
        start_ns=pl.col("start_ns") + 2_000_000_000 * pl.col("resource_id").is_in(late.implode())
    )
    facts = facts_of(TraceBucket(skewed, spans.operations, spans.resources), simulated)
    moved = analyze.propagation(facts["path_facts"], facts["paths"], *windows(simulated))

    assert analyze.insulation(facts, *windows(simulated), moved).equals(found(name, "positive")[0])


def test_without_a_baseline_only_what_happened_is_told() -> None:
    """No change, no storm; what a timeout kept away is all of it."""
    simulated = behaviour("timeout").positive
    incident, _ = windows(simulated)
    rows = analyze.insulation(facts_of(bucket(simulated), simulated), incident)

    assert rows.filter(pattern="timeout")["absorbed_ns"].item() == pytest.approx(115e6, rel=0.01)


def test_no_facts_give_no_rows() -> None:
    """With the columns of the model."""
    assert analyze.insulation(Facts(), Window(0, 1)).equals(INSULATION.empty())
