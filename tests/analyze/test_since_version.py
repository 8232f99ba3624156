"""When a change is said to have begun with a new version, and when not."""

from __future__ import annotations

import polars as pl
import pytest

from tests.analyze.weeks import BASELINE, DAY_NS, LATER, WINDOW, Calls, facts
from tracemap import analyze
from tracemap.analyze.since_version import since_version
from tracemap.model import VERSION_FACTS, Facts

CART = Calls("web", "cart")


def versions(*runs: tuple[str, str, range, int]) -> pl.DataFrame:
    """Facts of a service's version that makes so many spans on each of these days."""
    return VERSION_FACTS.conform(
        pl.DataFrame(
            [
                {
                    "window_start_ns": day * DAY_NS, "service": service, "version": version,
                    "spans": spans, "first_ns": day * DAY_NS + DAY_NS // 2, "last_ns": day * DAY_NS,
                }
                for service, version, days, spans in runs
                for day in days
            ]
        )
    )  # fmt: skip


def answers(slower_from: int, calls: int = 100) -> pl.DataFrame:
    """Calls of `cart` day by day: they take 20 ms, and 50 ms from some day on."""
    days = range(35)
    return pl.DataFrame(
        {
            "unit": [7] * 35,
            "service": ["cart"] * 35,
            "cell": [day * DAY_NS for day in days],
            "during": [day >= LATER for day in days],
            "amount": [calls * (50 if day >= slower_from else 20) for day in days],
            "count": [calls] * 35,
        }
    )


def began(slower_from: int, *runs: tuple[str, str, range, int], calls: int = 100) -> list[str]:
    """Return the version since which `cart` takes 50 ms rather than 20, if any is named."""
    cells, limits = answers(slower_from, calls), analyze.Thresholds()
    found = since_version(cells, versions(*runs), (WINDOW, BASELINE), limits)
    assert found["unit"].to_list() in ([], [7])
    return found["since_version"].to_list()


OLD = ("cart", "1.4.0", range(LATER + 2), 200)


def new(first: int, spans: int = 200) -> tuple[str, str, range, int]:
    return ("cart", "1.5.0", range(first, 35), spans)


@pytest.mark.parametrize(
    ("slower_from", "expected"),
    [(LATER + 2, ["1.5.0"]), (LATER + 3, ["1.5.0"]), (LATER, []), (LATER + 5, [])],
)
def test_a_change_begins_with_a_version_or_it_does_not(
    slower_from: int, expected: list[str]
) -> None:
    """On its day, or on the next, its first whole one; not two days before, nor three later."""
    assert began(slower_from, OLD, new(LATER + 2)) == expected


def test_a_version_that_came_with_the_window_is_named() -> None:
    """Nothing of the window is before it."""
    assert began(LATER, ("cart", "1.4.0", range(LATER), 200), new(LATER)) == ["1.5.0"]


def test_a_handful_of_calls_before_a_version_says_nothing_against_it() -> None:
    """Fewer than are ever judged."""
    assert began(LATER, OLD, new(LATER + 2), calls=5) == ["1.5.0"]


def test_versions_may_be_counted_in_longer_stretches_than_calls() -> None:
    """The span that came first tells when it began: on the third day of a stretch of a week."""
    runs = versions(("cart", "1.4.0", range(LATER + 2), 200), new(LATER + 2))
    weekly = runs.with_columns(pl.col("window_start_ns") // (7 * DAY_NS) * (7 * DAY_NS))
    found = since_version(answers(LATER + 2), weekly, (WINDOW, BASELINE), analyze.Thresholds())

    assert found["since_version"].to_list() == ["1.5.0"]


def test_a_trial_on_few_instances_is_not_what_the_service_runs() -> None:
    """A tenth of its spans."""
    old = ("cart", "1.4.0", range(35), 200)

    assert began(LATER + 2, old, new(LATER + 2, spans=20)) == []


def test_a_version_that_the_baseline_had_is_not_new() -> None:
    """It was rolled out a week before the window."""
    assert began(LATER, OLD, new(LATER - 7)) == []


def test_versions_that_are_named_for_the_first_time_are_not_new() -> None:
    """Nobody knows what ran before."""
    assert began(LATER + 2, new(LATER + 2)) == []


def test_another_service_s_version_is_not_named() -> None:
    """Whatever happened to it on that day."""
    other = ("stock", "2.0.0", range(LATER + 2, 35), 200)

    assert began(LATER + 2, ("cart", "1.4.0", range(35), 200), other) == []


def drifted(*runs: tuple[str, str, range, int], before: Calls, after: Calls) -> dict[str, object]:
    made = facts([before], [after])
    tables = {**made.tables, "version_facts": versions(*runs)}
    (row,) = analyze.drift(Facts(tables), WINDOW, BASELINE).to_dicts()
    return row


def test_how_an_edge_answers_is_upstreams_version() -> None:
    """And the words say since when."""
    deploys = [
        (name, version, days, 200)
        for name in ("cart", "web")
        for version, days in (("1", range(LATER)), ("2", range(LATER, 35)))
    ]
    row = drifted(*deploys, before=CART, after=Calls("web", "cart", ms=60.0))

    assert (row["since_service"], row["since_version"]) == ("cart", "2")
    assert str(row["detail"]).endswith("; since version 2 of cart")


def test_whom_to_call_is_downstreams_version() -> None:
    """It calls twice as often since it was deployed."""
    deploys = [
        (name, version, days, 200)
        for name in ("cart", "web")
        for version, days in (("1", range(LATER)), ("2", range(LATER, 35)))
    ]
    row = drifted(*deploys, before=CART, after=Calls("web", "cart", rate=2.0))

    assert (row["change"], row["since_service"], row["since_version"]) == ("more calls", "web", "2")


def test_what_did_not_change_is_since_no_version() -> None:
    """However many there were."""
    deploys = [("cart", "1", range(LATER), 200), ("cart", "2", range(LATER, 35), 200)]
    row = drifted(*deploys, before=CART, after=CART)

    assert (row["change"], row["since_version"], row["detail"]) == ("steady", None, "")
