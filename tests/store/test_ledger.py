"""The ledger says what is in the database and where the rest went."""

from __future__ import annotations

from tests.builders import NOON_NS, reading, reject, span
from tracemap.model import FILES, Quality, Window
from tracemap.store import Store


def test_empty_database(store: Store) -> None:
    """Nothing was read, nothing is covered."""
    ledger = store.ledger()

    assert (ledger.spans, ledger.traces, ledger.services, ledger.covered) == (0, 0, (), None)
    assert ledger.files.schema == FILES.schema
    assert ledger.rejects.columns == ["path", "line", "reason", "records", "excerpt"]
    assert ledger.quality.columns == ["service", "reason", "spans"]


def test_what_is_stored(store: Store) -> None:
    """Files come in the order in which they were taken in, services by name."""
    store.append(reading(span(1, service_name="web"), span(2, service_name="db"), name="b"))
    store.append(reading(span(1, trace=2), name="a", rejects=[reject(1, records=3)]))
    ledger = store.ledger()

    assert (ledger.spans, ledger.traces, ledger.services) == (3, 2, ("db", "web"))
    assert ledger.files["path"].to_list() == ["b", "a"]
    sums = ledger.files.select("records", "spans", "duplicates", "rejected").sum().row(0)
    assert sums == (6, 3, 0, 3)


def test_critical_services_are_those_whose_spans_say_so(store: Store) -> None:
    """Critical or high, in whatever case; others and the silent are not."""
    said = {"pay": "critical", "cart": "High", "blog": "low", "web": ""}
    store.append(
        reading(
            *(
                span(number, service_name=name, criticality=word)
                for number, (name, word) in enumerate(said.items(), 1)
            )
        )
    )

    assert store.critical() == {"pay", "cart"}


def test_covered_time_ends_just_after_the_last_start(store: Store) -> None:
    """The window is half open, so it ends one nanosecond after the latest start."""
    store.append(reading(span(1, offset_ns=10), span(2, offset_ns=50, duration_ns=999)))

    assert store.covered() == Window(NOON_NS + 10, NOON_NS + 51)


def test_impossible_start_does_not_count_as_covered(store: Store) -> None:
    """One span with start 0 must not stretch every default window to 1970."""
    broken = span(2, trace=2, start_ns=0, quality=int(Quality.START_INVALID))
    store.append(reading(broken, name="a"))
    assert store.covered() == Window(0, 1)

    store.append(reading(span(1), name="b"))
    assert store.covered() == Window(NOON_NS, NOON_NS + 1)
