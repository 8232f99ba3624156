"""Requests by the calls they make."""

from __future__ import annotations

import polars as pl

from tests.builders import Row
from tests.derive.traces import ERROR, MS, at, facts_of


def _request(first: int, *calls: str, trace: int, status_code: int = 0) -> list[Row]:
    spans = [at("A.S", first, trace=trace, status_code=status_code)]
    for number, call in enumerate(calls, start=1):
        times = (10.0 * number, 10.0 * number + 5)
        spans.append(
            at("A.C", first + number, first, times, trace=trace, operation=call,
               peer_kind="database", peer_name="pg")
        )  # fmt: skip
    return spans


def test_requests_that_make_the_same_calls_are_of_one_class() -> None:
    """In whatever order, and however often each call is made."""
    rows = facts_of(
        *_request(1, "read", "write", trace=1),
        *_request(11, "write", "read", "read", trace=2, status_code=ERROR),
        *_request(21, "read", trace=3),
        *_request(31, trace=4),
    )["request_facts"]
    classes = (
        rows.drop("service", "operation").group_by("class_id").sum().sort("requests", "self_ns")
    )

    assert classes["requests"].to_list() == [1, 1, 2]
    assert classes["errors"].to_list() == [0, 0, 1]
    assert classes["self_ns"].sort().to_list() == [95 * MS, 100 * MS, (90 + 85) * MS]
    assert classes.filter(pl.col("class_id") == 0)["self_ns"].item() == 100 * MS
    assert rows["duration_ns"].sum() == 400 * MS
