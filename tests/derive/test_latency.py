"""Histograms: which durations of a trace go where."""

from __future__ import annotations

import polars as pl

from tests.derive.traces import MS, at, facts_of
from tracemap.model import ZERO_BUCKET, Facts


def test_units_of_one_call() -> None:
    """What downstream waits, what upstream takes, what lies between, and own times."""
    facts = facts_of(at("A.S", 1), at("A.C", 2, 1, (10, 90)), at("B.S", 3, 2, (20, 80)))

    assert _sums(facts) == {
        ("client", "B", "B.S", "A"): 80,
        ("gap", "B", "B.S", "A"): 20,
        ("self", "A", "A.S", ""): 20,
        ("self", "B", "B.S", ""): 60,
        ("server", "A", "A.S", ""): 100,
        ("server", "B", "B.S", "A"): 60,
    }


def test_server_longer_than_its_client_has_no_gap() -> None:
    """It is counted as abandoned, not put into the histogram as a negative gap."""
    facts = facts_of(at("A.C", 1, 0, (0, 10)), at("B.S", 2, 1, (0, 80)))

    assert facts["latency_facts"].filter(unit="gap").is_empty()
    assert facts["edge_facts"]["gap_calls"].sum() == 0


def test_zero_durations_have_a_bucket_of_their_own() -> None:
    """Zero has no logarithm."""
    facts = facts_of(at("A.S", 1, 0, (5, 5)))

    assert facts["latency_facts"]["bucket"].unique().to_list() == [ZERO_BUCKET]


def test_errors_go_with_the_side_that_recorded_them() -> None:
    """A client that gave up failed; its server did not."""
    facts = facts_of(at("A.C", 1, 0, (0, 90), status_code=2), at("B.S", 2, 1, (0, 80)))
    errors = dict(facts["latency_facts"].group_by("unit").agg(pl.col("errors").sum()).iter_rows())

    assert errors == {"client": 1, "gap": 1, "server": 1, "self": 1}
    server = facts["latency_facts"].filter(unit="server", service="B")
    assert server["errors"].sum() == 0


def _sums(facts: Facts) -> dict[tuple[str, str, str, str], int]:
    rows = facts["latency_facts"].select(
        "unit", "service", "operation", "downstream", pl.col("sum_ns") // MS
    )
    return {(unit, *names, downstream): ms for unit, *names, downstream, ms in rows.rows()}
