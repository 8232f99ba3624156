from __future__ import annotations

import polars as pl

from tests.analyze.facts import (
    BASELINE,
    INCIDENT,
    MS,
    SHOP,
    latency,
    near,
    path_facts,
    paths,
    slower,
)
from tracemap.analyze import flow, user_operations
from tracemap.model import USER_OPERATIONS

SLOW = slower(SHOP, **{"web_GET/": {"duration_ms": 140.0, "self_ms": 60.0}})
SERVED = latency(
    (BASELINE.start_ns, "web", "GET/", "", 90, 900),
    (BASELINE.start_ns, "web", "GET/", "", 400, 100),
    (INCIDENT.start_ns, "web", "GET/", "", 500, 1000),
    (INCIDENT.start_ns, "pay", "Charge", "web", 75, 1000),
)


def test_means_differ_by_what_the_flow_splits() -> None:
    """The two findings are about one number."""
    facts, steps = path_facts(SHOP, SLOW), paths(SHOP)
    row = user_operations(facts, SERVED, steps, INCIDENT, BASELINE).row(0, named=True)
    split = flow(facts, steps, INCIDENT, BASELINE)
    leaves = split.filter(pl.col("leaf") != "")["share_ns"].sum()

    assert (row["requests"], row["baseline_requests"]) == (1000, 1000)
    assert row["mean_ns"] - row["baseline_mean_ns"] == leaves == 40 * MS


def test_percentiles_are_of_the_whole_window_and_of_roots_only() -> None:
    """Not of the cells that spiked, and not of what others called."""
    found = user_operations(path_facts(SHOP, SLOW), SERVED, paths(SHOP), INCIDENT, BASELINE)
    row = found.row(0, named=True)

    assert found.height == 1
    assert near(row["baseline_p50_ns"], 90)
    assert near(row["baseline_p95_ns"], 400)
    assert near(row["p95_ns"], 500)


def test_an_operation_of_one_window_only_has_no_numbers_in_the_other() -> None:
    """New is not infinitely slower."""
    facts = path_facts(SHOP, SLOW).filter(pl.col("window_start_ns") == INCIDENT.start_ns)
    row = user_operations(facts, SERVED, paths(SHOP), INCIDENT, BASELINE).row(0, named=True)

    assert (row["requests"], row["baseline_requests"]) == (1000, 0)
    assert row["baseline_mean_ns"] is None
    assert row["baseline_p95_ns"] is None


def test_nothing_in_nothing_out() -> None:
    """Empty facts give the empty table."""
    found = user_operations(
        path_facts(SHOP, SHOP).clear(), SERVED.clear(), paths(SHOP), INCIDENT, BASELINE
    )

    assert found.equals(USER_OPERATIONS.empty())
