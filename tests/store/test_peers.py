"""What databases and queues are called that have the same name in several places."""

from __future__ import annotations

import polars as pl

from tests.builders import Row, reading, span
from tracemap import engine
from tracemap.model import USER, Kind
from tracemap.store import Store


def query(span_id: int, place: str, kind: str = "database", name: str = "postgresql orders") -> Row:
    return span(
        span_id,
        trace=span_id,
        kind=Kind.CLIENT,
        peer_kind=kind,
        peer_name=name,
        peer_place=place,
    )


def upstreams(store: Store) -> dict[str, int]:
    engine.update(store)
    facts = store.facts("edge_facts").filter(pl.col("downstream") != USER)
    return dict(facts.group_by("upstream").agg(pl.col("calls").sum()).sort("upstream").rows())


def test_one_server_needs_no_place(store: Store) -> None:
    """The short name is enough; who does not say where it is means the same."""
    store.append(reading(query(1, "db-1"), query(2, "")))

    assert upstreams(store) == {"postgresql orders": 2}


def test_equal_names_on_two_servers_are_two_databases(store: Store) -> None:
    """What differs is added; who does not say keeps the short name."""
    store.append(reading(query(1, "db-1"), query(2, "db-2:5433"), query(3, "")))

    assert upstreams(store) == {
        "postgresql orders": 1,
        "postgresql orders (db-1)": 1,
        "postgresql orders (db-2:5433)": 1,
    }


def test_second_server_renames_the_first(store: Store) -> None:
    """Facts derived before are derived again."""
    store.append(reading(query(1, "db-1"), name="first"))
    assert upstreams(store) == {"postgresql orders": 1}

    store.append(reading(query(2, "db-2"), name="second"))

    assert upstreams(store) == {"postgresql orders (db-1)": 1, "postgresql orders (db-2)": 1}


def test_one_destination_in_two_systems_is_two_queues(store: Store) -> None:
    """kafka's orders are not rabbitmq's."""
    spans = [query(1, "kafka", "queue", "orders"), query(2, "rabbitmq", "queue", "orders")]
    store.append(reading(*spans))

    assert upstreams(store) == {"orders (kafka)": 1, "orders (rabbitmq)": 1}


def test_view_shows_the_name_of_the_node(store: Store) -> None:
    """Who queries spans joins by the names of the graph."""
    store.append(reading(query(1, "db-1"), query(2, "db-2")))

    names = store.query("SELECT peer_name FROM spans ORDER BY 1")["peer_name"].to_list()
    assert names == ["postgresql orders (db-1)", "postgresql orders (db-2)"]


def rpc_call(span_id: int, **more: str) -> Row:
    """Return a call of `shop.Payment/Charge` by checkout that names no address."""
    said: Row = {
        "kind": Kind.CLIENT,
        "service_name": "checkout",
        "protocol": "grpc",
        "operation": "shop.Payment/Charge",
        "peer_kind": "external",
        "peer_name": "shop.Payment",
    }
    return span(span_id, trace=span_id, **(said | more))


def rpc_answer(span_id: int, service: str = "payment", trace: int = 0) -> Row:
    """Return a span of the side that serves it, in a trace of its own or below a call."""
    return span(
        span_id,
        trace=trace or span_id,
        parent=trace,
        kind=Kind.SERVER,
        service_name=service,
        protocol="grpc",
        operation="shop.Payment/Charge",
    )


def test_unanswered_rpc_is_a_call_to_who_answers_the_others(store: Store) -> None:
    """A deadline passed in the queue of the server: no span of it, but still its failure."""
    store.append(reading(rpc_call(1), rpc_answer(9, trace=1), rpc_call(2)))

    assert upstreams(store) == {"payment": 2}


def test_who_answers_an_rpc_is_learned_from_later_files_too(store: Store) -> None:
    """Each service may export to files of its own; what was derived before is derived again."""
    store.append(reading(rpc_call(2), name="first"))
    assert upstreams(store) == {"shop.Payment": 1}

    store.append(reading(rpc_call(1), rpc_answer(9, trace=1), name="second"))

    assert upstreams(store) == {"payment": 2}


def test_rpc_that_two_services_answer_stays_with_its_own_name(store: Store) -> None:
    """Nobody can say which of the two would have answered."""
    store.append(reading(rpc_answer(1), rpc_answer(2, "payment-eu"), rpc_call(3)))

    assert upstreams(store)["shop.Payment"] == 1


def test_rpc_that_names_an_address_keeps_it(store: Store) -> None:
    """The same RPC service may be that of somebody else, elsewhere."""
    store.append(reading(rpc_answer(1), rpc_call(2, peer_name="pay.example.com:443")))

    assert upstreams(store)["pay.example.com:443"] == 1
