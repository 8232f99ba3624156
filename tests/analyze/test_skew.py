"""How far clocks of two hosts differ, measured against clocks that were set wrong on purpose."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import Row
from tests.derive.traces import MS, at, facts_of
from tracemap import analyze
from tracemap.model import SKEW, SKEW_FACTS, Facts, signed_buckets

LIMITS = analyze.Thresholds()


def calls(ahead_ms: float, *, count: int = 200, back: bool = True, seed: int = 1) -> list[Row]:
    """Return calls from A to B, and `back` from B to A; B's clock is `ahead_ms` ahead."""
    draws = random.Random(seed)  # noqa: S311
    spans = []
    for number in range(count):
        client, server = ("A", "B") if number % 2 == 0 or not back else ("B", "A")
        begin, took = number * 1000.0, draws.uniform(5, 60)
        there, home = draws.expovariate(1 / 0.4), draws.expovariate(1 / 0.4)
        shift = {"A": 0.0, "B": ahead_ms}
        at_client = begin + shift[client]
        at_server = begin + there + shift[server]
        spans += [
            at(f"{client}.C", 2 * number + 1, 0, (at_client, at_client + there + took + home),
               trace=number + 1),
            at(f"{server}.S", 2 * number + 2, 2 * number + 1, (at_server, at_server + took),
               trace=number + 1),
        ]  # fmt: skip
    return spans


def skew(*facts: Facts) -> dict[str, Any]:
    rows = analyze.skew(pl.concat([each["skew_facts"] for each in facts]), LIMITS)
    assert rows.schema == SKEW.schema
    (row,) = rows.to_dicts()
    return row


@settings(deadline=None, max_examples=15)
@given(st.floats(-5000, 5000).filter(lambda ahead: abs(ahead) > 20), st.integers(0, 99))
def test_measured_skew_is_the_true_one(ahead_ms: float, seed: int) -> None:
    """Within the uncertainty it states, which is at most the width of a bucket and the gaps."""
    row = skew(facts_of(*calls(ahead_ms, seed=seed)))

    assert row["least_ns"] <= -ahead_ms * MS <= row["most_ns"]
    assert row["uncertainty_ns"] <= (2 + 0.2 * abs(ahead_ms)) * MS
    assert (row["host"], row["other_host"], row["calls"]) == ("A", "B", 200)
    assert row["verdict"] == "skewed"


def test_clocks_in_step() -> None:
    """Room for zero is zero: no host is accused of what chance could be."""
    row = skew(facts_of(*calls(0)))

    assert (row["theta_ns"], row["verdict"]) == (0, "in step")


def test_clock_that_was_set_meanwhile_is_unsteady() -> None:
    """What half the calls demand, the other half forbid."""
    row = skew(facts_of(*calls(0)), facts_of(*calls(300)))

    assert row["verdict"] == "unsteady"
    assert row["theta_ns"] is not None


def test_few_calls_say_nothing() -> None:
    """A single call with a late start proves no clock wrong."""
    row = skew(facts_of(*calls(900, count=10)))

    assert (row["theta_ns"], row["verdict"]) == (None, "too few calls")


def test_server_that_outlives_its_client_says_nothing() -> None:
    """The client gave up: where its end lies within the server is not known."""
    facts = facts_of(at("A.C", 1, 0, (0, 10)), at("B.S", 2, 1, (5, 90)))

    assert facts["skew_facts"].is_empty()


def test_one_host_has_one_clock() -> None:
    """Calls within it say nothing; hosts that are not named count by service."""
    same = facts_of(at("A.C", 1, host="h"), at("B.S", 2, 1, (10, 90), host="h"))
    nameless = facts_of(at("A.C", 1, host=""), at("B.S", 2, 1, (10, 90), host=""))

    assert same["skew_facts"].is_empty()
    pairs = nameless["skew_facts"].select("host", "other_host").unique().rows()
    assert pairs == [("(A)", "(B)")]


def test_no_calls_no_pairs() -> None:
    """Empty in, empty out."""
    assert analyze.skew(SKEW_FACTS.empty(), LIMITS).equals(SKEW.empty())


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1))
def test_buckets_hold_their_times(times_ns: list[int]) -> None:
    """Rounded outward by at most 9.1 %, or 0.1 ms."""
    series = pl.Series("time_ns", times_ns)
    frame = pl.DataFrame({"time_ns": series, "bucket": signed_buckets.buckets(series.to_numpy())})
    rows = frame.select(
        "time_ns",
        low=signed_buckets.lower_ns(pl.col("bucket")),
        high=signed_buckets.upper_ns(pl.col("bucket")),
    )

    for time_ns, low, high in rows.iter_rows():
        assert low - 1 <= time_ns <= high + 1
        assert high - low <= max(0.0906 * abs(time_ns) + 2, 2 * signed_buckets.NEAR_ZERO_NS)
