"""Spans under one id that are the two sides of a call, in any format."""

from __future__ import annotations

from tests.builders import Row, reading
from tests.derive.traces import at, edges
from tracemap import engine
from tracemap.model import Facts
from tracemap.store import Store

CALL = [
    at("A.S", 1),
    at("A.C", 2, 1, (10, 90)),
    at("B.S", 2, 1, (20, 80)),
    at("B.C", 3, 2, (30, 40), peer_kind="database", peer_name="redis"),
]
WANTED = {"A -> B (paired)": 1, "B -> redis (peer)": 1, "user -> A (root)": 1}


def stored(store: Store, *spans: Row) -> dict[str, int]:
    store.append(reading(*spans, name=str(len(spans))))
    engine.update(store)
    return edges(Facts({name: store.facts(name) for name in Facts().tables}))


def test_both_sides_are_stored(store: Store) -> None:
    """What the server did is below the server, and nothing is a duplicate."""
    assert stored(store, *CALL) == WANTED
    assert store.ledger().files["duplicates"].to_list() == [0]
    marked = store.query("SELECT service, kind FROM spans WHERE quality & 8 <> 0").rows()
    assert marked == [("B", "SERVER")]


def test_order_does_not_matter(store: Store) -> None:
    """Servers often report before their clients."""
    assert stored(store, *CALL[::-1]) == WANTED


def test_copy_of_a_shared_span_is_a_copy(store: Store) -> None:
    """Each side sent twice is stored once."""
    assert stored(store, *CALL, *CALL) == WANTED
    assert store.ledger().files["duplicates"].to_list() == [4]


def test_two_clients_under_one_id_are_a_conflict(store: Store) -> None:
    """Nothing says that they are sides of one call: one is kept, and marked."""
    stored(store, at("A.C", 1), at("B.C", 1))

    assert store.query("SELECT quality & 4 AS bit FROM spans")["bit"].to_list() == [4]
