"""Faults that hit some calls only: the typical call is as fast as ever, the mean is not."""

from __future__ import annotations

from tests.analyze.requests import Work, facts_of, mixed, named


def _request(stock_ms: float) -> Work:
    return Work("web", (Work("orders", (Work("stock", own_ms=stock_ms),)),))


USUAL, SLOW, GIANT = _request(20), _request(120), _request(9_000)


def test_a_service_that_is_slow_for_a_tenth_of_its_calls_is_named() -> None:
    """One instance of ten: nine calls of ten take as long as before, users wait longer."""
    now = mixed((450, USUAL), (50, SLOW))

    assert named(facts_of([USUAL] * 500, now)) == [("stock", "self")]


def test_a_giant_request_accuses_nobody() -> None:
    """It makes the mean as much larger, and a day without it would not."""
    now = mixed((499, USUAL), (1, GIANT))

    assert named(facts_of([USUAL] * 500, now)) == []


def test_one_burst_of_slow_calls_accuses_nobody() -> None:
    """As many slow calls as in a tenth of all, but all within one stretch of time: a pause."""
    now = [USUAL] * 225 + [SLOW] * 50 + [USUAL] * 225

    assert named(facts_of([USUAL] * 500, now, stretches=10)) == []
