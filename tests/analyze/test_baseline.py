from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tracemap.analyze.baseline import WEEK_NS, baseline, spike_window
from tracemap.model import MINUTE_NS, SPIKES, Window

NOON_NS = 1_700_000_040_000_000_000 // MINUTE_NS * MINUTE_NS


def minutes(first: int, last: int) -> Window:
    return Window(NOON_NS + first * MINUTE_NS, NOON_NS + last * MINUTE_NS)


def observed(*windows: Window) -> pl.Series:
    starts = [
        time for window in windows for time in range(window.start_ns, window.end_ns, MINUTE_NS)
    ]
    return pl.Series("window_start_ns", starts, dtype=pl.Int64)


def episodes(*windows: Window) -> pl.DataFrame:
    rows = pl.DataFrame(
        {
            "start_ns": [window.start_ns for window in windows],
            "end_ns": [window.end_ns for window in windows],
        },
        schema={"start_ns": pl.Int64, "end_ns": pl.Int64},
    )
    missing = [column for column in SPIKES.columns if column.name not in rows.columns]
    return SPIKES.conform(
        rows.with_columns(pl.lit(None, dtype=column.dtype).alias(column.name) for column in missing)
    )


def earlier(window: Window, weeks: int) -> Window:
    return Window(window.start_ns - weeks * WEEK_NS, window.end_ns - weeks * WEEK_NS)


def test_same_hours_of_last_week_win() -> None:
    """Load and traffic mix are most alike a week earlier."""
    window = minutes(0, 10)
    chosen = baseline(window, observed(minutes(-60, 60), earlier(window, 1)), episodes(window))

    assert chosen.window == earlier(window, 1)
    assert chosen.reason == "the same hours one week before the window"


def test_a_week_with_a_spike_of_its_own_is_passed_over() -> None:
    """A bad day is no baseline; the week before it is."""
    window = minutes(0, 10)
    cells = observed(minutes(-60, 60), earlier(window, 1), earlier(window, 2))
    chosen = baseline(window, cells, episodes(window, earlier(minutes(4, 6), 1)))

    assert chosen.window == earlier(window, 2)
    assert chosen.reason == "the same hours 2 weeks before the window"


def test_a_week_that_was_hardly_observed_does_not_count() -> None:
    """Two minutes out of ten are no week to compare with."""
    window = minutes(0, 10)
    cells = observed(minutes(-60, 60), earlier(minutes(0, 2), 1))

    assert baseline(window, cells, episodes(window)).reason == "the quiet time before the window"


def test_quiet_time_before_the_window_without_the_minutes_next_to_it() -> None:
    """A spike does not start on the minute, so the last one before it is left out."""
    chosen = baseline(minutes(0, 10), observed(minutes(-30, 30)), episodes(minutes(0, 10)))

    assert chosen.window == minutes(-29, -1)


def test_a_baseline_with_holes_says_in_how_many_minutes_it_has_data() -> None:
    """Islands of data are less than the length of the window makes believe."""
    cells = observed(minutes(-48, -45), minutes(-3, 10))
    chosen = baseline(minutes(0, 10), cells, episodes(minutes(0, 10)))

    assert chosen.window == minutes(-47, -1)
    assert chosen.reason == "the quiet time before the window, with data in 4 of 46 minutes"


def test_a_window_asked_for_leaves_no_minute_free_that_holds_most_of_the_data() -> None:
    """Whoever says when it began means that it was quiet until then: on either side."""
    third = MINUTE_NS // 20
    asked = Window(minutes(6, 9).start_ns + third, minutes(6, 9).end_ns + third)
    before = observed(minutes(-9, -2), minutes(5, 9))
    after = observed(minutes(6, 10), minutes(20, 30))
    spike = episodes(minutes(-10, 0))

    assert baseline(asked, before, spike).window == Window(
        minutes(1, 5).start_ns, minutes(1, 5).end_ns + third
    )
    chosen = baseline(asked, before, spike, is_asked_for=True)
    assert chosen.window == Window(minutes(1, 6).start_ns, asked.start_ns)
    asked, spikes = minutes(6, 9), episodes(minutes(5, 9), minutes(20, 30))
    assert baseline(asked, after, spikes).window is None
    assert baseline(asked, after, spikes, is_asked_for=True).window == minutes(9, 19)


def test_a_window_asked_for_leaves_a_minute_free_where_there_are_others() -> None:
    """Faults begin before somebody looks at a clock."""
    cells, none = observed(minutes(-30, 10)), episodes()

    assert baseline(minutes(0, 10), cells, none, is_asked_for=True).window == minutes(-29, -1)


def test_an_earlier_spike_is_not_part_of_the_quiet_time() -> None:
    """The stretch nearest to the window that is long enough is taken, not the longest."""
    spikes = episodes(minutes(-20, -15), minutes(0, 5))
    chosen = baseline(minutes(0, 5), observed(minutes(-120, 30)), spikes)

    assert chosen.window == minutes(-14, -1)


def test_a_spike_that_began_before_the_window_is_left_out() -> None:
    """Somebody who looks at the end of an incident compares with the time before all of it."""
    chosen = baseline(minutes(5, 10), observed(minutes(-30, 30)), episodes(minutes(0, 10)))

    assert chosen.window == minutes(-29, -1)


def test_quiet_time_after_the_window_when_the_export_begins_with_the_incident() -> None:
    """Better a later baseline than none; the reason says so."""
    chosen = baseline(minutes(0, 10), observed(minutes(0, 40)), episodes(minutes(0, 10)))

    assert chosen.window == minutes(11, 39)
    assert "after the window" in chosen.reason


def test_no_time_outside_the_window_means_no_baseline() -> None:
    """There is nothing to compare with, and the reason says so."""
    chosen = baseline(minutes(0, 10), observed(minutes(0, 10)), episodes(minutes(0, 10)))

    assert chosen.window is None
    assert "nothing to compare with" in chosen.reason


def test_no_calls_at_all_means_no_baseline() -> None:
    """An empty database is not an error here."""
    assert baseline(minutes(0, 10), observed(), episodes()).window is None


def test_spikes_count_from_one() -> None:
    """`--spike 2` is the second row of the spikes."""
    spikes = episodes(minutes(5, 6), minutes(1, 2))

    assert spike_window(spikes, 2) == minutes(1, 2)
    assert spike_window(spikes, 3) is None
    assert spike_window(spikes, 0) is None


@given(
    st.integers(-50, 50),
    st.integers(1, 30),
    st.lists(st.tuples(st.integers(-60, 60), st.integers(1, 20)), max_size=6),
)
def test_a_baseline_never_touches_the_window_or_a_spike(
    start: int, length: int, busy: list[tuple[int, int]]
) -> None:
    """Whatever is chosen is quiet and apart from what is looked at."""
    window = minutes(start, start + length)
    spikes = [minutes(first, first + lasting) for first, lasting in busy]
    chosen = baseline(window, observed(minutes(-80, 80)), episodes(*spikes)).window

    if chosen is not None:
        assert chosen.duration_ns > 0
        for other in (window, *spikes):
            assert chosen.end_ns <= other.start_ns or other.end_ns <= chosen.start_ns
