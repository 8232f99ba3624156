"""Default weeks: the last seven days are compared with the four weeks before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracemap.analyze.baseline import WEEK_NS, Baseline
from tracemap.model import HOUR_NS, Window

if TYPE_CHECKING:
    import polars as pl

BASELINE_WEEKS = 4
TREND_WEEKS = 8
_NUMBERS = ("no", "one", "two", "three", "four")


def last_week(covered: Window) -> Window:
    """Return the seven days up to the end of what is covered, to the next full hour.

    The data decides, not the clock: the same database gives the same report next year.
    """
    end_ns = -(-covered.end_ns // HOUR_NS) * HOUR_NS
    return Window(end_ns - WEEK_NS, end_ns)


def weeks_before(window: Window, covered: Window, minutes: pl.Series) -> Baseline:
    """Return what a long window is compared with: as many whole weeks before it, at most four.

    Whole weeks, so that both sides have the same weekdays and hours. Weeks without any call do not
    count at the far end; within, they are named. With less than a week before, all there is.

    Args:
        window: What is looked at; may be shorter or longer than a week.
        covered: What the database covers.
        minutes: Starts of the minutes in which calls were observed, ns since the epoch, sorted.
    """
    earliest_ns = max(
        covered.start_ns // HOUR_NS * HOUR_NS, window.start_ns - BASELINE_WEEKS * WEEK_NS
    )
    if covered.start_ns >= window.start_ns:
        return Baseline(None, "there is nothing to compare with: nothing before was recorded")
    whole = (window.start_ns - earliest_ns) // WEEK_NS
    if whole == 0:
        days = (window.start_ns - earliest_ns) / (24 * HOUR_NS)
        reason = f"the {days:.1f} days before: less than a week, so weekdays differ"
        return _seen(Window(earliest_ns, window.start_ns), minutes, reason)
    found = Window(window.start_ns - whole * WEEK_NS, window.start_ns)
    silent = sum(
        not _any(
            Window(found.start_ns + week * WEEK_NS, found.start_ns + (week + 1) * WEEK_NS), minutes
        )
        for week in range(whole)
    )
    reason = f"the {_NUMBERS[whole]} weeks before" if whole > 1 else "the week before"
    if silent:
        reason += f", of which {_NUMBERS[silent]} {'has' if silent == 1 else 'have'} no calls"
    return _seen(found, minutes, reason)


def _seen(window: Window, minutes: pl.Series, reason: str) -> Baseline:
    if not _any(window, minutes):
        return Baseline(None, "there is nothing to compare with: no calls in the weeks before")
    return Baseline(window, reason)


def _any(window: Window, minutes: pl.Series) -> bool:
    return bool(((minutes >= window.start_ns) & (minutes < window.end_ns)).any())
