"""Files as a whole: named or found, empty, unreadable, piped."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
import xxhash

from tests.ingest.writers import json_line, reading, traces
from tracemap.errors import InputError
from tracemap.ingest import Source, open_source, opening
from tracemap.ingest.stored import OpenFile
from tracemap.ingest.streams import CHUNK_BYTES
from tracemap.intake import take_in
from tracemap.store import Store

GOOD = json_line(traces({}))
NO_TRACES = {
    "empty_file": b"",
    "not_a_trace_file": b'{"data":[{"traceID":"1"}]}',
    "truncated_tail": b"\x1f\x8b\x08",
}


@pytest.mark.parametrize("reason", NO_TRACES)
def test_a_named_file_that_is_no_trace_file_is_an_error(reason: str) -> None:
    """The user meant it; an empty result would be a lie."""
    with pytest.raises(InputError, match="'input'") as error:
        list(reading(NO_TRACES[reason]).batches())

    assert error.value.where == "input"
    assert "otlp-json" in error.value.hint


@pytest.mark.parametrize("reason", NO_TRACES)
def test_a_found_file_that_is_no_trace_file_is_noted(reason: str) -> None:
    """A README in the folder is no reason to stop."""
    found = reading(NO_TRACES[reason], named=False)
    (batch,) = found.batches()

    assert batch.rejects["reason"].to_list() == [reason]
    assert batch.rejects["line"].to_list() == [0]
    assert found.format == "unknown"


def test_the_hash_is_of_the_bytes_on_disk(tmp_path: Path) -> None:
    """It is known after the last batch, or when it is asked for; the size is known at once."""
    path = tmp_path / "a.json"
    path.write_bytes(GOOD)
    with open_source(Source(str(path))) as asked:
        asked.identify()
        assert asked.content_hash == xxhash.xxh3_128_hexdigest(GOOD)
    with open_source(Source(str(path))) as found:
        assert (found.content_hash, found.size_bytes) == (None, len(GOOD))
        (batch,) = found.batches()
        assert found.content_hash == xxhash.xxh3_128_hexdigest(GOOD)

    assert batch.spans.height == 1
    assert found.format == "otlp-json"


def test_a_new_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hash is taken while it is decoded; only its start is looked at before."""
    path = tmp_path / "a.json"
    path.write_bytes((GOOD + b"\n") * 40_000)
    sizes = []

    class Counted(OpenFile):
        def read(self, size: int = -1) -> bytes:
            data = super().read(size)
            sizes.append(len(data))
            return data

    monkeypatch.setattr(opening, "OpenFile", Counted)
    with Store.open(tmp_path / "t.duckdb", create=True) as store:
        (taken,) = take_in(store, [str(path)])

    assert taken.appended
    assert taken.appended.content_hash == xxhash.xxh3_128_hexdigest(path.read_bytes())
    assert path.stat().st_size <= sum(sizes) < path.stat().st_size + 2 * CHUNK_BYTES


def test_standard_input_is_hashed_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe can be read once only."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD)))
    with open_source(Source("-")) as found:
        assert found.content_hash is None
        assert sum(batch.spans.height for batch in found.batches()) == 1

    assert found.content_hash == xxhash.xxh3_128_hexdigest(GOOD)


def test_a_named_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """It says which one and what to check."""
    with (
        pytest.raises(InputError, match="gone"),
        open_source(Source(str(tmp_path / "gone.json"))),
    ):
        pass


def test_a_found_file_that_cannot_be_opened_is_noted(tmp_path: Path) -> None:
    """It may have been rotated away between the search and now."""
    with open_source(Source(str(tmp_path / "gone.json"), named=False)) as found:
        (batch,) = found.batches()

    assert found.format == "unreadable"
    assert batch.rejects["reason"].to_list() == ["unreadable_file"]


def test_errors_of_the_reader_are_not_taken_for_errors_of_the_file(tmp_path: Path) -> None:
    """A full disk while the database is written is not a problem of the input."""
    path = tmp_path / "a.json"
    path.write_bytes(GOOD)

    with pytest.raises(OSError, match="disk full"), open_source(Source(str(path))):
        raise OSError("disk full")


def test_leaving_a_file_early_stops_the_work_ahead(tmp_path: Path) -> None:
    """A caller may have seen enough."""
    path = tmp_path / "a.json"
    path.write_bytes(GOOD * 500)
    with open_source(Source(str(path)), block_bytes=1000) as found:
        batches = found.batches()
        assert next(batches).spans.height > 0
        del batches


def test_a_large_document_is_decoded_in_one_piece() -> None:
    """A dump of a back end is one document; memory is asked for by what it holds."""
    pad = json.dumps({"padding": "x" * (65 << 20)}).encode()
    raw = GOOD.strip()[:-1] + b"," + pad[1:]
    (batch,) = reading(raw, named=False, block_bytes=1 << 20).batches()

    assert batch.spans.height == 1
