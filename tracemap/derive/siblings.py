"""The calls of each operation in their order, in which retries, hedges and loops are found.

The calls that one entry makes were recorded by one process, so their times compare on one clock.
Calls to the same upstream operation in one entry are a *series*. In it a call that starts when the
one before it has failed and ended is a further *attempt*. A call that failed without reaching a
server span belongs to the series of the calls that its client names alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tracemap.derive.arrays import Bools, Bytes, Codes, Ints, Rows, kernel
from tracemap.derive.spans import Spans
from tracemap.derive.tree import children

TOLERANCE_NS = 1_000_000
"""A call may start by this much before another ends and still come after it (times are rounded),
but by no more than half of the shorter one."""
LONGEST_PAUSE_NS = 10_000_000_000
"""What starts longer after a call than this has nothing to do with it."""
MANY_ATTEMPTS = 8
"""Further attempts are counted with this one."""

_FOLLOWED = 1  # bits of `Siblings.bits`: another call of the series came after it
_HEDGE, _HEDGE_WON, _LEFT = 2, 4, 8  # the second beside a slow one; it won; the one that was left


@dataclass(frozen=True)
class Siblings:
    """Calls with a known duration, by entry and start; then series.

    Attributes:
        row: Row of the client span of each call.
        site: Number of the edge between operations; of the series it belongs to.
        attempt: 1 for a first attempt; at most `MANY_ATTEMPTS`.
        before: Place of the call of the same series before it; -1: none.
        pause: ns between the end of that and its start (only where `attempt` is above 1, or as a
            hedge: between both starts).
        previous: Place of the call of another series that was the last to end before it started,
            with nothing else running; -1: none.
        bits: `_FOLLOWED` and the others.
        series: Number of its series.
        series_site, series_first, series_calls, series_ns, series_longest_ns, series_end: Per
            series: its edge, the place of its first call, how many calls it has, the sum of their
            durations, the longest, and the latest end.
        series_bits: 1: a call failed; 2: the last one to end failed; 4: calls overlap.
    """

    row: Rows
    site: Codes
    attempt: Bytes
    before: Rows
    pause: Ints
    previous: Rows
    bits: Bytes
    series: Rows
    series_site: Codes
    series_first: Rows
    series_calls: Rows
    series_ns: Ints
    series_longest_ns: Ints
    series_end: Ints
    series_bits: Bytes

    @property
    def is_followed(self) -> Bools:
        """Whether another call of the series came after each call."""
        return np.asarray((self.bits & _FOLLOWED) != 0)

    @property
    def is_hedge(self) -> Bools:
        """Whether each call was made beside a slow one, of which one was left."""
        return np.asarray((self.bits & _HEDGE) != 0)

    @property
    def won(self) -> Bools:
        """Whether such a call's answer came first."""
        return np.asarray((self.bits & _HEDGE_WON) != 0)

    @property
    def left(self) -> Bools:
        """Whether each call was given up because the other one of a hedge had answered."""
        return np.asarray((self.bits & _LEFT) != 0)


class Made(NamedTuple):
    """Calls by span row; rows that are no call have `site` -1.

    Attributes:
        site: Number of the edge between operations.
        target: Number of what the client span itself says it calls.
        served: Whether a server span answered.
        failed: Whether the client span failed, and not by a redirect or a request for credentials.
        start: ns.
        duration: ns.
        entry: Row of the entry that makes it.
    """

    site: Codes
    target: Codes
    served: Bools
    failed: Bools
    start: Ints
    duration: Ints
    entry: Rows


def siblings(spans: Spans, made: Made, sites: int) -> Siblings:
    """Return the calls of all entries in their order. Calls of unknown duration are left out."""
    above = np.where((made.site >= 0) & (spans.duration >= 0), made.entry, -1).astype(np.int32)
    first, listed = children(above)
    size = int(made.target.max(initial=-1)) + 1
    return Siblings(*_walked(first, listed, made, sites, size))


class _Calls(NamedTuple):
    """Arrays of `Siblings`, one item a call, being filled."""

    row: Rows
    site: Codes
    attempt: Bytes
    before: Rows
    pause: Ints
    previous: Rows
    bits: Bytes
    series: Rows


class _Series(NamedTuple):
    """Arrays of `Siblings`, one item a series, being filled."""

    site: Codes
    first: Rows
    calls: Rows
    ns: Ints
    longest: Ints
    end: Ints
    bits: Bytes


