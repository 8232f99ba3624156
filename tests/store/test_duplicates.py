"""Each span is stored once, whatever comes twice and in whatever order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.builders import BatchReading, Row, reading, span, span_batch
from tracemap.model import Quality
from tracemap.store import Store


def stored(store: Store) -> pl.DataFrame:
    """Return all spans with the texts of what they point to, in a fixed order."""
    return store.query("SELECT * EXCLUDE (file) FROM spans ORDER BY trace_id, span_id")


def test_span_twice_in_one_batch(store: Store) -> None:
    """A span that is sent again in the same export is stored once and counted."""
    appended = store.append(reading(span(1), span(2), span(1)))

    assert (appended.records, appended.spans, appended.duplicates) == (3, 2, 1)
    assert stored(store)["quality"].to_list() == [0, 0]


def test_span_again_in_a_later_batch(store: Store) -> None:
    """A span that comes again later in the same file is stored once and counted."""
    batches = [span_batch([span(1), span(2)]), span_batch([span(2), span(3)])]
    appended = store.append(BatchReading(batches, content_hash="a"))

    assert (appended.records, appended.spans, appended.duplicates) == (4, 3, 1)


def test_span_again_in_another_file(store: Store) -> None:
    """A span that was stored from another file is counted as a duplicate of this one."""
    store.append(reading(span(1), span(2), name="a"))
    appended = store.append(reading(span(2), span(3), name="b"))

    assert (appended.records, appended.spans, appended.duplicates) == (2, 1, 1)
    assert stored(store).height == 3


def test_same_span_id_in_another_trace_is_no_duplicate(store: Store) -> None:
    """Span ids are unique within a trace only."""
    store.append(reading(span(1, trace=1), name="a"))
    appended = store.append(reading(span(1, trace=2), name="b"))

    assert appended.spans == 1


def test_copy_with_an_end_replaces_the_one_without(store: Store) -> None:
    """A span exported while it ran and again when it was over: the finished one is kept."""
    store.append(reading(span(1, duration_ns=None), name="a"))
    appended = store.append(reading(span(1, duration_ns=7), name="b"))

    assert (appended.spans, appended.duplicates) == (0, 1)
    assert stored(store)["duration_ns"].to_list() == [7]
    assert stored(store)["quality"].to_list() == [Quality.ID_CONFLICT]


def test_different_content_is_marked(store: Store) -> None:
    """Two different spans with one id: one is kept, and says that there was another."""
    store.append(reading(span(1, name="GET /a"), span(1, name="GET /b")))

    assert stored(store)["quality"].to_list() == [Quality.ID_CONFLICT]


def test_kept_copy_counts_for_the_file_that_brought_the_span_first(store: Store) -> None:
    """The ledger of a file does not change when a later file brings a better copy."""
    store.append(reading(span(1, duration_ns=None), name="a"))
    store.append(reading(span(1, duration_ns=7), name="b"))

    files = store.query("SELECT file FROM spans")
    assert files["file"].to_list() == ["a"]


def test_copy_that_starts_earlier_moves_the_start_of_its_trace(store: Store) -> None:
    """The index of traces follows the span that is kept."""
    store.append(reading(span(1, offset_ns=100, duration_ns=1), name="a"))
    store.append(reading(span(1, offset_ns=50, duration_ns=100), name="b"))

    starts = store.query("SELECT start_time_unix_nano, spans FROM traces")
    kept = store.query("SELECT start_time_unix_nano FROM spans")
    assert starts.rows() == [(kept.item(), 1)]


def copies() -> st.SearchStrategy[Row]:
    """Return spans with few ids, so that many are copies, equal or not."""
    contents: dict[str, st.SearchStrategy[Any]] = {
        "offset_ns": st.sampled_from([0, 5]),
        "duration_ns": st.sampled_from([None, 10]),
        "name": st.sampled_from(["a", "b"]),
        "service_name": st.sampled_from(["web", "db"]),
        "attributes": st.sampled_from([None, "{}"]),
        "quality": st.sampled_from([0, int(Quality.END_MISSING)]),
    }
    return st.builds(span, st.integers(1, 3), trace=st.integers(1, 2), **contents)


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    files=st.lists(st.lists(st.lists(copies(), max_size=4), max_size=2), min_size=2, max_size=3),
    data=st.data(),
)
def test_order_of_files_does_not_matter(
    files: list[list[list[Row]]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same files in another order give the same spans, dirty hours and traces."""
    folder = tmp_path_factory.mktemp("order")
    numbered = list(enumerate(files))
    first = filled(folder / "first.duckdb", numbered)
    second = filled(folder / "second.duckdb", data.draw(st.permutations(numbered)))

    for one, other in zip(first, second, strict=True):
        assert_frame_equal(one, other)


def filled(path: Path, files: list[tuple[int, list[list[Row]]]]) -> list[pl.DataFrame]:
    with Store.open(path, create=True, threads=1) as store:
        for number, batches in files:
            listed = [span_batch(batch) for batch in batches]
            appended = store.append(BatchReading(listed, content_hash=f"{number}"))
            assert appended.records == appended.spans + appended.duplicates + appended.rejected
        traces = store.query("SELECT * FROM traces ORDER BY trace_id")
        assert traces["spans"].sum() == stored(store).height
        return [stored(store), traces, store.query("SELECT count(*) FROM files")]
