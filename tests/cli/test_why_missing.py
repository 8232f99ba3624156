"""Why no edge joins two services: one test for each reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Row, link, reading
from tests.cli.conftest import Tracemap
from tests.derive.traces import HOURLY, at, bucket
from tracemap import derive, pipeline
from tracemap.analyze.why_missing import REASONS
from tracemap.model import WHY_MISSING
from tracemap.pipeline import questions
from tracemap.pipeline.windows import Bounds, Request
from tracemap.store import Store


def why(
    path: Path,
    *spans: Row,
    pair: tuple[str, str] = ("A", "B"),
    request: Request | None = None,
    links: Sequence[Row] = (),
) -> list[Row]:
    """Return the reasons for a pair, of `spans` in a new database."""
    with Store.open(path / "why.duckdb", create=True) as store:
        store.append(reading(*spans, links=links))
        pipeline.bring_up_to_date(store)
        found = questions.why_missing(store, *pair, request)
    assert found.schema == WHY_MISSING.schema
    rows = found.to_dicts()
    assert {row["reason"] for row in rows} <= set(REASONS)
    return rows


def reasons(*args: Any, **more: Any) -> dict[str, int]:  # noqa: ANN401
    return {row["reason"]: row["count"] for row in why(*args, **more)}


CALL = [at("A.S", 1), at("A.C", 2, 1, (10, 90)), at("B.S", 3, 2, (20, 80))]


def test_an_edge_that_exists_is_said_to_exist(tmp_path: Path) -> None:
    """With its rule and a trace that proves it."""
    (row,) = why(tmp_path, *CALL)

    assert (row["reason"], row["count"]) == ("edge_exists", 1)
    assert "paired 1" in row["text"]
    assert row["exemplars"] == [f"{1:032x}"]


def test_an_edge_by_name_alone(tmp_path: Path) -> None:
    """A names B, but no span of B is below: context is lost, or B's spans were not kept."""
    call = at("A.C", 2, trace=2, peer_kind="service", peer_name="B")

    assert reasons(tmp_path, call, at("B.S", 3, trace=3)) == {"named_only": 1}


def test_links_alone(tmp_path: Path) -> None:
    """A link between requests is no call."""
    one, two = at("A.S", 1), at("B.S", 2, trace=2)

    assert reasons(tmp_path, one, two, links=[link(one, two)])["link_only"] == 1


def test_service_that_was_never_seen(tmp_path: Path) -> None:
    """Names that are like it are shown."""
    (row,) = why(tmp_path, *CALL, at("cart-service.S", 9, trace=9), pair=("A", "cart"))

    assert row["reason"] == "not_seen"
    assert "cart-service" in row["text"]


def test_service_known_by_name_only(tmp_path: Path) -> None:
    """It records no spans; who calls it is told by the count."""
    call = at("C.C", 1, peer_kind="service", peer_name="B")

    assert reasons(tmp_path, call, at("A.S", 2, trace=2))["not_seen"] == 1


def test_services_of_two_environments(tmp_path: Path) -> None:
    """No edge is to be expected between them."""
    spans = [at("A.S", 1, environment="prod"), at("B.S", 2, trace=2, environment="staging")]

    assert "environments" in reasons(tmp_path, *spans)


def test_way_through_a_queue_and_through_a_service(tmp_path: Path) -> None:
    """Calls of the weakest part are counted."""
    queue = {"peer_kind": "queue", "peer_name": "orders"}
    message = [at("B.P", 1, **queue), at("A.K", 2, 1, (200, 300), **queue)]  # type: ignore[arg-type]
    proxy = [at("A.C", 3, trace=3), at("M.S", 4, 3, (5, 95), trace=3),
             at("M.C", 5, 4, (10, 90), trace=3), at("B.S", 6, 5, (20, 80), trace=3)]  # fmt: skip
    (tmp_path / "other").mkdir()

    assert reasons(tmp_path, *message)["through_queue"] == 1
    assert reasons(tmp_path / "other", *proxy)["through_service"] == 1


def test_edge_the_other_way_round(tmp_path: Path) -> None:
    """Downstream is who waits: people mix that up."""
    assert reasons(tmp_path, *CALL, pair=("B", "A"))["reverse_edge"] == 1