@kernel
def _walked(  # type: ignore[no-untyped-def]  # noqa: ANN202
    first: Rows, listed: Rows, made: Made, sites: int, targets: int
):
    total = listed.size
    calls = _Calls(
        listed,
        np.empty(total, dtype=np.int32),
        np.ones(total, dtype=np.uint8),
        np.full(total, -1, dtype=np.int32),
        np.zeros(total, dtype=np.int64),
        np.full(total, -1, dtype=np.int32),
        np.zeros(total, dtype=np.uint8),
        np.full(total, -1, dtype=np.int32),
    )
    series = _Series(
        np.empty(total, dtype=np.int32),
        np.empty(total, dtype=np.int32),
        np.zeros(total, dtype=np.int32),
        np.zeros(total, dtype=np.int64),
        np.zeros(total, dtype=np.int64),
        np.zeros(total, dtype=np.int64),
        np.zeros(total, dtype=np.uint8),
    )
    last = np.full(sites, -1, dtype=np.int32)  # place of the last call of a site
    known = np.full(targets, -1, dtype=np.int32)  # place of the last served call of a target
    count = 0
    for entry in range(first.size - 1):
        begin, end = first[entry], first[entry + 1]
        if begin == end:
            continue
        _resolve(begin, end, made, calls, known)
        _follow(begin, end, made, calls, last)
        _precede(begin, end, made, calls)
        count = _gather(begin, end, made, calls, series, count)
    return (
        calls.row, calls.site, calls.attempt, calls.before, calls.pause, calls.previous,
        calls.bits, calls.series,
        series.site[:count].copy(), series.first[:count].copy(), series.calls[:count].copy(),
        series.ns[:count].copy(), series.longest[:count].copy(), series.end[:count].copy(),
        series.bits[:count].copy(),
    )  # fmt: skip


@kernel
def _resolve(begin: int, end: int, made: Made, calls: _Calls, known: Rows) -> None:
    """Give calls without server span the site of a call that its client names alike."""
    for at in range(begin, end):
        row = calls.row[at]
        calls.site[at] = made.site[row]
        if made.served[row]:
            known[made.target[row]] = at
    for at in range(begin, end):
        row = calls.row[at]
        other = known[made.target[row]]
        if not made.served[row] and begin <= other < end:
            calls.site[at] = made.site[calls.row[other]]


@kernel
def _tolerance(one_ns: int, other_ns: int) -> int:
    return min(TOLERANCE_NS, min(one_ns, other_ns) // 2)


@kernel
def _follow(begin: int, end: int, made: Made, calls: _Calls, last: Rows) -> None:
    """Find which call of a series came after which: attempts, hedges, loops."""
    for at in range(begin, end):
        row, site = calls.row[at], calls.site[at]
        other = last[site]
        last[site] = at
        if not begin <= other < at:
            continue
        before = calls.row[other]
        calls.before[at] = other
        gap = made.start[row] - made.start[before] - made.duration[before]
        if gap < -_tolerance(made.duration[row], made.duration[before]):
            _hedge(at, other, made, calls)
        elif gap <= LONGEST_PAUSE_NS:
            calls.bits[other] |= 1
            if made.failed[before] and (calls.bits[other] & 8) == 0:
                calls.attempt[at] = min(calls.attempt[other] + 1, MANY_ATTEMPTS)
                calls.pause[at] = max(gap, 0)


@kernel
def _hedge(at: int, other: int, made: Made, calls: _Calls) -> None:
    """Mark two calls side by side of which one was left when the other had answered."""
    row, before = calls.row[at], calls.row[other]
    delay = made.start[row] - made.start[before]
    ends_apart = delay + made.duration[row] - made.duration[before]
    if delay <= TOLERANCE_NS or abs(ends_apart) > TOLERANCE_NS:
        return
    if made.failed[row] == made.failed[before]:
        return
    calls.bits[at] |= 2
    calls.pause[at] = delay
    if made.failed[before]:
        calls.bits[at] |= 4
        calls.bits[other] |= 8
    else:
        calls.bits[at] |= 8


@kernel
def _precede(begin: int, end: int, made: Made, calls: _Calls) -> None:
    """Find for each call the one of another series that had to end before it began."""
    latest, latest_end = -1, np.int64(0)
    for at in range(begin, end):
        row = calls.row[at]
        if latest >= 0:
            before = calls.row[latest]
            gap = made.start[row] - latest_end
            after = gap >= -_tolerance(made.duration[row], made.duration[before])
            if after and gap <= LONGEST_PAUSE_NS and calls.site[latest] != calls.site[at]:
                calls.previous[at] = latest
        ends = made.start[row] + made.duration[row]
        if latest < 0 or ends >= latest_end:
            latest, latest_end = at, ends


@kernel
def _gather(  # noqa: PLR0917
    begin: int, end: int, made: Made, calls: _Calls, series: _Series, count: int
) -> int:
    """Add the calls of one entry up by series; return how many series there are now."""
    for at in range(begin, end):
        row, before = calls.row[at], calls.before[at]
        number = calls.series[before] if before >= 0 else count
        if before < 0:
            series.site[number], series.first[number] = calls.site[at], at
            count += 1
        calls.series[at] = number
        series.calls[number] += 1
        series.ns[number] += made.duration[row]
        series.longest[number] = max(series.longest[number], made.duration[row])
        if before >= 0 and calls.attempt[at] == 1:
            previous = calls.row[before]
            gap = made.start[row] - made.start[previous] - made.duration[previous]
            if gap < -_tolerance(made.duration[row], made.duration[previous]):
                series.bits[number] |= 4
        ends = made.start[row] + made.duration[row]
        if calls.bits[at] & 8:
            continue
        failed = made.failed[row]
        if failed:
            series.bits[number] |= 1
        if ends >= series.end[number]:
            series.end[number] = ends
            series.bits[number] = (series.bits[number] & 5) | (2 if failed else 0)
    return count
