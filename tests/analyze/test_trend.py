"""Edges week by week, and weeks that hold less than seven days of data."""

from __future__ import annotations

import polars as pl

from tests.analyze.weeks import DAY_NS, Calls, facts
from tracemap import analyze
from tracemap.model import HOUR_NS, TREND, Facts, Window

WEEK_NS = 7 * DAY_NS
CALLED = (0, 1, 5, 6, *range(7, 14))
"""Days on which the export did not stand still."""


def weekly(days: tuple[int, ...], covered: Window) -> pl.DataFrame:
    """Return the trend of an edge that is called on these days, an hour before midnight."""
    made = facts([Calls("web", "cart", days=days)])
    cell = pl.col("window_start_ns") // WEEK_NS * WEEK_NS
    called = pl.Series([day * DAY_NS + 23 * HOUR_NS for day in days], dtype=pl.Int64)
    edge_facts, latency_facts = (
        made[name].with_columns(window_start_ns=cell) for name in ("edge_facts", "latency_facts")
    )
    return analyze.trend(edge_facts, latency_facts, called, covered)


def test_whole_weeks_have_seven_days() -> None:
    """Seconds that the data lacks at either end do not count."""
    rows = weekly(tuple(range(14)), Window(5, 14 * DAY_NS - 5))

    assert rows.select("calls", "days", "calls_per_day").rows() == [(1_400, 7.0, 200.0)] * 2


def test_days_without_calls_make_a_week_partial() -> None:
    """The data begins at noon, and from the third to the fifth day the export stood still."""
    rows = weekly(CALLED, Window(12 * HOUR_NS + 5, 14 * DAY_NS - 5))

    assert rows["days"].to_list() == [3.5, 7.0]
    assert rows["calls_per_day"].to_list() == [800 / 3.5, 200.0]


def test_a_week_that_ends_within_a_day_is_partial() -> None:
    """The last day counts by the hour."""
    rows = weekly(tuple(range(14)), Window(0, 13 * DAY_NS + 6 * HOUR_NS))

    assert rows["days"].to_list() == [7.0, 6.2]


def test_no_calls_are_no_weeks() -> None:
    """With the declared columns."""
    nothing = Facts()
    minutes = pl.Series([], dtype=pl.Int64)
    rows = analyze.trend(nothing["edge_facts"], nothing["latency_facts"], minutes, Window(0, 1))

    assert rows.equals(TREND.empty())
