from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemap.model import Window, from_iso, iso

FIRST_NS, LAST_NS = from_iso("1700-01-01"), from_iso("2261-12-31T23:59:59.999999999Z")


@given(st.integers(FIRST_NS, LAST_NS))
def test_every_time_is_read_back_as_it_was_written(time_ns: int) -> None:
    """To the nanosecond, over all the years that can be read."""
    assert from_iso(iso(time_ns)) == time_ns


def test_all_times_that_can_be_read_fit_64_bits_with_weeks_to_spare() -> None:
    """A baseline some weeks before the first of them is still a time."""
    weeks_ns = 10 * 7 * 86_400 * 10**9

    assert FIRST_NS - weeks_ns > -(2**63)
    assert LAST_NS + weeks_ns < 2**63


@pytest.mark.parametrize("text", ["0001-01-01", "1699-12-31", "2262-01-01", "9999-12-31T23:59"])
def test_years_that_do_not_fit_are_refused(text: str) -> None:
    """They would overflow where nobody can tell why."""
    with pytest.raises(ValueError, match="not of the years"):
        from_iso(text)


@pytest.mark.parametrize(
    "text", ["", "today", "2026-13-01", "2026-01-01T25:00", "2026-01-01+99:99"]
)
def test_text_that_is_no_time_is_refused(text: str) -> None:
    """Never a guess."""
    with pytest.raises(ValueError, match=r"."):
        from_iso(text)


def test_a_window_is_shown_to_people_in_whole_seconds() -> None:
    """Nine decimals tell nobody anything; what is asked for with these times misses nothing."""
    window = Window(from_iso("2026-03-03T09:00:00.041747"), from_iso("2026-03-03T09:59:59.8"))

    assert str(window) == "2026-03-03T09:00:00Z .. 2026-03-03T10:00:00Z"
