"""Failures: which one the step above failed of, and which one the request did."""

from __future__ import annotations

import polars as pl

from tests.derive.traces import ERROR, at, facts_of, path_table
from tracemap import simulate
from tracemap.derive import facts
from tracemap.model import Cells, TraceBucket
from tracemap.simulate import Failing

NAMES = ("errors", "charged_errors", "request_errors")


def _marks(*spans: dict[str, object]) -> dict[str, tuple[int, ...]]:
    found = path_table(facts_of(*spans))
    return {
        path: tuple(row[name] for name in NAMES) for path, row in found.items() if row["errors"]
    }


def test_a_failure_is_charged_to_the_deepest_step_that_failed() -> None:
    """Client, server and root failed of what the database answered."""
    marks = _marks(
        at("A.S", 1, status_code=ERROR),
        at("A.C", 2, 1, (10, 90), status_code=ERROR),
        at("B.S", 3, 2, (20, 80), status_code=ERROR),
        at("B.C", 4, 3, (30, 60), status_code=ERROR, peer_kind="database", peer_name="pg"),
    )

    assert marks == {
        "A.S": (1, 0, 0),
        "A.S > A.C": (1, 1, 0),
        "A.S > A.C > B.S": (1, 1, 0),
        "A.S > A.C > B.S > B.C": (1, 1, 1),
    }


def test_a_call_that_failed_though_its_server_did_not_is_where_it_began() -> None:
    """The caller left, or the answer was lost: nothing below says so."""
    marks = _marks(
        at("A.S", 1, status_code=ERROR),
        at("A.C", 2, 1, (10, 50), status_code=ERROR),
        at("B.S", 3, 2, (20, 90)),
    )

    assert marks == {"A.S": (1, 0, 0), "A.S > A.C": (1, 1, 1)}


def test_what_a_step_survived_is_not_charged() -> None:
    """The first call failed and the request went on; the last one it failed of."""
    database = {"peer_kind": "database", "peer_name": "pg"}
    spans = [
        at("A.S", 1, status_code=ERROR),
        at("A.C", 2, 1, (10, 20), status_code=ERROR, operation="cache", **database),
        at("A.C", 3, 1, (30, 60), status_code=ERROR, operation="query", **database),
    ]

    assert _marks(*spans) == {
        "A.S": (1, 0, 0),
        "A.S > cache": (1, 0, 0),
        "A.S > query": (1, 1, 1),
    }


def test_an_absorbed_failure_is_charged_to_nobody() -> None:
    """The request went well: its retry did."""
    found = path_table(
        facts_of(
            at("A.S", 1),
            at("A.C", 2, 1, (10, 20), status_code=ERROR, operation="ask"),
            at("A.C", 3, 1, (30, 60), operation="ask"),
        )
    )["A.S > ask"]

    assert {name: found[name] for name in ("errors", "charged_errors", "request_errors")} == {
        "errors": 1,
        "charged_errors": 0,
        "request_errors": 0,
    }
    assert (found["hit_callers"], found["hit_callers_failed"], found["callers_failed"]) == (1, 0, 0)


def test_a_failure_nobody_waited_for_is_charged_to_nobody() -> None:
    """A call that outlives the request, which failed on its own."""
    marks = _marks(
        at("A.S", 1, status_code=ERROR),
        at("A.C", 2, 1, (10, 900), status_code=ERROR, peer_kind="database", peer_name="pg"),
    )

    assert marks == {"A.S": (1, 0, 1), "A.S > A.C": (1, 0, 0)}


def test_callers_are_counted_once_however_often_they_call() -> None:
    """Two failed attempts of one request are one caller that was hit, and failed."""
    found = path_table(
        facts_of(
            at("A.S", 1, status_code=ERROR),
            at("A.C", 2, 1, (10, 20), status_code=ERROR, operation="ask"),
            at("A.C", 3, 1, (30, 60), status_code=ERROR, operation="ask"),
        )
    )["A.S > ask"]

    assert (found["callers"], found["errors"], found["charged_errors"]) == (1, 2, 1)
    assert (found["hit_callers"], found["hit_callers_failed"], found["callers_failed"]) == (1, 1, 1)


def test_calls_without_a_recorded_entry_are_unanswered() -> None:
    """One attempt hung and left nothing behind; the next one was answered."""
    found = path_table(
        facts_of(
            at("A.S", 1),
            at("A.C", 2, 1, (10, 40), operation="ask", peer_kind="service", peer_name="B"),
            at("A.C", 3, 1, (50, 60), operation="ask", peer_kind="service", peer_name="B"),
            at("B.S", 4, 3, (52, 58)),
        )
    )["A.S > ask"]

    assert (found["calls"], found["unanswered"]) == (2, 1)
    assert found["unanswered_ns"] == 30_000_000


def test_failed_requests_of_a_run_are_charged_exactly_once() -> None:
    """However services fail and retry, the parts add up to the whole."""
    shop = simulate.random_policies(simulate.random_shop(7), 7)
    fault = Failing(
        service=sorted(s.name for s in shop.services.values() if s.kind == "service")[2], ratio=0.3
    )
    run = simulate.run(shop, minutes=4, seed=7, faults=(fault,))
    batches = list(run.batches())
    rows = facts(
        TraceBucket(
            pl.concat(batch.spans for batch in batches).drop("attributes"),
            batches[-1].operations,
            batches[-1].resources.with_columns(service=pl.col("service_name")),
        ),
        Cells(),
    )
    sums = rows["path_facts"].join(rows["paths"], on="path_id")
    failed_roots = sums.filter(pl.col("parent_path_id") == 0)["errors"].sum()

    assert failed_roots > 20
    assert sums["request_errors"].sum() == failed_roots
    below = sums.group_by(path_id="parent_path_id").agg(pl.col("charged_errors").sum())
    both = sums.group_by("path_id").agg(pl.col("errors").sum()).join(below, on="path_id")
    assert (both["charged_errors"] <= both["errors"]).all()
