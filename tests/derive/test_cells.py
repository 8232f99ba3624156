"""Which cell of time a trace's facts go to."""

from __future__ import annotations

from tests.builders import NOON_NS
from tests.derive.traces import at, bucket
from tracemap import derive
from tracemap.model import HOUR_NS, MINUTE_NS, SECOND_NS, Cells, Window


def test_grid_has_minutes_for_latencies_and_hours_for_paths() -> None:
    """Everything of a trace goes by the start of its root."""
    spans = [at("A.S", 1, 0, (90_000, 190_000)), at("A.I", 2, 1, (130_000, 140_000))]
    facts = derive.facts(bucket(*spans), Cells())

    assert facts["edge_facts"]["window_start_ns"].to_list() == [NOON_NS + MINUTE_NS]
    assert set(facts["latency_facts"]["window_start_ns"]) == {NOON_NS + MINUTE_NS}
    assert facts["path_facts"]["window_start_ns"].to_list() == [NOON_NS]
    assert set(facts["quality_facts"]["window_start_ns"]) == {NOON_NS}


def test_first_window_that_holds_the_start_takes_the_trace() -> None:
    """Traces in no window make no facts."""
    spans = [at("A.S", n, 0, (n * 1000, n * 1000 + 5), trace=n) for n in range(1, 10)]
    windows = tuple(
        Window(NOON_NS + start * SECOND_NS, NOON_NS + end * SECOND_NS)
        for start, end in [(4, 6), (2, 6)]
    )
    facts = derive.facts(bucket(*spans), Cells(windows=windows))

    calls = dict(facts["edge_facts"].select("window_start_ns", "calls").rows())
    assert calls == {windows[0].start_ns: 2, windows[1].start_ns: 2}


def test_traces_outside_all_windows_make_no_facts() -> None:
    """Not even empty rows."""
    window = Window(NOON_NS - HOUR_NS, NOON_NS)
    facts = derive.facts(bucket(at("A.S", 1)), Cells(windows=(window,)))

    assert all(table.is_empty() for table in facts.tables.values())


def test_trace_stays_in_the_hour_of_its_earliest_span() -> None:
    """A span of a host whose clock is behind: the store keeps the trace with that hour."""
    spans = [at("A.C", 1, 0, (200, 300)), at("B.S", 2, 1, (-500, -450))]
    facts = derive.facts(bucket(*spans), Cells())

    assert facts["path_facts"]["window_start_ns"].unique().to_list() == [NOON_NS - HOUR_NS]
    assert set(facts["edge_facts"]["window_start_ns"]) == {NOON_NS - MINUTE_NS}