def test_way_the_other_way_round(tmp_path: Path) -> None:
    """Users enter at A, which reaches B through M: no context was lost on the way to A."""
    way = [at("A.S", 1), at("A.C", 2, 1, (5, 95)), at("M.S", 3, 2, (10, 90)),
           at("M.C", 4, 3, (20, 80)), at("B.S", 5, 4, (30, 70))]  # fmt: skip
    rows = why(tmp_path, *way, pair=("B", "A"))
    texts = {row["reason"]: row["text"] for row in rows}

    assert (rows[0]["reason"], rows[0]["count"]) == ("reverse_edge", 1)
    assert "A -> B is the way of the calls, through M" in rows[0]["text"]
    assert texts["roots"] == "1 of 1 requests of A begin traces of their own: users enter there."


def test_only_roots_are_users_or_lost_context(tmp_path: Path) -> None:
    """Nothing tells the two apart, so both are said."""
    rows = why(tmp_path, at("A.S", 1), at("B.S", 2, trace=2))
    (row,) = [row for row in rows if row["reason"] == "roots"]

    assert "users enter there, or those who call it pass no trace context" in row["text"]


def test_edge_outside_the_window(tmp_path: Path) -> None:
    """Asked for a window in which the two did not meet."""
    later = [at("A.S", 8, 0, (60_000, 60_100), trace=8), at("B.S", 9, 0, (60_000, 60_100), trace=9)]
    start = CALL[0]["start_ns"] + 30_000_000_000

    found = reasons(tmp_path, *CALL, *later, request=Request(window=Bounds(start, None)))

    assert found["other_window"] == 1


def test_never_at_the_same_time(tmp_path: Path) -> None:
    """One was shut down before the other began."""
    found = reasons(tmp_path, at("A.S", 1), at("B.S", 2, 0, (9_000, 9_100), trace=2))

    assert "other_time" in found


def test_client_that_is_not_instrumented(tmp_path: Path) -> None:
    """Requests, and not a single call."""
    found = reasons(tmp_path, at("A.S", 1), at("A.S", 2, trace=2), at("B.S", 3, trace=3))

    assert found["no_client_span"] == 2


def test_other_name_of_the_same_thing(tmp_path: Path) -> None:
    """An address without spans whose words are those of the service."""
    call = at("A.C", 1, peer_kind="external", peer_name="pricing-api.example.com")
    found = reasons(tmp_path, call, at("pricing.S", 2, trace=2), pair=("A", "pricing"))

    assert found["other_name"] == 1
    assert found["never_together"] == 0


def test_a_name_that_is_called_otherwise_is_not_said_to_be_called_by_nobody(tmp_path: Path) -> None:
    """Two reasons must not contradict each other: an address is named that is probably it."""
    call = at("A.C", 1, peer_kind="external", peer_name="cart:7070")
    rows = {row["reason"]: row["text"] for row in why(tmp_path, call, pair=("A", "cart"))}

    assert "cart:7070" in rows["other_name"]
    assert rows["not_seen"] == "No span of cart is stored; calls name something like it."


def test_services_of_different_requests_have_not_lost_their_context(tmp_path: Path) -> None:
    """That they are parts of different requests is the first thing to think of."""
    one, two = at("A.S", 1), at("B.S", 2, trace=2)
    (row,) = [row for row in why(tmp_path, one, two) if row["reason"] == "never_together"]

    assert "no trace has both: the two serve different requests, or " in row["text"]


def test_an_address_that_another_service_answers_is_named(tmp_path: Path) -> None:
    """A proxy without spans passes the context on: who stands at the address is not unknown."""
    call = at("A.C", 2, 1, (10, 90), peer_kind="external", peer_name="legacy.shop.svc:80")
    rows = {
        row["reason"]: row["text"]
        for row in why(
            tmp_path, at("A.S", 1), call, at("B.S", 3, 2, (20, 80)), pair=("A", "legacy")
        )
    }

    assert (
        "A calls legacy.shop.svc:80 (1 calls), and spans of B are right below"
        in (rows["answered_by"])
    )
    assert rows["not_seen"] == "No span of legacy is stored; calls name something like it."


