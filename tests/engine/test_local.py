"""The engine derives what is out of date, bucket by bucket, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.builders import NOON_NS, BatchReading, Row, link, span, span_batch
from tracemap import derive
from tracemap.engine import update, window_facts
from tracemap.model import FACTS, HOUR_NS, MINUTE_NS, Cells, Facts, Kind, TraceBucket, Window
from tracemap.store import Store

HOURS = 4
MILLISECOND_NS = 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "t.duckdb", create=True, threads=1) as opened:
        yield opened


def shop(trace: int, offset_ns: int) -> list[Row]:
    """Return one trace: web calls cart, cart asks its database twice and sends a message."""
    made = [
        (1, 0, "web", "GET /cart", Kind.SERVER, "http"),
        (2, 1, "web", "GET", Kind.CLIENT, "http"),
        (3, 2, "cart", "GET /items", Kind.SERVER, "http"),
        (4, 3, "cart", "SELECT items", Kind.CLIENT, "database"),
        (5, 3, "cart", "SELECT prices", Kind.CLIENT, "database"),
    ]
    return [
        span(
            number,
            trace=trace,
            parent=parent,
            service_name=service,
            name=name,
            kind=int(kind),
            offset_ns=offset_ns + 10 * number * MILLISECOND_NS,
            duration_ns=(200 - 20 * number + trace % 7) * MILLISECOND_NS,
            protocol=protocol,
            peer_name="cart-db" if protocol == "database" else "",
            peer_kind="database" if protocol == "database" else "",
        )
        for number, parent, service, name, kind, protocol in made
    ]


def traces(count: int = 40) -> list[list[Row]]:
    """Return traces that start at odd moments of `HOURS` hours."""
    return [shop(n, (n * 37 * MINUTE_NS) % (HOURS * HOUR_NS)) for n in range(1, count + 1)]


def fill(store: Store, files: Sequence[Sequence[Row]]) -> None:
    for rows in files:
        name = "-".join(f"{row['trace_low']}.{row['span_id']}" for row in rows)
        store.append(BatchReading([span_batch(rows)], content_hash=name))


def stored_facts(store: Store) -> dict[str, pl.DataFrame]:
    return {name: store.facts(name).sort(pl.all()) for name in FACTS}


def assert_same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> None:
    """Compare all tables; which traces are *typical* is a guess when they are seen in parts."""
    for name in FACTS:
        exact = pl.lit(value=True) if name != "exemplars" else pl.col("role") != "typical"
        assert_frame_equal(left[name].filter(exact), right[name].filter(exact))


def flat(listed: Sequence[Sequence[Row]]) -> list[Row]:
    return [row for rows in listed for row in rows]


def all_at_once(store: Store) -> dict[str, pl.DataFrame]:
    """Return the facts of all traces, derived in one go: the oracle."""
    (bucket,) = store.buckets()
    merged = derive.merge(derive.facts(bucket, Cells()))
    return {name: merged[name].sort(pl.all()) for name in FACTS}


@pytest.mark.parametrize("bucket_spans", [1, 30, 10_000])
def test_size_of_a_bucket_does_not_matter(store: Store, bucket_spans: int) -> None:
    """However the traces are cut, the stored facts are those of all traces at once."""
    fill(store, [flat(traces())])
    update(store, bucket_spans=bucket_spans)

    assert store.facts("edge_facts").height > 0
    assert_same(stored_facts(store), all_at_once(store))
    assert store.dirty_hours() == []


def test_order_of_files_does_not_matter(store: Store, tmp_path: Path) -> None:
    """Files in another order, with facts derived in between, come to the same."""
    rows = flat(traces(24))
    files = [rows[start::5] for start in range(5)]
    fill(store, files)
    update(store)
    with Store.open(tmp_path / "other.duckdb", create=True, threads=1) as other:
        for rows_of_file in reversed(files):
            fill(other, [rows_of_file])
            update(other)
        assert_same(stored_facts(store), stored_facts(other))


def test_only_hours_that_changed_are_derived(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late trace costs the derivation of its own hour only."""
    fill(store, [flat(traces())])
    update(store)
    seen: list[int] = []
    real = derive.facts

    def counted(bucket: TraceBucket, cells: Cells) -> Facts:
        seen.append(bucket.spans.select(pl.col("trace_low").n_unique()).item())
        return real(bucket, cells)

    monkeypatch.setattr(derive, "facts", counted)
    update(store)
    assert seen == []

    fill(store, [shop(900, HOUR_NS)])
    update(store)
    hour = Window(NOON_NS + HOUR_NS, NOON_NS + 2 * HOUR_NS)
    assert sum(seen) == sum(bucket.spans["trace_low"].n_unique() for bucket in store.buckets(hour))
    assert_same(stored_facts(store), all_at_once(store))


