"""How calls follow each other, end and are cut short: one trace a situation."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.builders import Row
from tests.derive.traces import ERROR, MS, at, facts_of
from tracemap import derive
from tracemap.derive.call_events import BY_SERVERS, FAILED, FOLLOWED, RESENT, WON
from tracemap.model import Facts

ENTRY = at("A.S", 1, 0, (0, 10_000))


def parts(facts: Facts, pattern: str) -> dict[int, int]:
    """Return how often each part of a pattern was counted."""
    counted: Counter[int] = Counter()
    for part, count in (
        facts["pattern_facts"].filter(pattern=pattern).select("part", "count").rows()
    ):
        counted[part] += count
    return dict(counted)


def call(span_id: int, times: tuple[float, float], *, failed: bool = False, **more: object) -> Row:
    """Return a client span of A that names B as its peer."""
    columns: dict[str, object] = {
        "operation": "get", "peer_kind": "service", "peer_name": "B",
        "status_code": ERROR * failed, **more,
    }  # fmt: skip
    return at("A.C", span_id, 1, times, **columns)  # type: ignore[arg-type]


def answer(span_id: int, parent: int, times: tuple[float, float], **more: object) -> Row:
    return at("B.S", span_id, parent, times, operation="get", **more)  # type: ignore[arg-type]


def test_call_after_a_failed_one_is_a_further_attempt() -> None:
    """With the pause before it; the request survived."""
    facts = facts_of(
        ENTRY, call(2, (0, 10), failed=True), call(3, (30, 40)), answer(4, 3, (31, 39))
    )
    second = facts["pattern_facts"].filter(pattern="attempt", part=2)

    assert parts(facts, "attempt") == {1 + FAILED + FOLLOWED: 1, 2: 1}
    assert second["extra_ns"].item() == 20 * MS
    assert second["squares"].item() == 200**2
    assert parts(facts, "request") == {1: 1}


def test_attempt_that_reached_nobody_belongs_to_the_calls_named_alike() -> None:
    """The failed call knows its peer's address only; both are calls of one operation."""
    facts = facts_of(
        ENTRY,
        call(2, (0, 1), failed=True, peer_kind="external", peer_name="b.example:80"),
        call(3, (2, 9), peer_kind="external", peer_name="b.example:80"),
        answer(4, 3, (3, 8)),
    )

    assert set(facts["pattern_facts"]["upstream"]) == {"B"}
    assert parts(facts, "attempt") == {1 + FAILED + FOLLOWED: 1, 2: 1}


@pytest.mark.parametrize("status", [302, 401])
def test_redirect_or_challenge_is_no_failed_attempt(status: int) -> None:
    """What is sent again then is no retry."""
    facts = facts_of(
        ENTRY,
        call(2, (0, 10), failed=True, http_status=status),
        call(3, (11, 20), resend_count=1),
    )

    assert parts(facts, "attempt") == {1 + FOLLOWED: 1, 1 + RESENT: 1}


def test_servers_one_after_another_below_one_client_are_attempts() -> None:
    """Whatever their clocks say: they fit into its wait, and all but one failed."""
    facts = facts_of(
        ENTRY,
        call(2, (0, 100)),
        answer(3, 2, (0, 30), status_code=ERROR),
        answer(4, 2, (-900, -850), host="other"),
    )

    assert parts(facts, "attempt") == {1 + FAILED + FOLLOWED: 1, 2: 1}


def test_servers_side_by_side_below_one_client_are_a_hedge() -> None:
    """They do not fit one after another."""
    facts = facts_of(ENTRY, call(2, (0, 100)), answer(3, 2, (0, 90)), answer(4, 2, (10, 95)))

    assert parts(facts, "hedge") == {BY_SERVERS: 1}
    assert parts(facts, "attempt") == {1: 1}


def test_second_call_beside_a_slow_one_is_a_hedge() -> None:
    """The first was left when the second had answered, and its server went on."""
    facts = facts_of(
        ENTRY,
        call(2, (0, 100), failed=True, error_type="cancelled"),
        answer(4, 2, (1, 400)),
        call(3, (60, 100)),
        answer(5, 3, (61, 99)),
    )
    (hedge,) = facts["pattern_facts"].filter(pattern="hedge").to_dicts()

    assert (hedge["part"], hedge["time_ns"], hedge["extra_ns"]) == (WON, 60 * MS, 299 * MS)
    assert parts(facts, "attempt") == {1: 1}
    assert parts(facts, "request") == {0: 1}


