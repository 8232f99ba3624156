"""The corner cases in which tools disagree about edges, one row of the matrix a test.

What tracemap answers is right if nothing is lost, nothing is invented, and the evidence says how it
is known. Each docstring says in what other tools go wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.builders import Row, reading
from tests.derive.traces import MS, at, edges, facts_of, reasons
from tracemap import engine
from tracemap.model import Facts
from tracemap.store import Store

QUEUE: dict[str, Any] = {"peer_kind": "queue", "peer_name": "orders", "protocol": "messaging"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "spans.duckdb", create=True) as opened:
        yield opened


def stored_facts(store: Store, *spans: Row) -> Facts:
    """Return the facts of `spans` after they went through the store."""
    store.append(reading(*spans, name=str(len(spans))))
    engine.update(store)
    return Facts({name: store.facts(name) for name in Facts().tables})


def test_client_above_server() -> None:
    """The plain case; the address the client names makes no second node."""
    facts = facts_of(
        at("A.C", 1, peer_kind="external", peer_name="b.example.com"), at("B.S", 2, 1, (10, 90))
    )

    assert edges(facts) == {"A -> B (paired)": 1}


def test_internal_spans_of_one_service() -> None:
    """Work inside a service is no edge to itself."""
    facts = facts_of(at("A.S", 1), at("A.I", 2, 1, (10, 50)), at("A.I", 3, 2, (20, 40)))

    assert edges(facts) == {"user -> A (root)": 1}
    assert reasons(facts) == {"in_edge": 1, "no_edge_internal": 2}


def test_client_span_is_missing() -> None:
    """A SERVER span below an INTERNAL span of another service: the parent ids prove the call."""
    facts = facts_of(at("A.I", 1), at("B.S", 2, 1, (10, 90)))

    assert edges(facts) == {"A -> B (parent_only)": 1}


def test_peer_service_without_a_span_below() -> None:
    """What is not instrumented is known by the name its caller gives it."""
    facts = facts_of(at("A.C", 1, peer_kind="service", peer_name="legacy"))

    assert edges(facts) == {"A -> legacy (peer)": 1}


def test_client_with_an_internal_child_and_no_server() -> None:
    """A span such as tcp.connect below the client does not make it less of a call."""
    facts = facts_of(
        at("A.C", 1, peer_kind="service", peer_name="legacy"), at("A.I", 2, 1, (5, 15))
    )

    assert edges(facts) == {"A -> legacy (peer)": 1}


def test_databases_of_one_system_on_two_hosts() -> None:
    """Two servers are two nodes."""
    facts = facts_of(
        at("A.C", 1, peer_kind="database", peer_name="postgresql pg-1"),
        at("A.C", 2, trace=2, peer_kind="database", peer_name="postgresql pg-2"),
    )

    assert edges(facts) == {"A -> postgresql pg-1 (peer)": 1, "A -> postgresql pg-2 (peer)": 1}


def test_instrumented_database() -> None:
    """The spans of the database answer; what the client calls it makes no second node."""
    facts = facts_of(
        at("A.C", 1, peer_kind="database", peer_name="postgresql orders"),
        at("orders-db.S", 2, 1, (10, 90)),
    )

    assert edges(facts) == {"A -> orders-db (paired)": 1}
    assert facts["edge_facts"]["gap_ns"].to_list() == [20 * MS]


def test_root_server_of_a_caller_without_spans() -> None:
    """A user, unless the span names its caller."""
    facts = facts_of(at("A.S", 1), at("A.S", 2, trace=2, peer_kind="service", peer_name="partner"))

    assert edges(facts) == {"partner -> A (peer)": 1, "user -> A (root)": 1}


def test_consumer_below_its_producer() -> None:
    """producer -> queue -> consumer: the queue is a node, and producer and consumer are joined."""
    facts = facts_of(at("A.P", 1, 0, (0, 10), **QUEUE), at("B.K", 2, 1, (30, 90)))

    assert edges(facts) == {"B -> orders (parent)": 1, "orders -> A (parent)": 1}


def test_consumer_that_links_to_another_trace() -> None:
    """A link joins two traces: in batch all of them are there."""
    producer = at("A.P", 1, 0, (0, 10), **QUEUE)
    consumer = at("B.K", 2, 0, (30, 90), trace=2)

    facts = facts_of(producer, consumer, links=[(consumer, producer)])

    assert edges(facts) == {"B -> orders (link)": 1, "orders -> A (peer)": 1}


def test_batch_consumer_with_many_links() -> None:
    """One message a link, whoever produced it; the batch was waited for once."""
    producers = [at(f"{name}.P", n, trace=n, **QUEUE) for n, name in enumerate("ABC", start=1)]
    batch = at("Z.K", 9, 0, (200, 300), trace=9)

    facts = facts_of(*producers, batch, links=[(batch, producer) for producer in producers])

    assert edges(facts)["Z -> orders (link)"] == 3
    assert edges(facts) == {"Z -> orders (link)": 3} | {f"orders -> {a} (peer)": 1 for a in "ABC"}


def test_retry_as_three_clients() -> None:
    """Each attempt is a call: hiding them would hide the load."""
    facts = facts_of(
        at("A.S", 1),
        *(at("A.C", n, 1, (10 * n, 10 * n + 8), resend_count=n - 2) for n in (2, 3, 4)),
        *(at("B.S", n + 10, n, (10 * n + 1, 10 * n + 7)) for n in (2, 3, 4)),
    )

    assert edges(facts) == {"A -> B (paired)": 3, "user -> A (root)": 1}


def test_retry_inside_one_client() -> None:
    """A gRPC client records one span over all attempts: its duration counts once."""
    facts = facts_of(at("A.C", 1), *(at("B.S", n, 1, (20 * n, 20 * n + 10)) for n in (2, 3, 4)))

    assert edges(facts) == {"A -> B (multi_server)": 2, "A -> B (paired)": 1}
    assert facts["edge_facts"]["client_calls"].sum() == 1
    assert facts["edge_facts"]["server_calls"].sum() == 3


def test_span_delivered_twice(store: Store) -> None:
    """Exporters send again what was not acknowledged: stored once, the second copy is counted."""
    client, server = at("A.C", 1), at("B.S", 2, 1, (10, 90))

    facts = stored_facts(store, client, server, client, server)

    assert edges(facts) == {"A -> B (paired)": 1}
    assert store.ledger().files["duplicates"].to_list() == [2]


def test_client_and_server_share_a_span_id() -> None:
    """Zipkin's B3: two spans under one id are the two sides of a call.

    What names the id as its parent is below the side of its own service.
    """
    facts = facts_of(
        at("A.S", 1),
        at("A.C", 2, 1, (10, 90)),
        at("B.S", 2, 1, (20, 80)),
        at("B.I", 3, 2, (30, 40)),
        at("A.I", 4, 2, (11, 12)),
        at("B.C", 5, 2, (50, 60), peer_kind="database", peer_name="redis"),
    )

    assert edges(facts) == {"A -> B (paired)": 1, "B -> redis (peer)": 1, "user -> A (root)": 1}
    assert facts["edge_facts"].filter(evidence="paired")["gap_ns"].to_list() == [20 * MS]
    spent = facts["latency_facts"].filter(unit="self").group_by("service").agg(pl.sum("sum_ns"))
    assert dict(spent.rows()) == {"A": 20 * MS, "B": 50 * MS}


def test_parent_outside_the_export() -> None:
    """No edge is invented; if flags say that the parent ran elsewhere, somebody unknown called."""
    facts = facts_of(at("B.S", 1, 99), at("C.S", 2, 99, trace=2, flags=0x300))

    assert edges(facts) == {"unknown caller -> C (orphan)": 1}
    assert reasons(facts)["orphan"] == 2


def test_self_parent_and_cycle() -> None:
    """Every span is visited once, what was cut is counted, and the rest is right."""
    facts = facts_of(
        at("A.S", 1, 1), at("A.C", 2, 1), at("B.S", 3, 2), at("C.I", 5, 6), at("C.I", 6, 5)
    )

    assert edges(facts) == {"A -> B (paired)": 1}
    assert reasons(facts)["cycle_cut"] == 2


def test_service_without_a_name() -> None:
    """It stays a node; different unknowns stay apart."""
    facts = facts_of(
        at("A.C", 1),
        at("unknown_service:java.S", 2, 1, (10, 90)),
        at("A.C", 3, trace=2),
        at("unknown_service.S", 4, 3, (10, 90), trace=2),
    )

    assert edges(facts) == {
        "A -> unknown_service (paired)": 1,
        "A -> unknown_service:java (paired)": 1,
    }


@pytest.mark.parametrize("column", ["service_namespace", "environment"])
def test_one_name_in_two_places(store: Store, column: str) -> None:
    """Equal names in two namespaces or environments are two nodes; one name is left as it is."""
    spans = []
    for trace, place in enumerate(("blue", "green"), start=1):
        client = at("A.C", 10 * trace + 1, trace=trace) | {column: place}
        spans += [client, at("B.S", 10 * trace + 2, 10 * trace + 1, (10, 90), trace=trace)]
    facts = stored_facts(store, *spans)

    assert edges(facts) == {"A (blue) -> B (paired)": 1, "A (green) -> B (paired)": 1}
