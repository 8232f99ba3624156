"""Requests written down as trees of services, laid out one call after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.builders import NOON_NS, Row
from tests.derive.traces import at, bucket
from tracemap import analyze, derive
from tracemap.model import SECOND_NS, Cells, Facts, Window

BASELINE = Window(NOON_NS, NOON_NS + 100 * SECOND_NS)
INCIDENT = Window(NOON_NS + 100 * SECOND_NS, NOON_NS + 200 * SECOND_NS)


@dataclass(frozen=True)
class Work:
    """One operation of a service: its own time, then its calls, one after the other.

    Attributes:
        service: Its name; the operation is called after it.
        calls: What it calls.
        own_ms: Its own time.
        gap_ms: What a call to it takes beyond it.
        kinds: Kinds of the spans of caller and callee; without a caller's there is no such span.
    """

    service: str
    calls: tuple[Work, ...] = ()
    own_ms: float = 10.0
    gap_ms: float = 2.0
    kinds: str = "CS"


def spans_of(work: Work, trace: int, start_s: float) -> list[Row]:
    """Return the spans of one request that starts `start_s` seconds after noon."""
    rows: list[Row] = []
    _lay(work, rows, (0, "user"), start_s * 1e3, trace)
    return rows


def facts_of(baseline: Sequence[Work], incident: Sequence[Work], *, stretches: int = 1000) -> Facts:
    """Return the facts of requests that come in so many stretches of `BASELINE` and `INCIDENT`."""
    rows: list[Row] = []
    for begin_s, works in ((0.0, baseline), (100.0, incident)):
        for number, work in enumerate(works):
            stretch = number * stretches // len(works)
            rows += spans_of(work, len(rows) + 1, begin_s + 99.0 * stretch / stretches)
    cells = Cells(windows=analyze.cells(BASELINE) + analyze.cells(INCIDENT))
    return derive.facts(bucket(*rows), cells)


def named(facts: Facts) -> list[tuple[str, str]]:
    """Return whom `origins` names, and for what cause."""
    rows = analyze.origins(facts, INCIDENT, BASELINE)
    return list(rows.select("service", "cause").iter_rows())


def mixed(*sorts: tuple[int, Work]) -> list[Work]:
    """Return so many requests of each sort, in turns."""
    total = sum(count for count, _ in sorts)
    turns: Iterable[tuple[float, int, Work]] = (
        ((turn + 0.5) * total / count, place, work)
        for place, (count, work) in enumerate(sorts)
        for turn in range(count)
    )
    return [work for _, _, work in sorted(turns, key=lambda turn: turn[:2])]


def _lay(work: Work, rows: list[Row], above: tuple[int, str], start: float, trace: int) -> float:
    """Add the spans of `work`, called by `above` (span and service); return its end in ms."""
    parent, caller = above
    client = len(rows) if parent and len(work.kinds) > 1 else -1
    more = {"trace": trace}
    if client >= 0:
        rows.append({})
        parent_id, begun = client + 1, start + work.gap_ms / 2
    else:
        parent_id, begun = parent, start
    server = len(rows)
    rows.append({})
    end = begun + work.own_ms
    for one in work.calls:
        end = _lay(one, rows, (server + 1, work.service), end, trace)
    served = f"{work.service}.{work.kinds[-1]}"
    rows[server] = at(served, server + 1, parent_id, (begun, end), operation=work.service, **more)
    if client < 0:
        return end
    called, left = f"{caller}.{work.kinds[0]}", end + work.gap_ms / 2
    name = f"call {work.service}"
    rows[client] = at(called, client + 1, parent, (start, left), operation=name, **more)
    return left
