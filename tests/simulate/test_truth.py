from __future__ import annotations

from typing import Any

import pytest

from tests.simulate.small import call, system
from tracemap.simulate import (
    Call,
    Failing,
    Fault,
    MoreCalls,
    Shop,
    SlowEdge,
    Slower,
    SlowNetwork,
    random_fault,
    random_shop,
    run,
    shop,
)

WINDOW = (0.5, 1.5)


def _effect(system: Shop, fault: Fault, *others: Fault) -> dict[str, Any]:
    truth = run(
        system, minutes=2, seed=3, faults=[one.during(*WINDOW) for one in (fault, *others)]
    ).truth
    effect: dict[str, Any] = truth["faults"][0]
    return effect


def _hops(effect: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(hop["downstream"], hop["upstream"]): hop for hop in effect["hops"]}


def test_what_a_sequential_call_offers_arrives_in_full() -> None:
    """40 ms more in a stage of its own are 40 ms more for the user."""
    effect = _effect(system((call("a"),)), Slower(service="a", add_ms=40))
    hop = _hops(effect)["web", "a"]

    assert (hop["offered_ms"], hop["arrived_ms"], hop["verdict"]) == (40, 40, "propagated")
    assert effect["user_visible"][0]["excess_ms"] == 40
    assert (effect["service"], effect["cause"], effect["verdict"]) == ("a", "self", "propagated")


def test_what_a_parallel_call_covers_is_absorbed_by_slack() -> None:
    """10 ms beside 100 ms may become 50 ms and nobody notices."""
    effect = _effect(system((call("a"), call("b")), b=100), Slower(service="a", add_ms=40))
    hop = _hops(effect)["web", "a"]

    assert (hop["offered_ms"], hop["arrived_ms"]) == (40, 0)
    assert (hop["verdict"], hop["mechanism"], effect["verdict"]) == (
        "absorbed",
        "parallel slack",
        "absorbed",
    )


def test_what_sticks_out_of_the_cover_arrives_in_part() -> None:
    """10 ms beside 30 ms: of 40 ms more, 20 arrive."""
    effect = _effect(system((call("a"), call("b")), b=30), Slower(service="a", add_ms=40))
    hop = _hops(effect)["web", "a"]

    assert (hop["offered_ms"], hop["arrived_ms"], hop["verdict"]) == (40, 20, "partial")


def test_a_call_that_is_not_waited_for_is_absorbed_as_async() -> None:
    """Fire and forget hides all of it."""
    effect = _effect(system((call("a", waits=False),)), Slower(service="a", add_ms=40))
    hop = _hops(effect)["web", "a"]

    assert (hop["arrived_ms"], hop["verdict"], hop["mechanism"]) == (0, "absorbed", "async")


def test_two_parallel_faults_are_each_judged_with_the_other_in_place() -> None:
    """Both branches slower by 40: each alone adds nothing more while the other stays slow."""
    faults = (
        Slower(service="a", add_ms=40),
        Slower(service="b", add_ms=40),
    )
    effect = _effect(system((call("a"), call("b"))), *faults)

    assert _hops(effect)["web", "a"]["offered_ms"] == 40
    assert effect["user_visible"][0]["excess_ms"] == 0


def test_more_calls_are_offered_by_their_number() -> None:
    """Three queries of 10 ms instead of one offer 20 ms more, and a loop's own time."""
    fault = MoreCalls(downstream="web", upstream="db", times=3)
    effect = _effect(system((call("db"),)), fault)
    hop = _hops(effect)["web", "db"]

    assert (hop["offered_ms"], hop["arrived_ms"]) == (20, 20.04)
    assert (effect["service"], effect["cause"]) == ("web", "calls")
    assert effect["edge"] == {"downstream": "web", "upstream": "db"}


def test_a_slow_edge_names_the_edge() -> None:
    """The cause is the wire; upstream's own spans did not move."""
    effect = _effect(system((call("a"),)), SlowEdge(downstream="web", upstream="a", add_ms=40))

    assert effect["cause"] == "wire"
    assert effect["edge"] == {"downstream": "web", "upstream": "a"}
    assert [row["service"] for row in effect["operations"]] == ["web"]


