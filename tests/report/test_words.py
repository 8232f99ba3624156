from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemap.model import MINUTE_NS, SECOND_NS, Window
from tracemap.report.words import (
    UNKNOWN_TEXT,
    bounds,
    cell_text,
    counted,
    fixed,
    from_to,
    in_ms,
    listed,
    moved,
    percent,
    significant,
    size,
    span_of,
)

MS = 1_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.1254, "0.125"), (1.254, "1.25"), (12.54, "12.5"), (125.4, "125"),
        (1254.4, "1,254"), (-12.54, "-12.5"), (2.5e6, "2,500,000"),
    ],
)  # fmt: skip
def test_numbers_show_about_three_digits(value: float, text: str) -> None:
    """More digits than that are noise, fewer hide a difference."""
    assert significant(value) == text


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [(0, "0 ms"), (1_400_000, "1.4 ms"), (276.4 * MS, "276 ms"), (12.5 * SECOND_NS, "13 s")],
)
def test_durations_in_sentences_are_short(duration_ns: float, text: str) -> None:
    """A sentence is read aloud; the tables have the digits."""
    assert in_ms(duration_ns) == text


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "text"),
    [(602, 2001, "602 → 2,001 ms"), (842, 33_000, "842 ms → 33 s"), (33_000, 842, "33 s → 842 ms")],
)
def test_two_durations_of_different_units_show_both(
    before_ms: float, after_ms: float, text: str
) -> None:
    """A p95 of 842 ms that rises to 33 s must not read as one that falls from 842 s."""
    assert from_to(before_ms * MS, after_ms * MS) == text


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "texts"),
    [
        (26.6, 42.4, ("26.6 ms", "42.4 ms", "15.8 ms")),
        (27, 42, ("27 ms", "42 ms", "15 ms")),
        (0, 3.65, ("0 ms", "3.7 ms", "3.7 ms")),
        (3.65, 16.47, ("3.7 ms", "16.5 ms", "12.8 ms")),
        (842, 33_000, ("842 ms", "33 s", "32 s")),
    ],
)
def test_a_change_and_its_ends_add_up_as_they_are_written(
    before_ms: float, after_ms: float, texts: tuple[str, str, str]
) -> None:
    """27 to 42 is not called 16: another digit says what it is."""
    assert moved(before_ms * MS, after_ms * MS) == texts


@given(st.integers(0, 9_000_000_000), st.integers(0, 9_000_000_000))
def test_a_change_of_less_than_seconds_is_off_by_one_last_digit_at_most(
    before_ns: int, after_ns: int
) -> None:
    """Where no number of digits adds up, what is shown is still each duration, rounded."""
    told = moved(before_ns, after_ns)
    before, after, change = (float(each.split()[0].replace(",", "")) for each in told)
    digits = len(max(told, key=len).partition(".")[2].removesuffix(" ms"))

    assert abs(abs(after - before) - change) <= 1.001 * 10**-digits


@given(st.floats(-1e12, 1e12), st.integers(0, 3))
def test_a_fixed_number_is_the_number_it_shows(value: float, places: int) -> None:
    """Rounding moves a value by at most half a unit in its last place."""
    shown = float(fixed(value, places).replace(",", ""))

    assert abs(shown - value) <= 0.5001 * 10**-places + abs(value) * 1e-15


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(0.5, 0.71, "0.500 to 0.710"), (None, 0.71, "up to 0.710"), (1.2, None, "at least 1.20"),
     (None, None, None)],
)  # fmt: skip
def test_an_interval_with_one_known_end_shows_that_end(
    low: float | None, high: float | None, text: str | None
) -> None:
    """Where too few calls lie beyond one end, the other still says how certain a change is."""
    assert bounds(low, high) == text


def test_a_tiny_share_is_not_called_zero() -> None:
    """0 % would say that there is none."""
    assert percent(0.004) == "< 1 %"
    assert percent(0.0) == "0 %"
    assert percent(0.914) == "91 %"


def test_unknown_is_a_dash_and_zero_is_zero() -> None:
    """Nobody may take 'not known' for 'none'."""
    assert cell_text(None, "ms") == UNKNOWN_TEXT
    assert cell_text(0, "ms") == "0"
    assert cell_text((), "ids") == UNKNOWN_TEXT


def test_sizes_counts_and_lists_read_as_words() -> None:
    """The small grammar of the reports."""
    assert [size(999), size(48_211_034)] == ["999 B", "48.2 MB"]
    assert counted(1, "edge") == "1 edge"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_a_window_names_its_day_once() -> None:
    """Seconds and days are said only where they tell something."""
    start = 1_772_452_800 * SECOND_NS

    assert span_of(Window(start, start + 20 * MINUTE_NS)) == "2026-03-02 12:00 to 12:20 UTC"
    assert span_of(Window(start, start + 61 * SECOND_NS)) == "2026-03-02 12:00:00 to 12:01:01 UTC"
    assert span_of(None) == "none"
