"""What the findings come to, in a word."""

from __future__ import annotations

from typing import Any

import pytest

from tests.report.shop import MS, move
from tests.report.small import findings, leaf, origin
from tracemap.analyze import verdict

SPREAD = move("web", "GET /", "cart", "GET /cart", 89, 89, "propagated")


def _verdict(flow: list[dict[str, Any]], *moves: dict[str, Any], **more: Any) -> str:  # noqa: ANN401
    return verdict(findings(flow, moves=list(moves), **more).tables, judged=True)


def test_what_spread_between_services_and_reached_no_user_is_no_incident() -> None:
    """Users waited less, or by chance more: an edge alone accuses nobody."""
    assert _verdict([leaf(1, "self", -49)], SPREAD) == "quiet"
    assert _verdict([leaf(1, "self", 40, half_ms=100)], SPREAD) == "quiet"


def test_what_spread_to_an_operation_of_users_is_an_incident() -> None:
    """Without an origin that is certain, too; and where the interval is not known."""
    assert _verdict([leaf(1, "self", 40)], SPREAD) == "incident"
    assert _verdict([leaf(1, "self", 40, half_ms=0)], SPREAD) == "incident"


def test_an_origin_that_is_certain_makes_an_incident_where_the_change_of_users_is_not() -> None:
    """It is a finding of its own."""
    flow = [leaf(1, "self", 40, half_ms=100)]

    assert _verdict(flow, origins=[origin(1, "cart", "self", 40, 1.0)]) == "incident"
    assert _verdict(flow, SPREAD, origins=[origin(1, "cart", "mix", 40, 1.0)]) == "quiet"


def test_what_was_kept_from_users_is_an_incident_though_they_saw_nothing() -> None:
    """Something went wrong, and something absorbed it."""
    absorbed = move("web", "GET /", "cart", "GET /cart", 300, 4, "absorbed", mechanism="timeout")

    assert _verdict([leaf(1, "self", 0.1)], absorbed) == "incident"


@pytest.mark.parametrize("said", ["no spike", "within variation"])
def test_what_varied_as_ever_is_quiet(said: str) -> None:
    """Though users waited longer in this window than in that."""
    assert _verdict([leaf(1, "self", 40)], {**SPREAD, "verdict": said}) == "quiet"


def test_changes_of_less_than_a_millisecond_are_not_felt() -> None:
    """However certain they are."""
    assert _verdict([leaf(1, "self", 0.9, half_ms=0.1)], SPREAD) == "quiet"
    assert MS == 1_000_000
