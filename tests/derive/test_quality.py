"""What is odd about spans and their traces, counted per service."""

from __future__ import annotations

import pytest

from tests.derive.traces import at, facts_of, reasons
from tracemap.derive import quality
from tracemap.derive.quality import MARKS
from tracemap.model import Quality

HOUR_MS = 3_600_000


@pytest.mark.parametrize(("flag", "reason"), MARKS.items())
def test_marks_of_reading_are_counted(flag: Quality, reason: str) -> None:
    """Whether the span carries the mark or its resource does."""
    facts = facts_of(
        at("A.S", 1, quality=int(flag)),
        at("B.S", 2, trace=2, resource_quality=int(flag)),
        at("C.S", 3, trace=3),
    )

    counted = facts["quality_facts"].filter(reason=reason).select("service", "spans").rows()
    assert sorted(counted) == [("A", 1), ("B", 1)]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [({"duration_ns": None}, "duration_unknown"), ({"duration_ns": -5}, "duration_negative")],
)
def test_ends_that_are_missing_or_too_early(columns: dict[str, int | None], reason: str) -> None:
    """Counted once, as a call, and in no latency."""
    span = at("A.S", 1) | columns | {"quality": int(Quality.END_MISSING)}
    facts = facts_of(span)

    assert reasons(facts) == {"in_edge": 1, reason: 1}
    assert facts["latency_facts"].is_empty()


def test_several_roots_of_one_trace() -> None:
    """Each root is counted, not what is below it."""
    facts = facts_of(at("A.S", 1), at("A.I", 2, 1), at("B.S", 3, 0, (200, 300)))

    assert reasons(facts)["multiple_roots"] == 2
    assert "multiple_roots" not in reasons(facts_of(at("A.S", 1), at("A.S", 2, trace=2)))


def test_trace_id_used_for_two_requests() -> None:
    """A pause of an hour, and then another root: all spans of the trace are suspect."""
    again = (2 * HOUR_MS, 2 * HOUR_MS + 100)
    facts = facts_of(at("A.S", 1), at("A.I", 2, 1), at("A.S", 3, 0, again))

    assert reasons(facts)["trace_id_reuse"] == 3


def test_message_consumed_hours_later_is_no_reuse() -> None:
    """It has a parent: one trace took long."""
    later = (2 * HOUR_MS, 2 * HOUR_MS + 100)

    assert "trace_id_reuse" not in reasons(facts_of(at("A.P", 1), at("B.K", 2, 1, later)))


def test_start_that_is_no_time_is_no_pause() -> None:
    """A span of 1970 does not make its trace decades long."""
    lost = at("A.I", 2, 1, quality=int(Quality.START_INVALID)) | {"start_ns": 0}
    late_root = at("A.S", 3, 0, (10, 20))

    assert "trace_id_reuse" not in reasons(facts_of(at("A.S", 1), lost, late_root))


def test_huge_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its spans are counted; a trace at the limit is not huge."""
    monkeypatch.setattr(quality, "HUGE_SPANS", 2)
    small = [at("B.S", 9, trace=2), at("B.I", 10, 9, trace=2)]

    facts = facts_of(at("A.S", 1), at("A.I", 2, 1), at("A.I", 3, 1), *small)

    assert facts["quality_facts"].filter(reason="huge_trace")["spans"].to_list() == [3]


def test_spans_that_stand_for_several() -> None:
    """Sampled ones; a weight of one is no sampling."""
    assert reasons(facts_of(at("A.S", 1, weight=10.0), at("A.I", 2, 1)))["sampled"] == 1


def test_spans_that_say_nothing_of_sampling_stand_for_as_many_as_their_root() -> None:
    """Jaeger and Datadog write the rate on the root alone; of another trace it says nothing."""
    unsaid = int(Quality.NO_SAMPLING_INFORMATION)
    facts = facts_of(
        at("A.S", 1, weight=10.0),
        at("A.C", 2, 1, quality=unsaid),
        at("B.S", 3, 2, quality=unsaid),
        at("A.C", 4, 1, weight=2.0),
        at("B.S", 5, 4, quality=unsaid),
        at("A.S", 6, trace=2, quality=unsaid),
        at("A.C", 7, 6, trace=2, quality=unsaid),
        at("B.S", 8, 7, trace=2, quality=unsaid),
    )
    called = facts["edge_facts"].filter(downstream="A", upstream="B")

    assert (called["calls"].sum(), called["calls_weighted"].sum()) == (3, 10.0 + 2.0 + 1.0)