def test_a_database_is_asked_for_by_the_name_it_has(tmp_path: Path) -> None:
    """It never records spans, so there is nothing to set on the calls."""
    call = at("A.C", 1, peer_kind="database", peer_name="redis cache:6379")
    rows = {row["reason"]: row["text"] for row in why(tmp_path, call, pair=("A", "redis"))}

    assert rows["other_name"].endswith("probably redis: ask for it by that name.")


def test_consumers_of_messages_have_lost_no_context(tmp_path: Path) -> None:
    """A batch has no one parent: links join it; no users enter there, and no context is lost."""
    queue = {"peer_kind": "queue", "peer_name": "orders"}
    sent = at("A.P", 1, **queue)  # type: ignore[arg-type]
    processed = at("B.K", 2, 0, (200, 300), trace=2, **queue)
    rows = {
        row["reason"]: row["text"]
        for row in why(tmp_path, sent, processed, links=[link(processed, sent)])
    }

    assert "never_together" not in rows
    assert rows["roots"] == (
        "1 times B processed messages in traces of their own: links lead to who sent them, not"
        " parents."
    )


def test_calls_that_name_nobody(tmp_path: Path) -> None:
    """One of them may be the one that is missed."""
    assert reasons(tmp_path, at("A.C", 1), at("B.S", 2, trace=2))["unnamed_calls"] == 1


def test_requests_whose_parent_is_missing(tmp_path: Path) -> None:
    """Those beside spans of downstream are the likeliest to be its calls."""
    (row,) = [
        row
        for row in why(
            tmp_path, at("A.S", 1), at("B.S", 2, 99, flags=0x300), at("B.S", 3, 99, trace=3)
        )
        if row["reason"] == "orphans"
    ]

    assert row["count"] == 2
    assert "1 of them are in traces with spans of A" in row["text"]
    assert row["exemplars"] == [f"{1:032x}"]


def test_requests_that_begin_traces_of_their_own(tmp_path: Path) -> None:
    """With who calls it otherwise."""
    called = [at("C.C", 5, trace=5), at("B.S", 6, 5, (10, 90), trace=5)]
    rows = why(tmp_path, at("A.S", 1), at("B.S", 2, trace=2), *called)
    (row,) = [row for row in rows if row["reason"] == "roots"]

    assert row["count"] == 1
    assert "1 of 2 requests of B" in row["text"]
    assert "come from C" in row["text"]


def test_services_sampled_at_different_rates(tmp_path: Path) -> None:
    """A span of one stands for ten, of the other for one."""
    spans = [at("A.S", 1, weight=10.0), at("B.S", 2, trace=2)]

    assert "sampling" in reasons(tmp_path, *spans)


def test_nothing_hints_at_a_call(tmp_path: Path) -> None:
    """Side by side below one gateway, each called by it: that is all there is."""
    spans = [
        at("G.S", 1),
        at("G.C", 2, 1, (0, 50)), at("A.S", 3, 2, (5, 45)),
        at("G.C", 4, 1, (50, 90)), at("B.S", 5, 4, (55, 85)),
        at("A.C", 6, 3, (10, 20), peer_kind="database", peer_name="redis"),
    ]  # fmt: skip

    assert reasons(tmp_path, *spans) == {"no_sign": 1}


def test_facts_of_two_halves_add_up() -> None:
    """Bucket by bucket or all at once."""
    other = [row | {"trace_low": 2} for row in CALL]
    whole = derive.pair_facts(bucket(*CALL, *other), "A", "B")
    halves = [derive.pair_facts(bucket(*half), "A", "B") for half in (CALL, other)]

    assert derive.merge_pairs(halves).equals(whole)
    assert derive.facts(bucket(*CALL), HOURLY)["edge_facts"].height == 2


@pytest.mark.parametrize("shape", ["table", "json"])
def test_the_command_prints_reasons(tracemap: Tracemap, database: Path, shape: str) -> None:
    """As lines with the next command to type, or as rows."""
    done = tracemap("why-missing", "storefront", "email", "--db", str(database), "--format", shape)

    assert done.code == 0
    if shape == "json":
        rows = json.loads(done.out)
        assert rows[0]["reason"] in REASONS
        assert set(rows[0]) == {"reason", "count", "text", "exemplars"}
    else:
        assert done.out.split(":")[0] in REASONS
