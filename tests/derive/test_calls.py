"""Which edges each shape of trace makes: the acceptance cases of the edge rules."""

from __future__ import annotations

from tests.derive.traces import MS, at, edges, facts_of, reasons


def test_client_above_server_is_a_call() -> None:
    """Case 1: one edge, both durations, the gap between them, and no call by a user."""
    facts = facts_of(at("A.C", 1), at("B.S", 2, 1, (10, 70)))

    assert edges(facts) == {"A -> B (paired)": 1}
    row = facts["edge_facts"].row(0, named=True)
    assert (row["client_ns"], row["server_ns"], row["gap_ns"]) == (100 * MS, 60 * MS, 40 * MS)
    assert (row["downstream_operation"], row["upstream_operation"]) == ("A.C", "B.S")


def test_internal_span_between_client_and_server_is_climbed() -> None:
    """Case 2: a CLIENT span is found through INTERNAL spans of its service."""
    facts = facts_of(at("A.C", 1), at("A.I", 2, 1), at("B.S", 3, 2, (10, 70)))

    assert edges(facts) == {"A -> B (paired)": 1}
    assert facts["edge_facts"]["gap_ns"].to_list() == [40 * MS]


def test_second_server_below_one_client_is_marked() -> None:
    """Case 3: the first by start is the call; the client's duration counts once."""
    facts = facts_of(
        at("A.C", 1), at("B.S", 2, 1, (50, 90)), at("B.S", 3, 1, (0, 40), status_code=2)
    )

    assert edges(facts) == {"A -> B (multi_server)": 1, "A -> B (paired)": 1}
    assert facts["edge_facts"]["client_calls"].sum() == 1
    paired = facts["edge_facts"].filter(evidence="paired").row(0, named=True)
    assert paired["errors_upstream"] == 1
    assert reasons(facts)["multi_server"] == 1


def test_root_server_was_called_by_a_user() -> None:
    """Case 4: somebody outside the export called."""
    assert edges(facts_of(at("A.S", 1))) == {"user -> A (root)": 1}


def test_named_peer_without_spans_is_virtual() -> None:
    """Cases 5, 7, 8: what has no spans is named by the client's attributes."""
    facts = facts_of(
        at("A.S", 1),
        at("A.C", 2, 1, peer_kind="service", peer_name="pay"),
        at("A.C", 3, 1, peer_kind="external", peer_name="api.x.com"),
        at("A.C", 4, 1, peer_kind="database", peer_name="postgresql pg/orders"),
        at("A.C", 5, 1, peer_kind="faas", peer_name="resize"),
        at("A.C", 6, 1, peer_kind="genai", peer_name="openai"),
    )

    assert edges(facts) == {
        "A -> api.x.com (peer)": 1,
        "A -> openai (peer)": 1,
        "A -> pay (peer)": 1,
        "A -> postgresql pg/orders (peer)": 1,
        "A -> resize (peer)": 1,
        "user -> A (root)": 1,
    }
    kinds = dict(facts["edge_facts"].select("upstream", "connection_type").rows())
    assert kinds["postgresql pg/orders"] == "database"
    assert kinds["api.x.com"] == kinds["openai"] == "external"
    assert kinds["resize"] == kinds["pay"] == "rpc"


def test_client_that_says_nothing_calls_unknown() -> None:
    """Case 6: the call is kept, its upstream is unknown."""
    assert edges(facts_of(at("A.C", 1))) == {"A -> unknown (unknown)": 1}


def test_peer_that_emits_spans_elsewhere_is_that_service() -> None:
    """A peer with the name of a known service is no external system: its span is missing."""
    facts = facts_of(
        at("A.C", 1, peer_kind="external", peer_name="B.shop.svc.cluster.local:8080"),
        at("A.C", 2, trace=2, peer_kind="service", peer_name="B"),
        at("A.C", 3, trace=3, peer_kind="external", peer_name="B.example.com"),
        at("B.S", 4, trace=4),
    )

    assert edges(facts) == {
        "A -> B (peer)": 2,
        "A -> B.example.com (peer)": 1,
        "user -> B (root)": 1,
    }
    assert reasons(facts)["missing_server"] == 2
    assert reasons(facts)["host_inferred"] == 1


def test_siblings_below_a_missing_parent_have_no_edge_between_them() -> None:
    """Case 12: two orphans, each the root of what is below it."""
    facts = facts_of(at("B.S", 1, 99), at("C.S", 2, 99, flags=0x100))

    assert edges(facts) == {}
    assert reasons(facts) == {"no_edge_orphan": 1, "no_edge_orphan_local": 1, "orphan": 2}


