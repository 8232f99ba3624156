from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tracemap.analyze.timeline import timeline
from tracemap.model import HOUR_NS, LATENCY_FACTS, MINUTE_NS, Window

START_NS = 1_772_409_600 * 1_000_000_000


def starts(minutes: Iterable[int], hours: int) -> list[int]:
    """Minutes at which steps begin, of a service observed in these minutes."""
    facts = LATENCY_FACTS.conform(
        pl.DataFrame(
            {
                "window_start_ns": [START_NS + minute * MINUTE_NS for minute in minutes],
                "unit": "server", "service": "web", "operation": "GET /", "downstream": "",
                "bucket": 1_000, "count": 10, "sum_ns": 10_000_000, "errors": 0,
            }
        )
    )  # fmt: skip
    units = pl.DataFrame(
        {"unit": ["server"], "service": ["web"], "operation": ["GET /"], "downstream": [""]}
    )
    found = timeline(facts, units, Window(START_NS, START_NS + hours * HOUR_NS))
    return [(start - START_NS) // MINUTE_NS for start in found["window_start_ns"].to_list()]


def test_a_few_minutes_of_a_long_day_stay_at_their_minute() -> None:
    """A peak at 05:18 is not drawn at 05:15, nor one where nothing was recorded."""
    assert starts([3, 318, 319, 428], 24) == [3, 318, 319, 428]


def test_an_hour_without_a_hole_has_a_point_each_minute() -> None:
    """Also one that begins within a minute, and so touches 61 of them."""
    assert starts(range(61), 2) == list(range(61))


def test_a_day_without_a_hole_has_about_sixty_points() -> None:
    """As few minutes a step as that needs."""
    assert starts(range(24 * 60), 24) == list(range(0, 24 * 60, 24))


def test_a_long_time_with_an_hour_of_each_day_has_about_sixty_points() -> None:
    """Where what was observed is apart, steps grow until few enough hold any of it."""
    assert len(starts((day * 1440 + minute for day in range(9) for minute in range(60)), 216)) <= 61