def test_calls_side_by_side_that_both_answer_are_no_hedge() -> None:
    """Nobody was left."""
    facts = facts_of(ENTRY, call(2, (0, 100)), call(3, (60, 100)))

    assert parts(facts, "hedge") == {}


def test_call_that_was_left_counts_by_how_long_it_waited() -> None:
    """With what its server went on for; the error's name is not needed."""
    facts = facts_of(ENTRY, call(2, (0, 100), failed=True), answer(3, 2, (1, 351)))
    (timeout,) = facts["pattern_facts"].filter(pattern="timeout").to_dicts()

    assert (timeout["time_ns"], timeout["extra_ns"]) == (100 * MS, 250 * MS)


def test_call_that_says_time_was_up_needs_no_server() -> None:
    """Databases record no spans of their own."""
    facts = facts_of(ENTRY, call(2, (0, 100), failed=True, error_type="DEADLINE_EXCEEDED"))

    assert facts["pattern_facts"].filter(pattern="timeout")["count"].sum() == 1


@pytest.mark.parametrize(
    ("more", "counted"),
    [
        ({}, {0: 1}),
        ({"error_type": "CallNotPermittedException"}, {1: 1}),
        ({"error_type": "timeout"}, {}),
        ({"peer_kind": "database"}, {}),
        ({"peer_kind": "database", "error_type": "CircuitBreakerOpen"}, {1: 1}),
    ],
)
def test_failure_in_no_time_that_reached_nobody(
    more: dict[str, object], counted: dict[int, int]
) -> None:
    """Only where a server span would be, unless the error says that no call was made."""
    facts = facts_of(
        ENTRY, call(2, (0, 1), failed=True, **more), call(3, (50, 60)), answer(4, 3, (51, 59))
    )

    assert parts(facts, "fast_failure") == counted


def test_calls_of_something_else_are_told_by_how_the_one_before_ended() -> None:
    """Only what begins when nothing else runs any more comes after it."""
    facts = facts_of(
        ENTRY,
        call(2, (0, 10), failed=True),
        call(3, (11, 20), operation="instead"),
        call(4, (21, 30), operation="next"),
        call(5, (25, 40), operation="beside"),
    )
    found = facts["pattern_facts"].select("pattern", "upstream_operation", "other_operation").rows()

    assert ("after_failure", "get", "instead") in found
    assert ("next", "instead", "next") in found
    assert not any(other == "beside" for _, _, other in found)


def test_many_calls_in_a_row_and_at_once() -> None:
    """Further attempts are none of them."""
    row = [call(n, (10 * n, 10 * n + 9), failed=n == 4) for n in range(2, 9)]
    once = [call(n, (100 + n / 10, 150), operation="many") for n in range(20, 26)]
    facts = facts_of(ENTRY, *row, *once)

    assert parts(facts, "in_a_row") == {6: 1}
    assert parts(facts, "at_once") == {6: 1}


def test_exemplars_are_the_largest_and_name_both_calls() -> None:
    """Three a pattern, whichever bucket they were in."""
    traces = [
        [
            at("A.S", 1, 0, (0, 10_000), trace=n),
            call(2, (0, 10), failed=True) | {"trace_low": n},
            call(3, (11, 20 + n)) | {"trace_low": n},
        ]
        for n in range(1, 8)
    ]
    whole = facts_of(*(row for trace in traces for row in trace))
    merged = derive.merge(Facts.concatenate(facts_of(*trace) for trace in traces))
    attempts = whole["pattern_exemplars"].filter(pattern="attempt")

    assert attempts["trace_low"].to_list() == [7, 6, 5]
    assert attempts.select("span_id", "other_span_id").unique().rows() == [(3, 2)]
    assert merged["pattern_exemplars"].equals(whole["pattern_exemplars"])


def test_root_client_span_has_no_siblings() -> None:
    """Nothing surrounds it."""
    facts = facts_of(at("A.C", 1, 0, (0, 10)), at("B.S", 2, 1, (1, 9)))

    assert facts["pattern_facts"].is_empty()
