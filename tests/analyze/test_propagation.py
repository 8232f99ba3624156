"""Verdicts per edge: what was offered, what arrived, and what kept the rest."""

from __future__ import annotations

from typing import Any

import pytest

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
from tracemap.analyze import propagation


def _edges(baseline: list[Step], incident: list[Step]) -> dict[tuple[str, str], dict[str, Any]]:
    rows = propagation(path_facts(baseline, incident), paths(baseline), INCIDENT, BASELINE)
    return {(row["downstream"], row["upstream"]): row for row in rows.to_dicts()}


def test_a_spike_of_the_only_call_propagates_in_full() -> None:
    """All that was offered arrived, at both hops."""
    incident = slower(
        SHOP,
        **{
            "web_GET/": {"duration_ms": 400.0},
            "web__pay_Charge": {"duration_ms": 380.0},
            "pay_Charge": {"duration_ms": 375.0},
            "pay__card-db_query": {"duration_ms": 350.0, "self_ms": 350.0},
        },
    )
    edges = _edges(SHOP, incident)
    for pair in (("web", "pay"), ("pay", "card-db")):
        assert edges[pair]["verdict"] == "propagated"
        assert edges[pair]["offered_ns"] == pytest.approx(300 * MS)
        assert edges[pair]["ratio"] == pytest.approx(1.0)
        assert edges[pair]["mechanism"] is None


def test_a_spike_beside_a_longer_sibling_is_absorbed_by_slack() -> None:
    """stock takes 50 ms more, still hidden behind pay."""
    incident = slower(
        CHECKOUT,
        web__stock_Reserve={"duration_ms": 90.0},
        stock_Reserve={"duration_ms": 85.0, "self_ms": 85.0},
    )
    stock = _edges(CHECKOUT, incident)["web", "stock"]
    assert stock["verdict"] == "absorbed"
    assert stock["mechanism"] == "parallel slack"
    assert stock["absorbed_ns"] == pytest.approx(50 * MS)


def test_a_spike_of_calls_nobody_waits_for_is_absorbed_as_async() -> None:
    """The slower calls do not block their caller."""
    audit = [
        *SHOP,
        Step("web > audit Log", "web GET/", 10.0, 10.0, on_parent_ms=0.0, async_ms=10.0),
    ]
    incident = slower(
        audit, web__audit_Log={"duration_ms": 500.0, "self_ms": 500.0, "async_ms": 500.0}
    )
    edge = _edges(audit, incident)["web", "audit"]
    assert (edge["verdict"], edge["mechanism"]) == ("absorbed", "async")


def test_nothing_moved_is_no_spike() -> None:
    """The same numbers twice."""
    assert {row["verdict"] for row in _edges(SHOP, SHOP).values()} == {"no spike"}


def test_a_handful_of_calls_is_too_few() -> None:
    """No verdict on thin data, whatever the numbers say."""
    thin = [Step(step.name, step.above, step.duration_ms, step.self_ms, calls=0) for step in SHOP]
    assert {row["verdict"] for row in _edges(thin, SHOP).values()} == {"too few calls"}
