"""Spans without a kind: which of them can be nothing but the calling side."""

from __future__ import annotations

from typing import Any

import pytest

from tests.derive.traces import at, bucket, edges, facts_of
from tracemap import derive
from tracemap.model import Cells

CALL = (at("A.S", 1), at("A.U", 2, 1, (10, 90)), at("B.S", 3, 2, (20, 80)))


def _gaps_ms(*spans: dict[str, Any]) -> list[float]:
    rows = derive.facts(bucket(*spans), Cells())["path_facts"]
    called = rows.filter(rows["duration_ns"] == 80_000_000)
    return [each / 1e6 for each in called["self_ns"].to_list()]


def test_a_span_above_nothing_but_another_service_is_its_caller() -> None:
    """What it takes beyond the other is the way between the two, not own time of the caller."""
    assert edges(facts_of(*CALL)) == {"A -> B (paired)": 1, "user -> A (root)": 1}
    assert _gaps_ms(*CALL) == [20.0]


@pytest.mark.parametrize(
    "spans",
    [
        (*CALL, at("A.U", 4, 2, (82, 88))),
        (*CALL, at("C.S", 4, 2, (82, 88))),
        (CALL[0], at("A.I", 2, 1, (10, 90)), CALL[2]),
    ],
    ids=["it does more", "it calls two", "it says that it is internal"],
)
def test_a_span_that_may_work_itself_is_no_caller(spans: tuple[dict[str, Any], ...]) -> None:
    """Its time beyond the other service may be its own."""
    assert edges(facts_of(*spans))["A -> B (parent_only)"] == 1


def test_a_request_that_goes_straight_on_is_still_an_operation() -> None:
    """The span at which a service is entered is no call, whatever lies below it."""
    spans = (at("A.U", 1), at("B.U", 2, 1, (5, 95)), at("C.U", 3, 2, (10, 90)))

    assert edges(facts_of(*spans)) == {"A -> B (parent_only)": 1, "B -> C (parent_only)": 1}
