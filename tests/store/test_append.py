"""A file is taken in whole or not at all, and every record is accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.builders import BatchReading, Row, link, reading, reject, span, span_batch
from tracemap.errors import InputError
from tracemap.model import Batch
from tracemap.store import Store


def test_same_bytes_under_another_name(store: Store) -> None:
    """Known contents are not taken in again; the answer says what became of them then."""
    first = store.append(reading(span(1), span(2), name="a.json"))
    again = reading(span(1), span(2), name="a.json")
    again.path = "copy.json"
    second = store.append(again)

    assert not first.known
    assert second.known
    assert (second.path, second.spans) == ("copy.json", 2)
    assert store.ledger().files.height == 1


def test_known_file_is_not_read(store: Store) -> None:
    """With the hash known beforehand, the file is not even opened."""
    store.append(reading(span(1), name="a"))

    class Unreadable(BatchReading):
        def batches(self) -> Iterator[Batch]:
            pytest.fail("was read")

    assert store.append(Unreadable([], content_hash="a")).known


@pytest.mark.parametrize(("size_bytes", "identified"), [(77, True), (78, False)])
def test_only_a_file_of_a_known_size_is_read_for_its_hash(
    store: Store, size_bytes: int, *, identified: bool
) -> None:
    """Bytes of another number are others: such a file is read once, its hash taken meanwhile."""
    store.append(BatchReading([span_batch([span(1)])], content_hash="h", size_bytes=77))

    class Identified(BatchReading):
        def identify(self) -> None:
            self.content_hash = "h"

    again = Identified([span_batch([span(2)])], hash_at_end="other", size_bytes=size_bytes)

    assert store.append(again).known == identified
    assert store.ledger().spans == (1 if identified else 2)


def test_standard_input_twice(store: Store) -> None:
    """The hash of standard input is known at its end only; then all of it is undone."""
    batches = [span_batch([span(1)], rejects=[reject(2)])]
    store.append(BatchReading(batches, path="-", hash_at_end="h"))
    new_service = span_batch([span(1, service_name="other"), span(2, name="other")])
    again = store.append(BatchReading([*batches, new_service], path="-", hash_at_end="h"))

    assert again.known
    ledger = store.ledger()
    assert (ledger.spans, ledger.files.height, ledger.rejects.height) == (1, 1, 1)
    assert ledger.services == ("web",)


def test_every_record_is_accounted_for(store: Store) -> None:
    """records = spans + duplicates + rejected, and what was skipped stands beside it."""
    batches = [
        span_batch([span(1), span(2)], rejects=[reject(3, records=4)], skipped={"logs": 5}),
        span_batch([span(2), span(3)], rejects=[reject(9, "no trace id")], skipped={"metrics": 1}),
    ]
    now = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    store.append(BatchReading(batches, path="x.json", content_hash="h", size_bytes=77), now=now)

    row = store.ledger().files.row(0, named=True)
    assert row == {
        "path": "x.json",
        "size_bytes": 77,
        "content_hash": "h",
        "format": "test",
        "records": 9,
        "spans": 3,
        "duplicates": 1,
        "rejected": 5,
        "skipped": 6,
        "ingested_at": "2026-01-02T03:04:05Z",
    }


def test_rejects_are_kept_with_their_place(store: Store) -> None:
    """Whoever asks why a record is missing finds file, line, reason and the text itself."""
    store.append(reading(name="x.json", rejects=[reject(7, "not json", excerpt="{'a'")]))

    assert store.ledger().rejects.rows() == [("x.json", 7, "not json", 1, "{'a'")]


def test_file_with_nothing_in_it(store: Store) -> None:
    """A file without a single batch is known afterwards like any other."""
    assert store.append(BatchReading([], content_hash="empty")).records == 0
    assert store.append(BatchReading([], content_hash="empty")).known
    assert store.covered() is None


def test_reader_fails_half_way(store: Store) -> None:
    """Nothing of a file is stored whose reader gives up, and the next file is not affected."""

    class Broken(BatchReading):
        def batches(self) -> Iterator[Batch]:
            yield span_batch([span(1, name="only in the broken file")])
            raise InputError("cut short")

    store.append(reading(span(9), name="before"))
    with pytest.raises(InputError, match="cut short"):
        store.append(Broken([], content_hash="x"))
    store.append(reading(span(2, name="after"), name="after"))

    assert store.query("SELECT name FROM spans ORDER BY span_id")["name"].to_list() == [
        "after",
        "GET /",
    ]
    assert store.query("SELECT count(*) FROM operations").item() == 2


def test_operations_and_resources_are_stored_once(store: Store, tmp_path: Path) -> None:
    """Each distinct operation and resource has one number, in every file and every session."""
    store.append(reading(span(1, name="a"), span(2, name="b"), name="1"))
    store.append(reading(span(3, name="b"), span(4, name="c"), name="2"))
    store.close()
    with Store.open(tmp_path / "t.duckdb") as again:
        again.append(reading(span(5, name="c"), span(6, name="a", service_name="db"), name="3"))

        names = again.query("SELECT name FROM spans ORDER BY span_id")["name"].to_list()
        assert names == ["a", "b", "b", "c", "c", "a"]
        assert again.query("SELECT count(*) FROM operations").item() == 3
        assert again.query("SELECT count(*) FROM resources").item() == 2


def test_every_span_has_its_own_name(store: Store) -> None:
    """Names with ids in them make one operation per span; that is slow for nobody."""
    names = [f"GET /user/{number}" for number in range(20_000)]
    batch = span_batch([span(number + 1, name=name) for number, name in enumerate(names)])
    store.append(BatchReading([batch], content_hash="h"))

    assert store.query("SELECT name FROM spans ORDER BY span_id")["name"].to_list() == names


def test_links_of_a_span_that_comes_twice(store: Store) -> None:
    """A copy of a span brings the same links again; they are stored once."""
    one, two = span(1), span(2)
    store.append(reading(one, two, name="a", links=[link(one, two)]))
    store.append(reading(one, two, name="b", links=[link(one, two), link(two, one)]))

    assert store.query("SELECT count(*) FROM links").item() == 2


rows = st.builds(span, st.integers(1, 6), trace=st.integers(1, 3))


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(listed=st.lists(st.lists(rows, max_size=5), max_size=4))
def test_two_files_are_as_good_as_one(
    listed: list[list[Row]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same spans in one file or in several give the same table."""
    folder = tmp_path_factory.mktemp("split")
    batches = [span_batch(each) for each in listed]
    with Store.open(folder / "one.duckdb", create=True, threads=1) as whole:
        whole.append(BatchReading(batches, content_hash="all"))
        expected = whole.query("SELECT * EXCLUDE (file) FROM spans ORDER BY ALL").rows()
        traces = whole.query("SELECT * FROM traces ORDER BY ALL").rows()
    with Store.open(folder / "many.duckdb", create=True, threads=1) as parts:
        for number, batch in enumerate(batches):
            parts.append(BatchReading([batch], content_hash=f"{number}"))
        assert parts.query("SELECT * EXCLUDE (file) FROM spans ORDER BY ALL").rows() == expected
        assert parts.query("SELECT * FROM traces ORDER BY ALL").rows() == traces
        files = parts.ledger().files
        assert files["spans"].sum() == len(expected) == parts.ledger().spans
        assert files["records"].sum() == sum(len(each) for each in listed)