def test_interrupted_update_is_finished_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours that were done are done; the others stay out of date."""
    fill(store, [flat(traces())])
    real = Store.replace_facts
    calls: list[Sequence[Window]] = []

    def tired(self: Store, hours: Sequence[Window], facts: Facts) -> None:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(hours)
        real(self, hours, facts)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "replace_facts", tired)
        with pytest.raises(KeyboardInterrupt):
            update(store, bucket_spans=1)
    assert len(store.dirty_hours()) == HOURS - 2
    update(store)

    assert_same(stored_facts(store), all_at_once(store))


def test_message_between_traces(store: Store) -> None:
    """A link to a trace of another hour makes an edge, even when its target comes later."""
    sent = span(1, trace=1, name="send", kind=int(Kind.PRODUCER), protocol="messaging")
    received = span(
        1,
        trace=2,
        name="process",
        kind=int(Kind.CONSUMER),
        protocol="messaging",
        service_name="worker",
        offset_ns=2 * HOUR_NS,
    )
    late = BatchReading([span_batch([received], links=[link(received, sent)])], content_hash="r")
    store.append(late)
    update(store)
    fill(store, [[sent]])
    update(store)

    assert_same(stored_facts(store), all_at_once(store))
    assert "worker" in store.facts("edge_facts")["downstream"].to_list()


def test_facts_of_named_windows(store: Store) -> None:
    """Named windows are cut to the nanosecond, and nothing is stored."""
    fill(store, [flat(traces())])
    start_ns = NOON_NS + HOUR_NS // 2
    windows = (Window(start_ns, start_ns + HOUR_NS), Window(start_ns + HOUR_NS, start_ns + 2**43))
    cells = Cells(windows=windows)
    facts = window_facts(store, cells, bucket_spans=20)

    expected = derive.merge(
        Facts.concatenate(derive.facts(bucket, cells) for bucket in store.buckets())
    )
    for name in FACTS:
        assert_frame_equal(facts[name].sort(pl.all()), expected[name].sort(pl.all()))
    assert set(facts["edge_facts"]["window_start_ns"]) == {window.start_ns for window in windows}
    assert store.facts("edge_facts").is_empty()


def test_window_without_traces(store: Store) -> None:
    """A window in which nothing starts has no facts, and that is no error."""
    fill(store, [flat(traces())])
    facts = window_facts(store, Cells(windows=(Window(0, 1),)))

    assert all(frame.is_empty() for frame in facts.tables.values())


def test_progress_ends_at_its_total(store: Store) -> None:
    """Progress counts spans and reaches the total exactly."""
    told: list[tuple[str, int, int]] = []
    fill(store, [flat(traces(40))])
    hour = Window(NOON_NS, NOON_NS + HOUR_NS)
    update(store, progress=lambda *now: told.append(now), bucket_spans=60)
    window_facts(store, Cells(windows=(hour,)), progress=lambda *now: told.append(now))

    *updating, (_, done, total) = told
    assert updating[-1] == ("deriving spans", 200, 200)
    assert [step[1] for step in updating] == sorted(step[1] for step in updating)
    assert done == total == store.spans_in(hour)
