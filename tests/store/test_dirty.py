"""An hour is derived again when, and only when, its facts may have changed."""

from __future__ import annotations

import pytest

from tests.builders import NOON_NS, link, reading, span
from tracemap.model import HOUR_NS, Facts, Window
from tracemap.store import Store


def dirty(store: Store) -> list[int]:
    """Return the dirty hours as hours after noon, and call them clean."""
    hours = store.dirty_hours()
    store.replace_facts(hours, Facts())
    return [(hour.start_ns - NOON_NS) // HOUR_NS for hour in hours]


def test_hour_in_which_a_trace_starts(store: Store) -> None:
    """A trace belongs to one hour, however long it runs."""
    store.append(reading(span(1, offset_ns=HOUR_NS), span(2, parent=1, offset_ns=5 * HOUR_NS)))

    assert store.dirty_hours() == [Window(NOON_NS + HOUR_NS, NOON_NS + 2 * HOUR_NS)]
    assert dirty(store) == [1]
    assert dirty(store) == []


def test_late_span_makes_the_hour_of_its_trace_dirty(store: Store) -> None:
    """It is the start of the trace that counts, not that of the late span."""
    store.append(reading(span(1), name="a"))
    dirty(store)
    store.append(reading(span(2, parent=1, offset_ns=3 * HOUR_NS), name="b"))

    assert dirty(store) == [0]


def test_late_root_moves_its_trace_to_another_hour(store: Store) -> None:
    """Both hours change: the one that loses the trace and the one that gains it."""
    store.append(reading(span(2, parent=1, offset_ns=2 * HOUR_NS), name="a"))
    dirty(store)
    store.append(reading(span(1, offset_ns=HOUR_NS), name="b"))

    assert dirty(store) == [1, 2]


def test_duplicates_change_nothing(store: Store) -> None:
    """An export that overlaps with the last one costs no new derivation."""
    store.append(reading(span(1), span(2, offset_ns=1), name="a"))
    dirty(store)
    store.append(reading(span(1), span(2, offset_ns=1), name="b"))

    assert dirty(store) == []


def test_better_copy_makes_its_hour_dirty(store: Store) -> None:
    """A span that was open and now has an end changes the facts."""
    store.append(reading(span(1, duration_ns=None), name="a"))
    dirty(store)
    store.append(reading(span(1, duration_ns=5), name="b"))

    assert dirty(store) == [0]


def test_target_of_a_link_arrives(store: Store) -> None:
    """The trace that links has an edge now; the hour of that trace is dirty as well."""
    sent, received = span(1, trace=1, offset_ns=HOUR_NS), span(1, trace=2, offset_ns=3 * HOUR_NS)
    store.append(reading(received, name="a", links=[link(received, sent)]))
    dirty(store)
    store.append(reading(sent, name="b"))

    assert dirty(store) == [1, 3]


def test_copy_of_a_span_brings_a_new_link(store: Store) -> None:
    """Nothing of the span changes, but its trace has an edge more."""
    sent, received = span(1, trace=1), span(1, trace=2, offset_ns=2 * HOUR_NS)
    store.append(reading(sent, received, name="a"))
    dirty(store)
    store.append(reading(received, name="b", links=[link(received, sent)]))

    assert dirty(store) == [2]


def test_service_turns_up_in_a_second_environment(store: Store) -> None:
    """From then on it has another name, in the past as well."""
    store.append(
        reading(
            span(1, trace=1, service_name="cart", environment="prod"),
            span(1, trace=2, service_name="web", offset_ns=HOUR_NS),
            name="a",
        )
    )
    dirty(store)
    cart = span(1, trace=3, service_name="cart", environment="test", offset_ns=4 * HOUR_NS)
    store.append(reading(cart, name="b"))

    assert dirty(store) == [0, 4]


@pytest.mark.parametrize("start_ns", [0, 1, -1, -HOUR_NS])
def test_impossible_times_have_an_hour_too(store: Store, start_ns: int) -> None:
    """A start at or before 1970 is odd, but its trace is not lost."""
    store.append(reading(span(1, start_ns=start_ns)))

    (hour,) = store.dirty_hours()
    assert hour.start_ns <= start_ns < hour.end_ns
    assert sum(bucket.spans.height for bucket in store.buckets(hour)) == 1