def test_a_slow_network_touches_every_edge_of_the_service() -> None:
    """Cart is called by two services and calls its store: three edges, all one hop away."""
    effect = _effect(shop(), SlowNetwork(service="cart", add_ms=40))
    first = {edge for edge, hop in _hops(effect).items() if hop["hop"] == 1}

    assert first == {("cart", "redis cart-store"), ("checkout", "cart"), ("storefront", "cart")}


def test_a_slow_database_reaches_users_over_two_and_three_hops() -> None:
    """Database, catalog, (search,) storefront."""
    effect = _effect(shop(), Slower(service="postgresql catalog", add_ms=50))
    hops = {edge: hop["hop"] for edge, hop in _hops(effect).items()}

    assert hops == {
        ("catalog", "postgresql catalog"): 1,
        ("storefront", "catalog"): 2,
        ("search", "catalog"): 2,
        ("storefront", "search"): 3,
    }


def test_failures_are_counted_where_they_arrive() -> None:
    """All requests of a failing upstream fail for the user."""
    effect = _effect(system((call("a"),)), Failing(service="a", ratio=1.0))
    visible = effect["user_visible"][0]

    assert visible["more_errors"] == visible["requests"] > 0
    assert effect["cause"] == "error"


def test_a_fault_in_a_minute_without_requests_did_nothing() -> None:
    """No division by zero, no hop."""
    fault = Slower(service="a", add_ms=40).during(50, 60)
    effect = run(system((call("a"),)), minutes=2, faults=[fault]).truth["faults"][0]

    assert effect["hops"] == []
    assert effect["user_visible"][0]["requests"] == 0


def test_a_run_without_faults_has_nothing_to_find() -> None:
    """Its truth has edges and counts only."""
    simulated = run(shop(), minutes=1)

    assert simulated.truth["faults"] == []
    assert simulated.truth["spans"] == simulated.spans.height
    assert simulated.truth["traces"] == simulated.spans["trace_low"].n_unique()


@pytest.mark.parametrize("seed", range(6))
def test_a_single_fault_explains_all_that_users_lost(seed: int) -> None:
    """Where one edge of an entry operation changed, what arrived over it is all of the excess."""
    system = random_shop(seed, services=8)
    fault = random_fault(system, seed, start_minute=0, end_minute=1)
    effect = run(system, minutes=1, seed=seed, faults=[fault]).truth["faults"][0]
    for visible in effect["user_visible"]:
        where = (visible["service"], visible["operation"])
        arrived = [
            hop["arrived_ms"]
            for hop in effect["hops"]
            if (hop["downstream"], hop["downstream_operation"]) == where
        ]
        own = fault.origin[0] == visible["service"] and fault.cause == "self"
        if len(arrived) == 1 and not own:
            assert visible["excess_ms"] == pytest.approx(arrived[0], abs=0.001)
        if not arrived and not own:
            assert visible["excess_ms"] == 0


def test_the_same_arguments_give_the_same_run() -> None:
    """And a fault changes times of its own window only, never ids or arrivals elsewhere."""
    fault = Slower(service="postgresql catalog", add_ms=50).during(*WINDOW)
    calm, again, hurt = (
        run(shop(), minutes=2, seed=9, faults=faults) for faults in ((), (), (fault,))
    )
    same = calm.spans.join(hurt.spans, on=["trace_low", "span_id", "start_ns", "duration_ns"])

    assert calm.spans.equals(again.spans)
    assert calm.spans.select("span_id", "trace_low").equals(
        hurt.spans.select("span_id", "trace_low")
    )
    assert 0 < calm.spans.height - same.height < calm.spans.height / 2


def test_an_unknown_operation_is_named_at_once() -> None:
    """A typing mistake in a shop does not wait for the run."""
    with pytest.raises(KeyError, match="nowhere"):
        system((Call("nowhere", "work"),))


def test_a_fault_of_something_that_does_not_exist_is_refused() -> None:
    """Else a test would look for what never happened."""
    with pytest.raises(ValueError, match="concerns nothing"):
        run(shop(), minutes=1, faults=[Slower(service="catalogue", add_ms=50)])
