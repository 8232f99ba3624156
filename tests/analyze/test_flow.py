"""Where a change of latency goes: the truth table of the method, and its conservation law."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyze.facts import (
    BASELINE,
    CHECKOUT,
    INCIDENT,
    MS,
    SHOP,
    Step,
    path_facts,
    paths,
    slower,
)
from tracemap.analyze import flow
from tracemap.model import FLOW


def _leaves(baseline: list[Step], incident: list[Step]) -> dict[tuple[str, str, str], float]:
    rows = flow(path_facts(baseline, incident), paths(baseline), INCIDENT, BASELINE)
    leaves = rows.filter(pl.col("leaf") != "")
    return {
        (row["leaf"], row["service"], row["upstream"]): row["share_ns"] / MS
        for row in leaves.to_dicts()
        if abs(row["share_ns"]) >= MS // 2
    }


def test_a_slow_database_two_hops_away_gets_all_of_it() -> None:
    """Own times and gaps above it stayed as they were."""
    incident = slower(
        SHOP,
        **{
            "web_GET/": {"duration_ms": 400.0},
            "web__pay_Charge": {"duration_ms": 380.0},
            "pay_Charge": {"duration_ms": 375.0},
            "pay__card-db_query": {"duration_ms": 350.0, "self_ms": 350.0},
        },
    )
    assert _leaves(SHOP, incident) == {("virtual", "pay", "card-db"): pytest.approx(300.0)}


def test_more_calls_are_not_a_slower_upstream() -> None:
    """Four queries instead of one: the caller issues more calls, each as fast as before."""
    incident = slower(
        SHOP,
        **{
            "web_GET/": {"duration_ms": 250.0},
            "web__pay_Charge": {"duration_ms": 230.0},
            "pay_Charge": {"duration_ms": 225.0},
            "pay__card-db_query": {"calls": 4000.0, "callers": 1000.0},
        },
    )
    assert _leaves(SHOP, incident) == {("calls", "pay", "card-db"): pytest.approx(150.0)}


def test_a_wire_fault_ends_at_the_gap() -> None:
    """Server spans of pay did not move: what rose is between web and pay."""
    incident = slower(
        SHOP,
        **{
            "web_GET/": {"duration_ms": 140.0},
            "web__pay_Charge": {"duration_ms": 120.0, "self_ms": 45.0},
        },
    )
    assert _leaves(SHOP, incident) == {("gap", "web", "pay"): pytest.approx(40.0)}


def test_a_displaced_parallel_sibling_did_not_improve() -> None:
    """pay hides more of stock than before; the raw path share would credit stock with a gain."""
    before = slower(
        CHECKOUT,
        **{
            "web_GET/": {"duration_ms": 112.0},
            "web__stock_Reserve": {"on_parent_ms": 2.0},
        },
    )
    after = slower(
        CHECKOUT,
        **{
            "web_GET/": {"duration_ms": 210.0},
            "web__pay_Charge": {"duration_ms": 200.0},
            "pay_Charge": {"duration_ms": 195.0, "self_ms": 195.0},
        },
    )
    assert _leaves(before, after) == {("self", "pay", ""): pytest.approx(98.0)}


def test_a_window_against_itself_moves_nothing() -> None:
    """No change, no leaves."""
    assert _leaves(SHOP, SHOP) == {}


def test_a_root_with_few_requests_is_left_out() -> None:
    """Below the minimum of calls there is no answer."""
    few = [Step("web GET/", "", 100.0, 100.0, calls=0)]
    more = [Step("web GET/", "", 900.0, 900.0)]
    rows = flow(path_facts(few, more), paths(few), INCIDENT, BASELINE)
    assert rows.is_empty()
    assert rows.schema == FLOW.schema


MOVES = st.floats(-15.0, 200.0)


@settings(max_examples=60)
@given(own=MOVES, gap=st.floats(-4.0, 80.0), pay=MOVES, query=MOVES, times=st.integers(1, 3))
def test_leaves_add_up_to_the_change(
    own: float, gap: float, pay: float, query: float, times: int
) -> None:
    """Whatever moves, in whole nanoseconds."""
    query_ms = 50.0 + query
    pay_ms = 25.0 + pay + times * query_ms
    call_ms = 5.0 + gap + pay_ms
    incident = [
        Step("web GET/", "", 20.0 + own + call_ms, 20.0 + own),
        Step("web > pay Charge", "web GET/", call_ms, 5.0 + gap),
        Step("pay Charge", "web > pay Charge", pay_ms, 25.0 + pay),
        Step(
            "pay > card-db query",
            "pay Charge",
            query_ms,
            query_ms,
            calls=1000 * times,
            callers=1000,
        ),
    ]
    facts = path_facts(SHOP, incident)
    rows = flow(facts, paths(SHOP), INCIDENT, BASELINE)
    root = facts.filter(pl.col("path_id") == 1).group_by("window_start_ns").agg(pl.all().sum())
    mean = dict(root.select("window_start_ns", pl.col("duration_ns") / pl.col("calls")).iter_rows())
    change = mean[INCIDENT.start_ns] - mean[BASELINE.start_ns]
    leaves = rows.filter(pl.col("leaf") != "")["share_ns"].sum()
    assert abs(leaves - change) <= 1 or rows.filter(pl.col("leaf") != "").is_empty()
