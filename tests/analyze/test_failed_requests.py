from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tracemap.analyze.failed_requests import failed_requests
from tracemap.model import LATENCY_FACTS, MINUTE_NS, FailedRequests, Window

START_NS = 1_772_409_600 * 1_000_000_000


def facts(
    errors: Sequence[int], *, downstream: str = "", unit: str = "server", gap: int = 1
) -> pl.DataFrame:
    """Ten requests a minute, so many of which failed."""
    return LATENCY_FACTS.conform(
        pl.DataFrame(
            {
                "window_start_ns": [START_NS + gap * n * MINUTE_NS for n in range(len(errors))],
                "unit": unit, "service": "web", "operation": "GET /", "downstream": downstream,
                "bucket": 1_000, "count": 10, "sum_ns": 10_000_000, "errors": errors,
            },
            schema_overrides={"errors": pl.Int64, "window_start_ns": pl.Int64},
        )
    )  # fmt: skip


def minutes(start: int, end: int) -> Window:
    return Window(START_NS + start * MINUTE_NS, START_NS + end * MINUTE_NS)


def found(errors: Sequence[int]) -> FailedRequests:
    made = facts(errors)
    return failed_requests(made, made)


def test_a_burst_of_failures_is_counted_and_found() -> None:
    """The shortest stretch with most of them, although one failed before and one after."""
    assert found([0, 1, 0, 0, 9, 10, 9, 0, 0, 1]) == FailedRequests(100, 30, minutes(4, 7))


def test_failures_all_the_time_have_no_stretch() -> None:
    """A stretch that is most of the window tells nobody where to look."""
    assert found([5] * 10) == FailedRequests(100, 50)


def test_nothing_failed_and_nothing_was_requested() -> None:
    """Empty in, nothing out."""
    assert found([0, 0]) == FailedRequests(20, 0)
    assert found([]) == FailedRequests()
    assert FailedRequests().share == 0


def test_failed_calls_between_services_are_not_failed_requests_of_users() -> None:
    """A retry may have saved the request; what a client saw is not what a server answered."""
    inner = pl.concat([facts([10], downstream="web"), facts([10], unit="client")])

    assert failed_requests(inner, inner) == FailedRequests()


@given(st.lists(st.integers(0, 10), min_size=1, max_size=30))
def test_a_stretch_holds_most_failures_and_no_shorter_one_does(errors: list[int]) -> None:
    """Against every stretch there is, tried one by one."""
    stretch, total = found(errors).most, sum(errors)
    lengths = [
        end - start
        for start in range(len(errors))
        for end in range(start + 1, len(errors) + 1)
        if sum(errors[start:end]) >= 0.8 * total
    ]
    shortest = min(lengths)
    if total == 0 or shortest > len(errors) / 2:
        assert stretch is None
    else:
        assert stretch is not None
        assert stretch.duration_ns == shortest * MINUTE_NS
