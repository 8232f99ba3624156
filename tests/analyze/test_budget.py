"""Whose failures reached users, and how much of the error budget they took."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.builders import Row
from tests.derive.traces import ERROR, at, facts_of
from tracemap import analyze
from tracemap.model import BUDGET, HOUR_NS, Facts, Window

NOON = Window(0, 2**62)
"""All traces of `facts_of`."""
NEVER = Window(-HOUR_NS, 0)


def charged(*spans: Row) -> dict[str, float]:
    return dict(found(facts_of(*spans)).select("service", "failed").iter_rows())


def found(facts: Facts, owners: dict[str, str] | None = None) -> pl.DataFrame:
    return analyze.budget(facts, NOON, NEVER, owners=owners)


def request(
    trace: int, *, root: int = 0, call: int = 0, entry: int = 0, weight: float = 1.0
) -> list[Row]:
    """Return a request of `web` that calls `ads`; each of the three with its status."""
    more: dict[str, Any] = {"trace": trace, "weight": weight}
    first = 10 * trace
    return [
        at("web.S", first, status_code=root, **more),
        at("web.C", first + 1, first, (10, 60), status_code=call, **more),
        at("ads.S", first + 2, first + 1, (20, 50), status_code=entry, **more),
    ]


def test_an_optional_upstream_is_not_charged() -> None:
    """All calls of `ads` fail; one request of ten fails, and of something else."""
    spans = [
        each
        for trace in range(1, 11)
        for each in request(trace, call=ERROR, entry=ERROR)
    ]  # fmt: skip
    spans += [at("web.S", 900, trace=90, status_code=ERROR)]

    assert charged(*spans) == {"web": 1.0}


def test_a_failure_is_charged_to_whom_the_request_failed_of() -> None:
    """Not to those it passed on its way up."""
    assert charged(*request(1, root=ERROR, call=ERROR, entry=ERROR)) == {"ads": 1.0}


def test_a_failed_call_is_charged_to_the_upstream_that_it_called() -> None:
    """Its caller left before `ads` had answered."""
    assert charged(*request(1, root=ERROR, call=ERROR)) == {"ads": 1.0}


def test_a_failure_that_was_survived_is_not_charged() -> None:
    """`web` went on after `ads` had failed, and then failed of `stock`."""
    spans = [
        at("web.S", 1, status_code=ERROR),
        at("web.C", 2, 1, (10, 20), status_code=ERROR, operation="ads"),
        at("ads.S", 3, 2, (11, 19), status_code=ERROR),
        at("web.C", 4, 1, (30, 60), status_code=ERROR, operation="stock"),
        at("stock.S", 5, 4, (31, 59), status_code=ERROR),
    ]

    assert charged(*spans) == {"stock": 1.0}


def test_requests_count_as_those_they_stand_for() -> None:
    """Failures are all kept, one of ten of the rest: 2 of 992, not 2 of 101."""
    spans = [each for trace in range(1, 100) for each in request(trace, weight=10.0)]
    spans += request(200, root=ERROR, call=ERROR, entry=ERROR, weight=1.0)
    spans += request(201, root=ERROR, call=ERROR, entry=ERROR, weight=1.0)
    row = found(facts_of(*spans)).row(0, named=True)

    assert (row["requests"], row["failed"]) == (992, 2.0)
    assert row["budget_share"] == pytest.approx(2 / 992 / 0.001)


def test_what_is_not_known_of_sampling_counts_as_recorded() -> None:
    """Facts of pruned hours may be older than weights."""
    facts = facts_of(*request(1, root=ERROR, call=ERROR, entry=ERROR), *request(2))
    unknown = pl.lit(None, pl.Float64)
    facts.tables["path_facts"] = facts["path_facts"].with_columns(
        requests_weighted=unknown, request_errors_weighted=unknown
    )

    assert found(facts).select("service", "requests", "failed").rows() == [("ads", 2, 1.0)]


def test_nobody_fails_and_nobody_is_charged() -> None:
    """With the declared columns; nor without any facts."""
    assert found(facts_of(*request(1))).equals(BUDGET.empty())
    assert found(Facts()).equals(BUDGET.empty())


def test_owners_are_named() -> None:
    """Null where unknown."""
    rows = found(facts_of(*request(1, root=ERROR, call=ERROR, entry=ERROR)), owners={"ads": "us"})

    assert rows["owner"].to_list() == ["us"]
