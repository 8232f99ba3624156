"""Who is named: simulated faults whose origin is known, and quiet runs in which nobody is."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.analyze.simulated import Case, case
from tracemap import analyze, simulate
from tracemap.model import ORIGINS, Facts, Window
from tracemap.simulate import Fault, MoreCalls, Shop, SlowEdge, Slower, SlowNetwork
from tracemap.simulate.blueprint import Call, Entry, Operation, Service, Stage, database

SHOP = simulate.shop()
WINDOW: dict[str, Any] = {"start_minute": 0, "end_minute": 0}


def _shared_database() -> Shop:
    """Return a shop in which two services ask the same database, and each another one too."""
    shared, own = database("postgresql", "db-1", "shop"), database("redis", "cache-1")
    asks = [Stage((Call(shared.name, "SELECT"),)), Stage((Call(own.name, "GET"),))]
    entry = Operation(
        "web", "GET /", 5.0, stages=(Stage((Call("catalog", "GET /items"), Call("cart", "GET /"))),)
    )
    return Shop.of(
        "shared",
        services=(Service("web"), Service("catalog"), Service("cart"), shared, own),
        operations=(
            entry,
            Operation("catalog", "GET /items", 4.0, stages=tuple(asks)),
            Operation("cart", "GET /", 4.0, stages=tuple(asks)),
            Operation(shared.name, "SELECT", 5.0),
            Operation(own.name, "GET", 1.0),
        ),
        entries=(Entry("web", "GET /", 100),),
    )


def _first(case: Case) -> dict[str, Any]:
    return case.origins().row(0, named=True)


def _visible_ms(case: Case) -> float:
    """Return the true rise of the mean user request."""
    (fault,) = case.run.truth["faults"]
    total = sum(row["total_ms"] for row in fault["user_visible"])
    return float(total / sum(row["requests"] for row in fault["user_visible"]))


def test_a_slow_database_is_named_at_or_beyond_it() -> None:
    """It records no spans; the calls to it moved, wherever they were made."""
    slow = case(SHOP, Slower(service="postgresql catalog", add_ms=45, **WINDOW))
    origin = _first(slow)
    assert (origin["service"], origin["cause"]) == ("postgresql catalog", "self")
    assert origin["confidence"] == "strong"
    assert origin["excess_ns"] / 1e6 == pytest.approx(_visible_ms(slow), rel=0.05)


def test_slow_queries_of_one_caller_are_at_the_database_as_it_calls_it() -> None:
    """Others are answered as ever; no spans tell whether the queries or the way got slower."""
    fault = SlowEdge(downstream="catalog", upstream="postgresql shop", add_ms=40, **WINDOW)
    origin = _first(case(_shared_database(), fault))
    assert (origin["service"], origin["cause"]) == ("postgresql shop", "self")
    assert (origin["edge_downstream"], origin["edge_upstream"]) == ("catalog", "postgresql shop")


def test_a_slow_query_is_told_from_a_slow_network_though_all_of_its_caller_is_a_little_slower() -> (
    None
):
    """What else rose by a hundredth of it is no network around the caller."""
    shared = database("postgresql", "db-1", "shop")
    callers = ("catalog", "cart", "stock")
    ask, asks = Call(shared.name, "SELECT"), tuple(Call(name, "GET /") for name in callers)
    shop = Shop.of(
        "asking",
        services=(Service("web"), *(Service(name) for name in callers), shared),
        operations=(
            Operation("web", "GET /", 5.0, stages=tuple(Stage((call,)) for call in asks)),
            *(Operation(name, "GET /", 4.0, stages=(Stage((ask,)),)) for name in callers),
            Operation(shared.name, "SELECT", 5.0),
        ),
        entries=(Entry("web", "GET /", 100),),
    )
    query = SlowEdge(downstream="catalog", upstream=shared.name, add_ms=40, **WINDOW)
    little = SlowEdge(downstream="web", upstream="catalog", add_ms=0.8, **WINDOW)

    origin = _first(case(shop, query, little))

    assert (origin["service"], origin["cause"]) == (shared.name, "self")
    assert (origin["edge_downstream"], origin["edge_upstream"]) == ("catalog", shared.name)


def test_a_slow_service_is_named_for_its_own_time() -> None:
    """Everything downstream of it got slower too, and is not named."""
    slow = case(SHOP, Slower(service="search", add_ms=40, **WINDOW))
    assert slow.origins()["service"].to_list() == ["search"]
    assert _first(slow)["cause"] == "self"
    assert _first(slow)["excess_ns"] / 1e6 == pytest.approx(_visible_ms(slow), rel=0.05)


def test_a_slow_network_of_a_service_is_wire_of_that_service() -> None:
    """Its server spans did not move; the gaps of all edges that touch it did."""
    slow = case(SHOP, SlowNetwork(service="catalog", add_ms=30, **WINDOW))
    origin = _first(slow)
    assert (origin["service"], origin["cause"]) == ("catalog", "wire")
    assert origin["edge_downstream"] is None
    assert origin["excess_ns"] / 1e6 == pytest.approx(_visible_ms(slow), rel=0.05)


def test_one_slow_link_is_named_as_that_link() -> None:
    """Other edges of both ends stayed as they were."""
    slow = case(SHOP, SlowEdge(downstream="storefront", upstream="catalog", add_ms=40, **WINDOW))
    origin = _first(slow)
    assert origin["cause"] == "wire"
    assert (origin["edge_downstream"], origin["edge_upstream"]) == ("storefront", "catalog")


def test_more_calls_are_blamed_on_the_caller() -> None:
    """Each call is as fast as before; there are more of them."""
    fault = MoreCalls(downstream="catalog", upstream="postgresql catalog", times=6, **WINDOW)
    more = case(SHOP, fault)
    origin = _first(more)
    assert (origin["service"], origin["cause"]) == ("catalog", "calls")
    assert origin["excess_ns"] / 1e6 == pytest.approx(_visible_ms(more), rel=0.1)


def test_an_absorbed_spike_is_no_origin() -> None:
    """Shipping got slower behind a slower payment: no user waited longer."""
    slow = case(SHOP, Slower(service="shipping", add_ms=45, **WINDOW))
    assert slow.origins().is_empty()
    edges = slow.propagation().filter(pl.col("upstream") == "shipping")
    assert edges["verdict"].to_list() == ["absorbed"]
    assert edges["mechanism"].to_list() == ["parallel slack"]


@pytest.mark.parametrize("seed", range(10))
def test_nobody_is_named_in_a_quiet_hour(seed: int) -> None:
    """A false accusation is the worst bug there is."""
    assert case(SHOP, seed=100 + seed, load=0.5).origins().is_empty()


def test_a_window_against_itself_names_nobody() -> None:
    """The incident as its own baseline: nothing moved."""
    slow = case(SHOP, Slower(service="search", add_ms=40, **WINDOW))
    assert analyze.origins(slow.facts, slow.incident, slow.incident).is_empty()


def test_no_facts_no_origins() -> None:
    """Empty in, empty out, with the declared columns."""
    rows = analyze.origins(Facts(), Window(100, 200), Window(0, 100))
    assert rows.is_empty()
    assert rows.schema == ORIGINS.schema


@pytest.mark.slow
def test_random_faults_in_random_systems_are_named() -> None:
    """Of twenty random systems with a random fault users feel, at most one is misnamed."""
    named, felt = 0, 0
    for seed in range(20):
        shop = simulate.random_shop(seed)
        fault: Fault = simulate.random_fault(shop, seed)
        run = case(shop, fault, seed=seed, load=0.5)
        if _visible_ms(run) < 1:
            continue
        felt += 1
        truth = run.run.truth["faults"][0]
        rows = run.origins()
        if rows.is_empty():
            continue
        first = rows.row(0, named=True)
        edge = truth["edge"] and (truth["edge"]["downstream"], truth["edge"]["upstream"])
        named += first["service"] == truth["service"] or edge == (
            first["edge_downstream"],
            first["edge_upstream"],
        )
    assert felt >= 10
    assert named >= felt - 1
