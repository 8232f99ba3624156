"""What depends on each upstream, availability, and who calls in circles."""

from __future__ import annotations

import pytest

from tests.analyze.simulated import bucket
from tests.builders import Row
from tests.derive.traces import ERROR, at, facts_of
from tracemap import analyze, derive, simulate
from tracemap.model import HOUR_NS, Cells, Facts


def request(number: int, *, hit: bool = False, dies: bool = False) -> list[Row]:
    """Return a request A -> B -> db, whose database fails or not, and which fails or not."""
    base, failed = 10 * number, ERROR if hit else 0
    mine = {"trace": number}
    return [
        at("A.S", base + 1, 0, (0, 100), status_code=ERROR if dies else 0, **mine),
        at("A.C", base + 2, base + 1, (10, 90), status_code=failed, **mine),
        at("B.S", base + 3, base + 2, (20, 80), status_code=failed, **mine),
        at("B.C", base + 4, base + 3, (30, 70), status_code=failed, peer_name="db",
           peer_kind="database", **mine),
    ]  # fmt: skip


def requests(total: int, hit: int, died: int) -> Facts:
    """Return the facts of `total` requests: `hit` lost their database, `died` of these failed."""
    return facts_of(
        *(
            span
            for number in range(1, total + 1)
            for span in request(number, hit=number <= hit, dies=number <= died)
        )
    )


def test_failures_belong_to_where_they_began() -> None:
    """B failed as well, but only because the database did."""
    rows = analyze.dependencies(requests(40, hit=20, died=15))
    hit = dict(rows.select("upstream", "hit").iter_rows())

    assert hit == {"db": 20, "B": 0}


def test_hardness_and_survival_of_a_soft_dependency() -> None:
    """15 of the 20 requests that lost it died, none of the others: 0.75; a quarter survived."""
    row = analyze.dependencies(requests(40, hit=20, died=15)).filter(upstream="db").to_dicts()[0]

    assert (row["reach"], row["waiting"]) == (1.0, 1.0)
    assert (row["survived"], row["hardness"], row["single_point"]) == (0.25, 0.75, "no")


def test_single_point_of_failure() -> None:
    """Every request that lost it died."""
    row = analyze.dependencies(requests(40, hit=20, died=20)).filter(upstream="db").to_dicts()[0]

    assert row["single_point"] == "yes"


def test_too_few_failures_to_tell() -> None:
    """Nineteen requests hit: whether they die with it is unknown, not no."""
    row = analyze.dependencies(requests(40, hit=19, died=19)).filter(upstream="db").to_dicts()[0]

    assert (row["survived"], row["hardness"], row["single_point"]) == (None, None, "unknown")


def test_availability_is_what_upstreams_let_through() -> None:
    """Only the database fails, so the bound is what was measured."""
    row = analyze.availability(requests(40, hit=20, died=10)).to_dicts()[0]

    assert (row["service"], row["measured"], row["own"]) == ("A", 0.75, 1.0)
    assert row["bound"] == pytest.approx(0.75)
    assert (row["weakest"], row["weakest_share"]) == ("db", 0.75)


def test_availability_of_the_simulated_shop_meets_its_bound() -> None:
    """Two upstreams that fail on their own: the bound is the measured share, within 3 %.

    A checkout without a price never gets to payment, so some of payment's failures never happen.
    """
    faults = (
        simulate.Failing(service="pricing", ratio=0.2),
        simulate.Failing(service="payment", ratio=0.1),
    )
    run = simulate.run(simulate.shop(), minutes=8, seed=2, faults=faults)
    facts = derive.facts(bucket(run), Cells(latency_ns=HOUR_NS))
    row = analyze.availability(facts).filter(operation="POST /checkout").to_dicts()[0]
    points = dict(analyze.dependencies(facts).select("upstream", "single_point").iter_rows())

    assert row["bound"] == pytest.approx(row["measured"], abs=0.03)
    assert row["weakest"] == "pricing"
    assert (points["pricing"], points["payment"]) == ("yes", "yes")


def cycles(facts: Facts) -> list[tuple[list[str], bool, int]]:
    """Return the finding as rows."""
    found = analyze.cycles(facts["path_facts"], facts["paths"], facts["edge_facts"])
    return found.rows()


def test_circle_within_a_request_is_confirmed() -> None:
    """A calls B, which calls A back."""
    facts = facts_of(
        at("A.S", 1), at("A.C", 2, 1), at("B.S", 3, 2), at("B.C", 4, 3),
        at("A.S", 5, 4, operation="back"),
    )  # fmt: skip

    assert cycles(facts) == [(["A", "B"], True, 1)]


def test_two_unrelated_paths_make_no_confirmed_circle() -> None:
    """A calls B in one request, B calls A in another: only the graph has a circle."""
    facts = facts_of(
        at("A.S", 1), at("A.C", 2, 1), at("B.S", 3, 2),
        at("B.S", 11, trace=2), at("B.C", 12, 11, trace=2), at("A.S", 13, 12, trace=2),
    )  # fmt: skip

    assert cycles(facts) == [(["A", "B"], False, 0)]


def test_service_that_calls_itself_is_no_circle() -> None:
    """Another replica of the same service."""
    facts = facts_of(at("A.S", 1), at("A.C", 2, 1), at("A.S", 3, 2, operation="inner"))

    assert cycles(facts) == []