def test_orphan_whose_parent_ran_elsewhere_was_called_by_somebody_unknown() -> None:
    """Flags say that the parent is remote: there was a call, its other side is not in the data."""
    facts = facts_of(at("B.S", 1, 99, flags=0x300), at("C.I", 2, 98, flags=0x300, trace=2))

    assert edges(facts) == {"unknown caller -> B (orphan)": 1}
    assert reasons(facts) == {"in_edge": 1, "no_edge_orphan_remote": 1, "orphan": 2}


def test_producer_above_server_is_a_plain_call() -> None:
    """Case 13: the entry below decides, whatever the kind of the span above."""
    assert edges(facts_of(at("A.P", 1), at("B.S", 2, 1))) == {"A -> B (paired)": 1}


def test_kinds_missing_everywhere_still_make_edges() -> None:
    """Case 16: a change of service is a call."""
    facts = facts_of(at("A.U", 1), at("B.U", 2, 1))

    assert edges(facts) == {"A -> B (parent_only)": 1}
    assert reasons(facts) == {"in_edge": 1, "no_edge_root": 1}


def test_server_below_a_server_of_another_service_is_a_call() -> None:
    """A proxy with one span: downstream is the entry above, there is no client duration."""
    facts = facts_of(at("A.C", 1), at("P.S", 2, 1, (5, 95)), at("B.S", 3, 2, (10, 90)))

    assert edges(facts) == {"A -> P (paired)": 1, "P -> B (parent_only)": 1}


def test_database_client_over_http_is_one_call() -> None:
    """Case 17: the outermost span that names the database is the call, the inner is transport."""
    facts = facts_of(
        at("A.C", 1, peer_kind="database", peer_name="aws.dynamodb"),
        at("A.C", 2, 1, (10, 90), peer_kind="external", peer_name="dynamodb.amazonaws.com"),
    )

    assert edges(facts) == {"A -> aws.dynamodb (peer)": 1}
    assert reasons(facts) == {"in_edge": 1, "no_edge_transport": 1}


def test_wrapper_that_names_nobody_leaves_the_call_to_what_it_wraps() -> None:
    """An outer CLIENT span without a peer is no call if spans below name databases."""
    facts = facts_of(
        at("A.S", 1),
        at("A.C", 2, 1),
        at("A.C", 3, 2, (10, 40), peer_kind="database", peer_name="redis"),
        at("A.C", 4, 2, (50, 90), peer_kind="database", peer_name="pg"),
    )

    assert edges(facts) == {
        "A -> pg (peer)": 1,
        "A -> redis (peer)": 1,
        "user -> A (root)": 1,
    }
    assert reasons(facts) == {"in_edge": 3, "no_edge_wrapper": 1}


def test_retries_within_one_logical_client_are_calls_of_their_own() -> None:
    """The innermost CLIENT with a server is the call; an attempt that reached nobody counts too."""
    facts = facts_of(
        at("A.C", 1),
        at("A.C", 2, 1, (0, 30), peer_kind="service", peer_name="pay"),
        at("A.C", 3, 1, (40, 90)),
        at("B.S", 4, 3, (50, 80)),
    )

    assert edges(facts) == {"A -> B (paired)": 1, "A -> pay (peer)": 1}


def test_instrumented_database_is_counted_once() -> None:
    """The span below answers: the client's attributes make no second node."""
    facts = facts_of(
        at("A.C", 1, peer_kind="database", peer_name="postgresql pg"), at("pg.S", 2, 1, (10, 90))
    )

    assert edges(facts) == {"A -> pg (paired)": 1}


def test_second_server_span_of_one_request_is_internal() -> None:
    """Two libraries instrument one request: no edge, no entry of its own."""
    facts = facts_of(at("A.S", 1), at("A.I", 2, 1), at("A.S", 3, 2, (10, 90)))

    assert edges(facts) == {"user -> A (root)": 1}
    assert reasons(facts) == {"in_edge": 1, "no_edge_internal": 1, "no_edge_nested_server": 1}


def test_call_to_the_same_service_is_kept() -> None:
    """A self-edge is an edge; who does not want it leaves it out."""
    facts = facts_of(at("A.C", 1), at("A.S", 2, 1, (10, 90)))

    assert edges(facts) == {"A -> A (paired)": 1}


def test_errors_are_counted_on_both_sides() -> None:
    """A client that saw an error and a server that reported one are different things."""
    facts = facts_of(at("A.C", 1, status_code=2), at("B.S", 2, 1))

    row = facts["edge_facts"].row(0, named=True)
    assert (row["errors_downstream"], row["errors_upstream"]) == (1, 0)


def test_self_parent_and_cycle_are_cut() -> None:
    """Every span is visited once, and what was cut is counted."""
    facts = facts_of(
        at("A.S", 1, 1), at("A.I", 5, 7), at("A.I", 6, 5), at("A.I", 7, 6), at("A.I", 8, 7)
    )

    assert reasons(facts)["cycle_cut"] == 2
    assert sum(n for reason, n in reasons(facts).items() if "edge" in reason) == 5
