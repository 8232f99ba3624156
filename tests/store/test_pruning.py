"""Spans go, facts stay, and stay right."""

from __future__ import annotations

import pytest

from tests.builders import NOON_NS, link, reading, span
from tracemap.model import HOUR_NS, Facts, Window
from tracemap.store import Pruned, Store

FIRST_TWO = Window(NOON_NS, NOON_NS + 2 * HOUR_NS)


def clean(store: Store) -> None:
    store.replace_facts(store.dirty_hours(), Facts())


def stored(store: Store) -> list[int]:
    """Return the span ids that are stored, sorted."""
    ids = store.query("SELECT span_id FROM stored_spans ORDER BY span_id")
    return [int(each) for each in ids["span_id"]]


def test_old_traces_go_and_their_hours_are_written_down(store: Store) -> None:
    """The rest stays; what is covered stays."""
    store.append(reading(span(1), span(2, trace=2, offset_ns=3 * HOUR_NS)))
    clean(store)
    covered = store.covered()

    assert store.prune(FIRST_TWO) == Pruned(hours=1, traces=1, spans=1)
    assert stored(store) == [2]
    assert store.pruned_hours() == [Window(NOON_NS, NOON_NS + HOUR_NS)]
    assert store.covered() == covered
    assert (store.ledger().spans, store.ledger().pruned) == (1, 1)


def test_late_spans_of_a_pruned_hour_are_rejected_and_counted(store: Store) -> None:
    """Records = stored + duplicates + rejected, in that file as in any other."""
    store.append(reading(span(1), span(9, trace=9, offset_ns=5 * HOUR_NS), name="a"))
    clean(store)
    store.prune(FIRST_TWO)
    late = reading(span(3, trace=3), span(4, trace=4, offset_ns=4 * HOUR_NS), name="b")
    appended = store.append(late)

    assert (appended.records, appended.spans, appended.rejected) == (2, 1, 1)
    assert stored(store) == [4, 9]
    assert store.ledger().rejects.select("path", "reason", "records").rows() == [
        ("b", "hour_pruned", 1)
    ]
    assert [hour.start_ns for hour in store.dirty_hours()] == [NOON_NS + 4 * HOUR_NS]


def test_late_spans_lose_their_links_too(store: Store) -> None:
    """A link without its span would be a link of nobody."""
    store.append(reading(span(1), span(9, trace=9, offset_ns=5 * HOUR_NS), name="a"))
    clean(store)
    store.prune(FIRST_TWO)
    late, known = span(3, trace=3), span(9, trace=9)
    store.append(reading(late, name="b", links=[link(late, known)]))

    assert store.query("SELECT count(*) AS n FROM links")["n"][0] == 0


def test_a_trace_that_goes_on_later_stays(store: Store) -> None:
    """Its late spans may still come; but its hour is never derived again."""
    long = [span(1), span(2, parent=1, offset_ns=3 * HOUR_NS)]
    store.append(reading(*long, span(5, trace=5), name="a"))
    clean(store)
    store.prune(FIRST_TWO)
    store.append(reading(span(3, parent=1, offset_ns=4 * HOUR_NS), name="b"))

    assert stored(store) == [1, 2, 3]
    assert store.dirty_hours() == []


def test_a_trace_that_a_later_one_links_to_stays(store: Store) -> None:
    """When the later hour is derived again, the link still finds its target."""
    sent, processed = span(1), span(2, trace=2, offset_ns=3 * HOUR_NS)
    other = span(3, trace=3)
    store.append(reading(sent, processed, other, links=[link(processed, sent)]))
    clean(store)
    store.prune(FIRST_TWO)

    assert stored(store) == [1, 2]


def test_pruning_again_adds_up(store: Store) -> None:
    """What stayed the first time goes later, and is counted with its hour."""
    long = [span(1), span(2, parent=1, offset_ns=3 * HOUR_NS)]
    store.append(reading(*long, span(5, trace=5), span(9, trace=9, offset_ns=9 * HOUR_NS)))
    clean(store)
    store.prune(FIRST_TWO)
    store.prune(Window(NOON_NS, NOON_NS + 8 * HOUR_NS))

    assert stored(store) == [9]
    assert store.query("SELECT traces, spans FROM pruned_hours").rows() == [(2, 3)]


def test_facts_that_are_out_of_date_are_not_pruned(store: Store) -> None:
    """They could never be derived again."""
    store.append(reading(span(1)))

    with pytest.raises(ValueError, match="derive them first"):
        store.prune(FIRST_TWO)
    assert stored(store) == [1]


def test_older_hours_than_those_pruned_may_still_come(store: Store) -> None:
    """They have no facts yet that could be spoiled."""
    store.append(reading(span(1), span(9, trace=9, offset_ns=5 * HOUR_NS), name="a"))
    clean(store)
    store.prune(FIRST_TWO)
    store.append(reading(span(3, trace=3, offset_ns=-7 * HOUR_NS), name="b"))

    assert stored(store) == [3, 9]
    assert [hour.start_ns for hour in store.dirty_hours()] == [NOON_NS - 7 * HOUR_NS]
