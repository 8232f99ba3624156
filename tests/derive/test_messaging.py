"""Messages: who produced, who consumed, how long they lay in the queue."""

from __future__ import annotations

from typing import Any

from tests.derive.traces import MS, at, edges, facts_of, reasons

QUEUE: dict[str, Any] = {"peer_kind": "queue", "peer_name": "kafka orders", "protocol": "messaging"}


def test_consumer_below_its_producer() -> None:
    """Case 9: producer -> queue -> consumer, upstream to downstream."""
    facts = facts_of(at("A.P", 1, 0, (0, 10), **QUEUE), at("B.K", 2, 1, (30, 90)))

    assert edges(facts) == {"B -> kafka orders (parent)": 1, "kafka orders -> A (parent)": 1}
    waits = facts["latency_facts"].filter(unit="wait")
    assert waits.select("service", "downstream", "sum_ns").rows() == [
        ("kafka orders", "B", 20 * MS)
    ]


def test_consumer_that_links_to_a_producer_in_another_trace() -> None:
    """Case 10: the link joins two traces; each side makes its own edge."""
    producer = at("A.P", 1, 0, (0, 10), **QUEUE)
    consumer = at("B.K", 2, 0, (30, 90), trace=2)
    facts = facts_of(producer, consumer, links=[(consumer, producer)])

    assert edges(facts) == {"B -> kafka orders (link)": 1, "kafka orders -> A (peer)": 1}


def test_batch_with_two_links_is_two_messages() -> None:
    """Case 11: a CLIENT span that receives consumes once for each producer it links to."""
    one, two = at("A.P", 1, 0, (0, 10), **QUEUE), at("Z.P", 2, 0, (0, 20), trace=2, **QUEUE)
    batch = at("B.C", 3, 0, (30, 90), trace=3, messaging_operation="receive", **QUEUE)
    facts = facts_of(one, two, batch, links=[(batch, one), (batch, two)])

    assert edges(facts) == {
        "B -> kafka orders (link)": 2,
        "kafka orders -> A (peer)": 1,
        "kafka orders -> Z (peer)": 1,
    }
    consumed = facts["edge_facts"].filter(downstream="B")
    assert consumed["client_calls"].sum() == 1


def test_send_modelled_as_client() -> None:
    """Case 14: a CLIENT span above a CONSUMER span produces."""
    facts = facts_of(
        at("A.C", 1, 0, (0, 10), messaging_operation="send", **QUEUE), at("B.K", 2, 1, (30, 90))
    )

    assert edges(facts) == {"B -> kafka orders (parent)": 1, "kafka orders -> A (parent)": 1}


def test_parent_and_link_to_the_same_span_count_once() -> None:
    """Some libraries set both."""
    producer, consumer = at("A.P", 1, 0, (0, 10), **QUEUE), at("B.K", 2, 1, (30, 90))
    facts = facts_of(producer, consumer, links=[(consumer, producer)])

    assert edges(facts) == {"B -> kafka orders (parent)": 1, "kafka orders -> A (parent)": 1}


def test_nobody_names_the_queue() -> None:
    """Then the consumer is directly downstream of the producer."""
    facts = facts_of(at("A.P", 1, 0, (0, 10)), at("B.K", 2, 1, (30, 90)))

    assert edges(facts) == {"B -> A (parent)": 1}
    assert reasons(facts) == {"in_edge": 2}


def test_consumer_that_knows_only_its_queue() -> None:
    """Its producer may not be exported: half an edge by destination."""
    assert edges(facts_of(at("B.K", 1, **QUEUE))) == {"B -> kafka orders (destination)": 1}


def test_receive_with_process_below_consumes_once() -> None:
    """The process span counts, the receive span is where it got the message from."""
    facts = facts_of(
        at("B.K", 1, messaging_operation="receive", **QUEUE),
        at("B.K", 2, 1, (10, 90), messaging_operation="process", **QUEUE),
    )

    assert edges(facts) == {"B -> kafka orders (destination)": 1}
    assert reasons(facts) == {"in_edge": 1, "no_edge_received": 1}


def test_settle_and_create_make_no_edge() -> None:
    """They are bookkeeping beside the send and the process span."""
    facts = facts_of(
        at("A.S", 1),
        at("A.P", 2, 1, (0, 5), messaging_operation="create", **QUEUE),
        at("A.C", 3, 1, (5, 10), messaging_operation="settle", **QUEUE),
    )

    assert edges(facts) == {"user -> A (root)": 1}
    assert reasons(facts) == {"in_edge": 1, "no_edge_create": 1, "no_edge_settle": 1}


def test_producer_without_a_producer_span() -> None:
    """A SERVER span whose context went into the message: the consumer makes both edges."""
    server, consumer = at("A.S", 1), at("B.K", 2, 1, (200, 300), **QUEUE)
    facts = facts_of(server, consumer)

    assert edges(facts) == {
        "B -> kafka orders (parent)": 1,
        "kafka orders -> A (parent)": 1,
        "user -> A (root)": 1,
    }
    assert facts["latency_facts"].filter(unit="wait").is_empty()


def test_message_consumed_before_it_was_sent() -> None:
    """Clocks disagree: counted, never put into the histogram."""
    facts = facts_of(at("A.P", 1, 0, (50, 60), **QUEUE), at("B.K", 2, 1, (10, 90)))

    assert facts["latency_facts"].filter(unit="wait").is_empty()
    assert reasons(facts)["wait_negative"] == 1


def test_link_of_any_other_span_is_an_edge_without_latency() -> None:
    """Fork and join: shown, but no call."""
    one, two = at("A.S", 1), at("B.S", 2, 0, trace=2)
    facts = facts_of(one, two, links=[(two, one)])

    row = facts["edge_facts"].filter(connection_type="link").row(0, named=True)
    assert (row["downstream"], row["upstream"], row["client_calls"]) == ("B", "A", 0)
    assert facts["latency_facts"].filter(unit="client").is_empty()
