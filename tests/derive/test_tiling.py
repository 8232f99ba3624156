"""Own time and critical path of single traces."""

from __future__ import annotations

import pytest

from tests.derive.traces import MS, at, bucket, facts_of, path_table, reasons, times
from tracemap import derive


def test_calls_back_to_back_are_both_on_the_path() -> None:
    """The one ends in the instant the other starts: nothing is left to the parent."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (0, 50)), at("A.C", 3, 1, (50, 100))]

    assert times(spans) == {1: (0, 0), 2: (50, 50), 3: (50, 50)}


def test_fire_and_forget_child_takes_nothing() -> None:
    """It outlives its parent, so the parent cannot have waited for it."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (10, 90)), at("A.I", 3, 1, (20, 500))]

    assert times(spans) == {1: (20, 20), 2: (80, 80), 3: (480, 0)}


def test_client_that_gave_up_waits_until_it_gave_up() -> None:
    """The server runs on: clipped to the client, and counted as abandoned."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (10, 60)), at("B.S", 3, 2, (12, 400))]

    assert times(spans) == {1: (50, 50), 2: (0, 0), 3: (388, 50)}
    facts = facts_of(*spans)
    assert reasons(facts)["abandoned"] == 1
    server = path_table(facts)["A.S > A.C > B.S"]
    assert (server["on_parent_ns"], server["abandoned_ns"]) == (50 * MS, 338 * MS)


def test_of_parallel_children_the_last_to_end_is_waited_for() -> None:
    """The other was still running when it started: that time belongs to the parent."""
    spans = [at("A.S", 1), at("A.C", 2, 1, (10, 80)), at("A.C", 3, 1, (20, 95))]

    assert times(spans) == {1: (25, 25), 2: (70, 0), 3: (75, 75)}


def test_child_that_ends_a_little_late_still_blocks() -> None:
    """Up to 1 ms or 1 % late is a clock, not a fire-and-forget; the surplus is cut."""
    spans = [at("A.S", 1), at("A.I", 2, 1, (10, 100.9))]

    assert times(spans)[1] == (10, 10)


@pytest.mark.parametrize("skew_ms", [-1000, -40, 0, 40, 1000])
def test_clock_of_the_server_is_wrong(skew_ms: int) -> None:
    """Durations place a server within its client: its clock changes nothing."""
    shifted = {"B.S": (20, 80), "B.C": (30, 60), "B.I": (62, 70)}
    moved = {name: (a + skew_ms, b + skew_ms) for name, (a, b) in shifted.items()}
    spans = [
        at("A.S", 1),
        at("A.C", 2, 1, (10, 90)),
        at("B.S", 3, 2, moved["B.S"]),
        at("B.C", 4, 3, moved["B.C"]),
        at("B.I", 5, 3, moved["B.I"]),
        at("A.C", 6, 1, (50, 95)),
    ]

    assert times(spans) == {
        1: (55, 55), 2: (20, 0), 3: (22, 0), 4: (30, 0), 5: (8, 0), 6: (45, 45),
    }  # fmt: skip


def test_name_lookup_within_a_call_belongs_to_its_gap() -> None:
    """A client's duration is what its server took and the gap, whatever else is recorded."""
    spans = [
        at("A.S", 1),
        at("A.C", 2, 1, (10, 90)),
        at("A.I", 3, 2, (70, 89)),
        at("B.S", 4, 2, (20, 75)),
    ]
    call = path_table(facts_of(*spans))["A.S > A.C"]

    assert (call["duration_ns"], call["self_ns"]) == (80 * MS, 25 * MS)


def test_orphans_have_no_part_in_the_path_of_the_root() -> None:
    """The critical times of a trace sum to the duration of its root."""
    rows = derive.waterfall(bucket(at("A.S", 1), at("B.S", 2, 77, (10, 500))))

    assert rows["critical_ns"].to_list() == [100 * MS, 0]
    assert rows["flags"].to_list() == [[], ["orphan"]]


def test_span_without_an_end_counts_but_takes_no_time() -> None:
    """In flight when exported, or end before start: no latency, still a call."""
    facts = facts_of(
        at("A.C", 1, duration_ns=None), at("B.S", 2, 1, (10, 60)), at("B.I", 3, 2, (20, 10))
    )

    row = facts["edge_facts"].row(0, named=True)
    assert (row["calls"], row["client_calls"], row["server_calls"]) == (1, 0, 1)
    assert facts["latency_facts"].filter(unit="client").is_empty()
    assert reasons(facts)["duration_unknown"] == 1
    assert reasons(facts)["duration_negative"] == 1
