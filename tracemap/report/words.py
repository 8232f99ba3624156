"""Numbers and times as people read them. The script of the page follows the same rules."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from tracemap.model import SECOND_NS, Window, iso

UNKNOWN_TEXT = "\u2013"
"""A dash, for what is not known."""
_PLACES_BELOW = ((100.0, 0), (10.0, 1), (1.0, 2))
_SPOKEN_BELOW = ((10.0, 0), (1.0, 1))
_MOST_PLACES = 3
_BYTES = ("B", "kB", "MB", "GB", "TB")
_KILO = 1000.0
_ONE_PERCENT = 0.01


def milliseconds(duration_ns: float | None) -> float | None:
    """Return nanoseconds as milliseconds; None stays None."""
    return None if duration_ns is None else duration_ns / 1e6


def fixed(value: float, places: int) -> str:
    """Return `value` with `places` decimals and thousands separated; ties go away from zero.

    Example:
        >>> fixed(1234.5, 0)
        '1,235'
    """
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{abs(rounded) if rounded == 0 else rounded:,}"


def significant(value: float) -> str:
    """Return `value` with about three digits that matter: 0.125, 1.25, 12.5, 125, 1,250."""
    return "0" if value == 0 else fixed(value, _places(value, _PLACES_BELOW, 3))


def in_ms(duration_ns: float) -> str:
    """Return a duration as text in milliseconds, or in seconds from ten seconds on."""
    value, unit = duration_ns / 1e6, "ms"
    if abs(value) >= 10 * _KILO:
        value, unit = value / _KILO, "s"
    places = _places(value, _SPOKEN_BELOW, 2)
    return f"{'0' if value == 0 else fixed(value, places)} {unit}"


def _places(value: float, limits: tuple[tuple[float, int], ...], most: int) -> int:
    """Return how many decimals a value of this size is given."""
    return next((places for limit, places in limits if abs(value) >= limit), most)


def from_to(before_ns: float, after_ns: float) -> str:
    """Return two durations with an arrow between; the unit once only where both have the same.

    Example:
        >>> from_to(602e6, 2_001e6), from_to(842e6, 33e9)
        ('602 → 2,001 ms', '842 ms → 33 s')
    """
    return arrow(in_ms(before_ns), in_ms(after_ns))


def arrow(before: str, after: str) -> str:
    """Return two durations as texts with an arrow between; the unit once where both share it."""
    number, unit = before.split()
    return f"{number if unit == after.split()[1] else before} → {after}"


class Moved(NamedTuple):
    """Two durations and how far they are apart, as texts whose digits add up."""

    before: str
    after: str
    change: str


def moved(before_ns: float, after_ns: float) -> Moved:
    """Return two durations and the time between them, with as few digits as add up.

    Example:
        >>> moved(26.6e6, 42.4e6).change, moved(27e6, 42e6).change
        ('15.8 ms', '15 ms')
    """
    durations = (before_ns, after_ns, abs(after_ns - before_ns))
    if len({in_ms(each).split()[1] for each in durations}) > 1 or max(durations) >= 10 * SECOND_NS:
        return Moved(*map(in_ms, durations))
    values = [Decimal(each) / 1_000_000 for each in durations]
    least = min(_places(each / 1e6, _SPOKEN_BELOW, 2) for each in durations)
    for places in (*range(least, _MOST_PLACES + 1), least):
        one = Decimal(1).scaleb(-places)
        rounded = [each.quantize(one, rounding=ROUND_HALF_UP) for each in values]
        before, after, change = rounded
        if abs(after - before) == change:
            break
    return Moved(*(f"{each:,} ms" if each else "0 ms" for each in rounded))


def signed_ms(value_ms: float) -> str:
    """Return a change in milliseconds as text, with its sign."""
    return f"{'+' if value_ms > 0 else ''}{in_ms(value_ms * 1e6)}"


def interval(low: float | None, high: float | None, between: str = " to ") -> str | None:
    """Return an interval as text; None where it is unknown, as it is of a single trace."""
    if low is None or high is None or low == high:
        return None
    return f"{significant(low)}{between}{significant(high)}"


def bounds(low: float | None, high: float | None) -> str | None:
    """Return an interval as text, also one of which only one end is known; None: neither is."""
    if low is None or high is None:
        known = [(word, end) for word, end in (("at least", low), ("up to", high)) if end]
        return f"{known[0][0]} {significant(known[0][1])}" if known else None
    return interval(low, high)


def percent(share: float) -> str:
    """Return a share (0-1) as text in percent; below one percent it says so."""
    if 0 < share < _ONE_PERCENT:
        return "< 1 %"
    return f"{fixed(100 * share, 0)} %"


def shares(low: float, high: float) -> str:
    """Return an interval of shares (0-1) in percent, with a decimal where both ends look alike.

    Example:
        >>> shares(0.38, 0.41), shares(0.025, 0.031), shares(0.002, 0.003)
        ('38 % to 41 %', '2.5 % to 3.1 %', '0.2 % to 0.3 %')
    """
    ends = fixed(100 * low, 0), fixed(100 * high, 0)
    if ends[0] == ends[1] or low < _ONE_PERCENT or high - low < _ONE_PERCENT:
        ends = fixed(100 * low, 1), fixed(100 * high, 1)
    return f"{ends[0]} % to {ends[1]} %"


def size(size_bytes: float) -> str:
    """Return a size in bytes with a decimal unit."""
    unit = 0
    while size_bytes >= _KILO and unit < len(_BYTES) - 1:
        size_bytes, unit = size_bytes / _KILO, unit + 1
    return f"{size_bytes:.0f} B" if unit == 0 else f"{significant(size_bytes)} {_BYTES[unit]}"


def clock(time: str) -> str:
    """Return an ISO-8601 time in UTC as tables show it: a space for the T, no zone."""
    return time.replace("T", " ").removesuffix("Z")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    Example:
        >>> counted(1, "edge"), counted(1200, "edge")
        ('1 edge', '1,200 edges')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(items: list[str]) -> str:
    """Return items as a phrase: 'a', 'a and b', 'a, b and c'."""
    if len(items) < 2:  # noqa: PLR2004
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def span_of(window: Window | None) -> str:
    """Return a window as words, to whole seconds in UTC; the day once where it is the same."""
    if window is None:
        return "none"
    whole = (window.start_ns // SECOND_NS, -(-window.end_ns // SECOND_NS))
    start, end = (clock(iso(seconds * SECOND_NS)) for seconds in whole)
    if start.endswith(":00") and end.endswith(":00"):
        start, end = start[:-3], end[:-3]
    if start[:10] == end[:10]:
        return f"{start[:10]} {start[11:]} to {end[11:]} UTC"
    return f"{start} to {end} UTC"


def lasting(duration_ns: int) -> str:
    """Return how long a stretch of time is, in the largest unit that it fills twice.

    Example:
        >>> lasting(3_600 * SECOND_NS), lasting(400 * 10**6), lasting(56 * 86_400 * SECOND_NS)
        ('60 minutes', 'less than a second', '56 days')
    """
    seconds = duration_ns // SECOND_NS
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return counted(round(seconds / length), unit)
    return counted(seconds, "second") if seconds else "less than a second"


def cell_text(value: object, kind: str) -> str:  # noqa: PLR0911
    """Return one table cell as text by its column's kind (`blocks.Column`)."""
    if value is None or value in ("", ()):
        return UNKNOWN_TEXT
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, str):
        return clock(value) if kind == "time" else value
    if not isinstance(value, int | float):
        return str(value)
    if kind == "count":
        return fixed(value, 0)
    if kind == "share":
        return percent(value)
    if kind == "bytes":
        return size(value)
    return significant(value)
