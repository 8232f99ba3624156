"""What databases and queues are called that have the same name in several places."""

from __future__ import annotations

from tests.builders import Row, reading, span
from tracemap import engine
from tracemap.model import Kind
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
    rows = store.facts("edge_facts").select("upstream", "calls").rows()
    return dict(sorted(rows))


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
