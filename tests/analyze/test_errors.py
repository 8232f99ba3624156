"""Failures: which reached downstream, who is named for them, and who is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.analyze.simulated import Case, case
from tracemap import analyze
from tracemap.analyze.statistics import rate_difference
from tracemap.model import ERRORS, Facts, Window
from tracemap.simulate import Call, Entry, Failing, Operation, Policy, Retry, Service, Shop, Stage

WINDOW: dict[str, Any] = {"start_minute": 0, "end_minute": 0}
STOCK, PRICES = Call("stock", "stock.Stock/Get"), Call("prices", "prices.Prices/Get")


def shop(*calls: Call) -> Shop:
    """Return web, whose one operation makes these calls one after the other."""
    leaves = (STOCK.key, PRICES.key)
    return Shop.of(
        "small",
        services=(
            Service("web", protocol="http", port=443),
            *(Service(key.service, protocol="http") for key in leaves),
        ),
        operations=(
            Operation("web", "GET /", 5.0, stages=tuple(Stage((call,)) for call in calls)),
            *(Operation(*key, 10.0) for key in leaves),
        ),
        entries=(Entry("web", "GET /", 200),),
    )


def _errors(found: Case) -> dict[str, dict[str, Any]]:
    rows = analyze.errors(
        found.facts["path_facts"], found.facts["paths"], found.incident, found.baseline
    )
    return {row["upstream"]: row for row in rows.to_dicts()}


def _failing(service: str, ratio: float = 0.3) -> Failing:
    return Failing(service=service, ratio=ratio, **WINDOW)


def test_failures_of_a_hard_dependency_propagate() -> None:
    """Each failed call fails its request; the upstream is named for the share that failed."""
    found = case(shop(STOCK, PRICES), _failing("prices"))
    row = _errors(found)["prices"]

    assert row["verdict"] == "propagated"
    assert row["offered_errors"] == pytest.approx(0.3, abs=0.03)
    assert row["arrived_errors"] == pytest.approx(row["offered_errors"], abs=0.01)
    assert row["hardness"] == pytest.approx(1.0, abs=0.01)
    assert row["hardness_low"] > 0.95
    (origin,) = found.origins().to_dicts()
    assert (origin["service"], origin["cause"]) == ("prices", "error")
    assert origin["excess_errors"] == pytest.approx(row["arrived_errors"], abs=0.01)
    assert origin["excess_ns"] == 0


def test_failures_of_an_optional_call_are_absorbed() -> None:
    """Downstream does without: nothing arrives, nobody is named."""
    optional = Call(*PRICES.key, optional=True)
    found = case(shop(STOCK, optional), _failing("prices"))
    row = _errors(found)["prices"]

    assert row["verdict"] == "absorbed"
    assert row["hardness"] == pytest.approx(0.0, abs=0.02)
    assert found.origins().is_empty()


def test_failures_that_are_retried_cost_time_not_requests() -> None:
    """The calls rose, and the upstream that failed is named for it, not the caller."""
    again = Policy(retry=Retry(attempts=4, backoff="immediate"))
    found = case(shop(STOCK, Call(*PRICES.key, policy=again)), _failing("prices", 0.4))
    row = _errors(found)["prices"]

    assert row["verdict"] == "absorbed"
    first = found.origins().row(0, named=True)
    assert (first["service"], first["cause"]) == ("prices", "error")
    assert first["excess_ns"] > 1e6


def test_few_failures_are_no_spike() -> None:
    """Less than one request in a hundred."""
    found = case(shop(STOCK, PRICES), _failing("prices", 0.004))

    assert {row["verdict"] for row in _errors(found).values()} == {"no spike"}
    assert found.origins().is_empty()


def test_no_facts_no_errors() -> None:
    """Empty in, empty out, with the declared columns."""
    facts = Facts()
    rows = analyze.errors(facts["path_facts"], facts["paths"], Window(100, 200), Window(0, 100))

    assert rows.is_empty()
    assert rows.schema == ERRORS.schema


def test_the_difference_of_two_shares_has_newcombes_interval() -> None:
    """Example (a) of his paper: 56 of 70 against 48 of 80, 0.0524 to 0.3339."""
    value, low, high = rate_difference(
        (np.array([56.0]), np.array([70.0])), (np.array([48.0]), np.array([80.0]))
    )

    assert value[0] == pytest.approx(0.2)
    assert (low[0], high[0]) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_failures_charged_below_add_up_to_those_of_downstream() -> None:
    """Two upstreams fail at once: each has its part, and together they are all of it."""
    found = case(shop(STOCK, PRICES), _failing("prices"), _failing("stock", 0.2))
    rows = _errors(found)
    sums = found.facts["path_facts"].join(found.facts["paths"], on="path_id")
    roots = sums.filter((pl.col("depth") == 0) & (pl.col("service") == "web"))
    during = roots.filter(found.incident.contains(pl.col("window_start_ns")))
    before = roots.filter(found.baseline.contains(pl.col("window_start_ns")))
    after, earlier = (
        int(part["errors"].sum()) / int(part["calls"].sum()) for part in (during, before)
    )
    rise = after - earlier

    assert sum(row["arrived_errors"] for row in rows.values()) == pytest.approx(rise, abs=0.003)
    assert set(found.origins()["service"]) == {"prices", "stock"}
