"""More calls, or other requests? Nobody is accused of what another sort of requests explains."""

from __future__ import annotations

from tests.analyze.requests import Work, facts_of, mixed, named

STATION, PRICE = Work("station"), Work("price", own_ms=40)
ROUTE, SEAT = Work("route", own_ms=20), Work("seat", own_ms=30)


def _request(*inner: Work, seat: bool = False) -> Work:
    basic = Work("basic", (STATION, *inner))
    travel = Work("travel", (basic, SEAT) if seat else (basic,))
    return Work("web", (travel,))


CACHED, MADE = _request(), _request(PRICE)
EMPTY, FOUND = _request(), _request(ROUTE, PRICE)


def test_one_call_that_more_requests_make_is_named() -> None:
    """A cache went cold: of one operation one call is made by all requests, not by half of them."""
    facts = facts_of(mixed((60, CACHED), (60, MADE)), [MADE] * 120)

    assert named(facts) == [("basic", "calls")]


def test_calls_that_come_together_are_another_sort_of_requests() -> None:
    """Searches that find something ask for route and price; those that do not, for neither."""
    facts = facts_of(mixed((60, EMPTY), (60, FOUND)), [FOUND] * 120)

    assert named(facts) == []


def test_what_changes_further_upstream_as_well_is_another_sort_of_requests() -> None:
    """Of `travel` one call alone became frequent, but `basic`, called before it, found more too."""
    rich = _request(PRICE, seat=True)
    facts = facts_of(mixed((60, EMPTY), (60, rich)), [rich] * 120)

    assert named(facts) == []


def test_a_call_that_comes_in_bursts_is_not_more_frequent_now() -> None:
    """Two of six bursts of requests made no such call: six others that do prove nothing."""
    baseline = [MADE] * 40 + [CACHED] * 40 + [MADE] * 40

    assert named(facts_of(baseline, [MADE] * 120, stretches=6)) == []
    assert named(facts_of(mixed((80, MADE), (40, CACHED)), [MADE] * 120)) == [("basic", "calls")]
