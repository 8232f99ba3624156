"""Where the time of requests goes, by time on the critical path."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings

from tests.derive.growing import Grown, many_traces
from tests.derive.traces import MS, at, facts_of
from tracemap import analyze
from tracemap.model import SECOND_NS, Facts, Window

SECOND = Window(0, SECOND_NS)
PARALLEL = [
    at("A.S", 1, 0, (0, 120)),
    at("A.C", 2, 1, (10, 110), operation="call C"),
    at("C.S", 3, 2, (15, 105)),
    at("A.C", 4, 1, (10, 30), operation="call B"),
    at("B.S", 5, 4, (10, 30)),
    at("A.C", 6, 1, (110, 118), operation="call db", peer_name="db", peer_kind="database"),
]


def shares(facts: Facts) -> dict[tuple[str, str], float]:
    """Return the share of each place, by service and what it is."""
    rows = analyze.bottlenecks(facts, SECOND)
    return {(row["service"], row["place"]): row["critical_share"] for row in rows.to_dicts()}


def test_only_what_was_waited_for_counts() -> None:
    """B ran beside C and takes nothing; own time, network and the database add up to all."""
    found = shares(facts_of(*PARALLEL))

    assert found == {
        ("C", "own time"): 90 / 120,
        ("A", "own time"): 12 / 120,
        ("C", "network"): 10 / 120,
        ("db", "no spans"): 8 / 120,
    }


def test_what_ten_percent_less_would_save() -> None:
    """90 ms of one request in a window of a second: 9 ms each second."""
    row = analyze.bottlenecks(facts_of(*PARALLEL), SECOND).row(0, named=True)

    assert (row["rank"], row["service"], row["critical_ns"]) == (1, "C", 90 * MS)
    assert row["saved_per_second_ns"] == 9 * MS


def test_hidden_call_has_slack_until_its_sibling_ends() -> None:
    """In one request B is waited for, in the other it ends 80 ms before C: half hidden."""
    alone = [
        at("A.S", 11, 0, (0, 50), trace=2),
        at("A.C", 14, 11, (10, 30), operation="call B", trace=2),
        at("B.S", 15, 14, (10, 30), trace=2),
    ]
    rows = analyze.bottlenecks(facts_of(*PARALLEL, *alone), SECOND)
    row = rows.filter(service="B", place="own time").row(0, named=True)

    assert (row["hidden_share"], row["slack_ns"]) == (0.5, 80 * MS)


def test_consumers_are_no_requests() -> None:
    """A message worked off for an hour delays no user; alone in a system it is all there is."""
    consumer = at("K.K", 21, 0, (0, 3_600_000), trace=3, messaging_operation="process")
    assert ("K", "own time") in shares(facts_of(consumer))
    assert ("K", "own time") not in shares(facts_of(consumer, *PARALLEL))


@settings(deadline=None, max_examples=25)
@given(many_traces())
def test_shares_add_up_to_one(grown: list[Grown]) -> None:
    """To the nanosecond, whatever ran side by side."""
    facts = facts_of(*(span for each in grown for span in each.spans))
    rows = analyze.bottlenecks(facts, SECOND)

    assert rows.is_empty() or rows["critical_share"].sum() == pytest.approx(1.0)


def test_no_spans_no_bottlenecks() -> None:
    """An empty window has an empty finding."""
    assert analyze.bottlenecks(Facts(), SECOND).is_empty()


def test_a_single_request_has_no_interval() -> None:
    """Fifty repetitions of nothing say nothing."""
    rows = analyze.bottlenecks(facts_of(*PARALLEL), SECOND)

    assert rows.select(pl.col("low_share").is_null().all()).item()
