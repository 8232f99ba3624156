"""What happened to the calls of a bucket: attempts, timeouts, loops, and their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Codes, Ints, Rows
from tracemap.derive.derived import Derived
from tracemap.derive.events import NOT_SHOWN, Events, Pattern, events
from tracemap.derive.grouping import numbered
from tracemap.derive.marks import Mark
from tracemap.derive.resends import Resends, resends
from tracemap.derive.siblings import MANY_ATTEMPTS, Made, Siblings, siblings
from tracemap.model import histogram

MANY_CALLS = 5
"""From this many calls of one operation in one request on it is a loop or a fan-out."""
MOST_CALLS = 1_000
"""Larger numbers of calls are counted as this."""
FAST_NS = 5_000_000
"""What fails without a server span within this time was not tried (docs/methods.md)."""
WENT_ON_NS, WENT_ON_DIVISOR = 1_000_000, 100
"""A server went on without its client if it took longer by more than 1 ms and 1 %."""

FAILED, FOLLOWED, RESENT = 16, 32, 64
"""Bits of the part of an attempt, above its number."""
A_CALL_FAILED, THE_LAST_FAILED, DOWNSTREAM_FAILED = 1, 2, 4
"""Bits of the part of a request; of what came next: 2, it failed; 4."""
WON, BY_SERVERS = 1, 2
"""Bits of the part of a hedge: the second call won; seen by its server spans only."""

SITE = ("downstream", "downstream_operation", "upstream", "upstream_operation")
"""What makes an edge between operations."""
_TARGET = ("service", "operation", "peer")


@dataclass(frozen=True)
class _Found:
    """What is known of the calls of a bucket.

    Attributes:
        derived: What the other steps found.
        failed: One item a span: it failed, not by a redirect or a request for credentials.
        went_on: One item a span: ns its server went on after it; 0: not, or not known.
        hit: One item a span: it reached a server span.
        service: One item a span: it calls a service, not a database or something outside.
        instance: One item a span: number of the instance that answered it; 0: not known.
        siblings: The calls in order.
        resends: Those with several servers.
    """

    derived: Derived
    failed: Bools
    went_on: Ints
    hit: Bools
    service: Bools
    instance: Codes
    siblings: Siblings
    resends: Resends

    @property
    def call_failed(self) -> Bools:
        """Which of the siblings failed; calls abandoned because a hedge answered first did not."""
        failed: Bools = self.failed[self.siblings.row] & ~self.siblings.left
        return failed

    @property
    def entry_failed(self) -> Bools:
        """Whether the operation that makes each sibling failed."""
        spans, roles = self.derived.spans, self.derived.roles
        failed: Bools = spans.failed[roles.entry_above[self.siblings.row]]
        return failed


def call_events(derived: Derived) -> tuple[list[Events], pl.DataFrame]:
    """Return what happened to calls between services, and the edges that their sites number.

    Messages are left out, and so are calls made by a root client span, which no entry contains. The
    second frame has columns `SITE` as text codes.
    """
    calls, words = derived.calls, derived.spans.vocabulary.words
    kinds = [words[name] for name in ("rpc", "database", "external")]
    wanted = np.flatnonzero((calls.client >= 0) & np.isin(calls.connection_type, kinds))
    site, sites = numbered({name: getattr(calls, name)[wanted] for name in SITE})
    found = _found(derived, wanted, site, sites.height)
    return [
        *_attempts(found),
        _requests(found),
        *_many(found),
        *_next(found),
        _timeouts(found),
        _fast_failures(found),
        *_hedges(found),
        _instances(found),
    ], sites


def _found(derived: Derived, wanted: Rows, site: Codes, sites: int) -> _Found:
    spans, roles, calls = derived.spans, derived.roles, derived.calls
    client, server = calls.client[wanted], calls.server[wanted]
    outside = roles.entry_above[client] != client
    target, _ = numbered({name: getattr(spans, name)[client] for name in _TARGET})
    size = len(spans)
    hit = np.zeros(size, dtype=np.bool_)
    hit[client] = server >= 0
    service = np.zeros(size, dtype=np.bool_)
    service[client] = calls.upstream_kind[wanted] == spans.vocabulary.words["service"]
    instance = np.zeros(size, dtype=np.int32)
    instance[client[server >= 0]] = spans.instance[server[server >= 0]]
    several = resends(spans, calls, roles.client)
    instance[several.client] = 0
    longest = np.full(size, -1, dtype=np.int64)
    longest[client[server >= 0]] = spans.duration[server[server >= 0]]
    longest[several.client] = several.longest_ns
    went_on = np.where(longest >= 0, longest - np.maximum(spans.duration, 0), 0)
    limit = np.maximum(WENT_ON_NS, spans.duration // WENT_ON_DIVISOR)
    made = Made(
        site=_scattered(size, client[outside], site[outside]),
        target=_scattered(size, client, target),
        served=hit,
        failed=spans.failed & ((spans.marks & Mark.CHALLENGED) == 0),
        start=spans.start,
        duration=spans.duration,
        entry=roles.entry_above,
    )
    return _Found(
        derived=derived,
        failed=made.failed,
        went_on=np.where(went_on > limit, went_on, 0),
        hit=hit,
        service=service,
        instance=instance,
        siblings=siblings(spans, made, sites),
        resends=several,
    )


def _scattered(size: int, rows: Rows, values: Codes) -> Codes:
    """Return an array with `values` at `rows`, -1 elsewhere."""
    array = np.full(size, -1, dtype=np.int32)
    array[rows] = values
    return array


def _attempts(found: _Found) -> list[Events]:
    """Return one event per call; for calls with several servers in a row, one per server."""
    calls, several = found.siblings, found.resends
    in_a_row = np.isin(calls.row, several.client[several.in_a_row])
    duration = found.derived.spans.duration
    one = np.flatnonzero(~in_a_row & ~calls.is_hedge)
    again = calls.attempt[one] > 1
    resent = (found.derived.spans.marks[calls.row[one]] & Mark.RESENT) != 0
    took, pause = duration[calls.row[one]], np.where(again, calls.pause[one], 0)
    singles = events(
        Pattern.ATTEMPT,
        calls.row[one],
        calls.site[one],
        part=calls.attempt[one]
        + FAILED * found.call_failed[one]
        + FOLLOWED * calls.is_followed[one]
        + RESENT * resent,
        time_ns=took,
        extra_ns=pause,
        delay_ns=pause,
        other_row=np.where(again, calls.row[calls.before[one]], -1),
        size_ns=np.where(again, took + pause, NOT_SHOWN),
    )
    return [singles, _attempts_by_servers(found, np.flatnonzero(in_a_row))]


def _attempts_by_servers(found: _Found, at: Rows) -> Events:
    several, row = found.resends, found.siblings.row[at]
    of = np.searchsorted(several.client, row)
    servers = several.servers[of]
    each = np.repeat(np.arange(at.size), servers)
    number = np.arange(each.size) - np.repeat(np.cumsum(servers) - servers, servers) + 1
    is_last = number == servers[each]
    failed = ~is_last | (several.failed[of] == servers)[each]
    took = (several.server_ns[of] // np.maximum(servers, 1))[each]
    return events(
        Pattern.ATTEMPT,
        row[each],
        found.siblings.site[at][each],
        part=np.minimum(number, MANY_ATTEMPTS) + FAILED * failed + FOLLOWED * ~is_last,
        time_ns=took,
        size_ns=np.where(is_last, found.derived.spans.duration[row[each]], NOT_SHOWN),
    )


def _requests(found: _Found) -> Events:
    calls, several = found.siblings, found.resends
    spans = found.derived.spans
    bits = calls.series_bits.astype(np.int32)
    again = np.isin(calls.row, several.client[several.in_a_row & (several.failed > 0)])
    bits[calls.series[again]] |= A_CALL_FAILED
    first = calls.series_first
    part = (bits & (A_CALL_FAILED | THE_LAST_FAILED)) + (
        DOWNSTREAM_FAILED * found.entry_failed[first]
    )
    took = np.maximum(calls.series_end - spans.start[calls.row[first]], 0)
    survived = (part == A_CALL_FAILED) | (part == A_CALL_FAILED + THE_LAST_FAILED)
    return events(
        Pattern.REQUEST,
        calls.row[first],
        calls.series_site,
        part=part,
        time_ns=took,
        size_ns=np.where(survived, took, NOT_SHOWN),
    )


def _many(found: _Found) -> list[Events]:
    """Return series of many calls; further attempts are not among them."""
    calls = found.siblings
    first_attempt = (calls.attempt == 1) & ~calls.is_hedge
    times = np.bincount(calls.series[first_attempt], minlength=calls.series_calls.size)
    overlap = (calls.series_bits & 4) != 0
    made = []
    for pattern, chosen in ((Pattern.IN_A_ROW, ~overlap), (Pattern.AT_ONCE, overlap)):
        of = np.flatnonzero(chosen & (times >= MANY_CALLS))
        took, longest = calls.series_ns[of], calls.series_longest_ns[of]
        made.append(
            events(
                pattern,
                calls.row[calls.series_first[of]],
                calls.series_site[of],
                part=np.minimum(times[of], MOST_CALLS).astype(np.int32),
                time_ns=took,
                extra_ns=took - longest if pattern is Pattern.IN_A_ROW else longest,
                size_ns=took,
            )
        )
    return made


def _next(found: _Found) -> list[Events]:
    calls, spans = found.siblings, found.derived.spans
    later = np.flatnonzero((calls.previous >= 0) & ~calls.left)
    later = later[~calls.left[calls.previous[later]]]
    before = calls.previous[later]
    row, row_before = calls.row[later], calls.row[before]
    gap = spans.start[row] - spans.start[row_before] - spans.duration[row_before]
    part = 2 * found.call_failed[later] + DOWNSTREAM_FAILED * found.entry_failed[later]
    shorter = np.minimum(spans.duration[row], spans.duration[row_before])
    made = []
    failed = found.call_failed[before]
    for pattern, chosen in ((Pattern.NEXT, ~failed), (Pattern.AFTER_FAILURE, failed)):
        of = np.flatnonzero(chosen)
        made.append(
            events(
                pattern,
                row_before[of],
                calls.site[before[of]],
                part=part[of].astype(np.int32),
                other=calls.site[later[of]],
                time_ns=shorter[of],
                extra_ns=np.maximum(gap[of], 0),
                other_row=row[of],
                size_ns=shorter[of],
            )
        )
    return made


def _timeouts(found: _Found) -> Events:
    calls, spans = found.siblings, found.derived.spans
    mark = spans.marks[calls.row]
    over = (mark & Mark.TIMED_OUT) != 0
    left = (found.went_on[calls.row] > 0) & ((mark & Mark.CANCELLED) == 0)
    of = np.flatnonzero(found.call_failed & (over | left))
    row = calls.row[of]
    took = spans.duration[row]
    bucket = pl.DataFrame({"ns": took}).select(histogram.bucket(pl.col("ns"))).to_series()
    return events(
        Pattern.TIMEOUT,
        row,
        calls.site[of],
        part=bucket.to_numpy().astype(np.int32),
        time_ns=took,
        extra_ns=found.went_on[row],
        size_ns=found.went_on[row],
    )


def _fast_failures(found: _Found) -> Events:
    calls, spans = found.siblings, found.derived.spans
    row = calls.row
    mark = spans.marks[row]
    refused = (mark & Mark.REFUSED) != 0
    tried = (mark & (Mark.TIMED_OUT | Mark.CANCELLED)) != 0
    fast = found.call_failed & ~found.hit[row] & (spans.duration[row] < FAST_NS) & ~tried
    of = np.flatnonzero(fast & (refused | found.service[row]))
    took = spans.duration[row[of]]
    return events(
        Pattern.FAST_FAILURE,
        row[of],
        calls.site[of],
        part=refused[of].astype(np.int32),
        time_ns=took,
        size_ns=took,
    )


def _hedges(found: _Found) -> list[Events]:
    calls, several = found.siblings, found.resends
    of = np.flatnonzero(calls.is_hedge)
    first, second = calls.row[calls.before[of]], calls.row[of]
    delay = calls.pause[of]
    loser = np.where(calls.won[of], first, second)
    by_clients = events(
        Pattern.HEDGE,
        second,
        calls.site[of],
        part=(WON * calls.won[of]).astype(np.int32),
        time_ns=delay,
        extra_ns=np.where(calls.won[of], found.went_on[loser], 0),
        delay_ns=delay,
        other_row=first,
        size_ns=found.went_on[loser],
    )
    at = np.flatnonzero(np.isin(calls.row, several.client[several.side_by_side]))
    row = calls.row[at]
    by_servers = events(
        Pattern.HEDGE,
        row,
        calls.site[at],
        part=np.int32(BY_SERVERS),
        extra_ns=found.went_on[row],
        size_ns=found.went_on[row],
    )
    return [by_clients, by_servers]


def _instances(found: _Found) -> Events:
    calls, spans = found.siblings, found.derived.spans
    of = np.flatnonzero(found.instance[calls.row] > 0)
    row, failed = calls.row[of], found.call_failed[of]
    return events(
        Pattern.INSTANCE,
        row,
        calls.site[of],
        part=2 * found.instance[row] + failed,
        time_ns=spans.duration[row],
        size_ns=np.where(failed, spans.duration[row], NOT_SHOWN),
    )
