"""Spans in tables, against the same spans in OTLP."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
import zstandard
from hypothesis import given, settings
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from polars.testing import assert_frame_equal

from tests.ingest.tables import (
    clickhouse_csv,
    clickhouse_json,
    clickhouse_parquet,
    clickhouse_tsv,
    otlp2parquet,
    parquet,
    tempo,
)
from tests.ingest.writers import START_NS, attributes, batches, reading, traces, wide
from tracemap.errors import InputError
from tracemap.ingest import Source, open_source

Write = Callable[[TracesData], bytes]
TYPED: dict[str, Write] = {
    "tempo-parquet": tempo,
    "tempo-parquet, version 5": lambda data: tempo(data, version=5),
    "clickhouse-parquet, by otlp2parquet": otlp2parquet,
}
UNTYPED: dict[str, Write] = {
    "clickhouse-parquet": clickhouse_parquet,
    "clickhouse-csv": clickhouse_csv,
    "clickhouse-csv, with tabs": clickhouse_tsv,
    "clickhouse-json": clickhouse_json,
}
ALL = TYPED | UNTYPED
RICH = traces(
    {"trace": 1, "span": 1, "kind": 2, "name": "GET /cart/{id}", "end": START_NS + 5000},
    {
        "trace": 1,
        "span": 2,
        "parent": 1,
        "kind": 3,
        "status": 2,
        "state": "ot=th:8",
        "links": [(7, 8), (9, 10)],
        "exceptions": ['it\'s "broken"', "Second"],
        "name": "naïve \\ 'quoted' \"name\"\nof two\tlines",
        "attributes": {"http.request.method": "GET", "quote": 'it\'s \\ "x"\n\t', "ü": "ö"},
    },
    {"trace": 2**127, "span": 2**63, "kind": 0, "attributes": {}, "end": START_NS},
    resource={"service.name": "shop", "service.version": "1.2", "host.name": "a'b\"c"},
)
TYPES = {
    "text": "a",
    "empty": "",
    "whole": -5,
    "large": 2**63 - 1,
    "true": True,
    "double": 0.30000000000000004,
    "huge": 1e300,
    "texts": ["a", "b'c\"", ""],
    "one": ["a"],
    "wholes": [1, 2],
    "doubles": [0.5, 1.25],
    "none": [],
    "mixed": ["a", 1],
    "map": {"a": {"b": [1, "c"]}},
}
OPTIONAL, REQUIRED = b"\x25\x02", b"\x25\x00"
"""Whether a column in a footer of Parquet can be null."""
NUMBERS_0_64, NUMBERS_0_127 = b"\x07\x03\x00\x20\x00\x00", b"\x07\x03\x80\x3f\x00\x00"
"""Two numbers of seven bits each in a page of Parquet."""


def same(raw: bytes, data: TracesData, *, ignoring: tuple[str, ...] = ()) -> None:
    """Check that a table holds the spans of `data`, and nothing was rejected."""
    found = batches(raw)
    wanted = batches(data.SerializeToString())
    assert sum(batch.rejects.height for batch in found) == 0
    keys = ["trace_high", "trace_low", "span_id"]
    one, other = (
        wide(each for each in both if each.spans.height)
        .with_columns(
            pl.col("attributes", "attributes_of_resource").map_elements(
                lambda text: json.dumps(attributes(text), sort_keys=True),
                pl.String,
                skip_nulls=False,
            )
        )
        .sort(keys)
        .drop(ignoring)
        for both in (found, wanted)
    )
    assert_frame_equal(one, other)
    links = pl.concat(batch.links for batch in found), pl.concat(batch.links for batch in wanted)
    assert_frame_equal(*links, check_row_order=False)


@pytest.mark.parametrize("name", ALL)
def test_a_table_holds_the_same_spans(name: str) -> None:
    """Ids, times, names, kinds, errors, links, sampling, attributes and resources."""
    raw = ALL[name](RICH)

    same(raw, RICH)
    found = reading(raw)
    list(found.batches())
    assert found.format == name.partition(",")[0]


@pytest.mark.parametrize("name", TYPED)
def test_typed_attributes_keep_their_types(name: str) -> None:
    """Lists, maps and numbers to the last digit."""
    data = traces({"attributes": TYPES}, resource={**TYPES, "service.name": "shop"})

    same(TYPED[name](data), data)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)
KEYS = TEXT.filter(lambda key: key not in ("", "service.name"))
SPANS = st.lists(
    st.fixed_dictionaries(
        {
            "trace": st.integers(1, 3),
            "parent": st.integers(0, 2**64 - 1),
            "name": TEXT,
            "kind": st.integers(0, 5),
            "status": st.integers(0, 2),
            "end": st.integers(START_NS, START_NS + 10**9),
            "attributes": st.dictionaries(KEYS, TEXT, max_size=3),
            "exceptions": st.lists(TEXT.filter(bool), max_size=2),
        }
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("name", ALL)
@given(spans=SPANS, resource=st.dictionaries(KEYS, TEXT, max_size=2))
@settings(max_examples=12, deadline=None)
def test_any_text_survives(name: str, spans: list[Any], resource: dict[str, str]) -> None:
    """Quotes, backslashes, line ends, brackets, whatever the language."""
    data = traces(*spans, resource={"service.name": "shop", **resource})

    same(ALL[name](data), data)


def test_rows_are_read_in_batches() -> None:
    """The size of a batch and of a group of rows changes nothing."""
    data = traces(
        *({"trace": at % 7 + 1, "span": at, "attributes": {"n": str(at)}} for at in range(1, 99))
    )
    for raw in (tempo(data, row_group_size=2), clickhouse_parquet(data, row_group_size=10)):
        whole = batches(raw)
        cut = batches(raw, block_bytes=1)
        assert len(cut) > len(whole) > 1
        assert_frame_equal(
            *(wide(both).sort("span_id") for both in (whole, cut)), check_column_order=False
        )


@pytest.mark.parametrize("wrap", [gzip.compress, zstandard.compress])
def test_a_table_in_another_wrapping_is_read_from_memory(wrap: Callable[[bytes], bytes]) -> None:
    """Its end says where its rows are; a stream has no end yet."""
    same(wrap(tempo(RICH)), RICH)
    same(wrap(clickhouse_csv(RICH)), RICH)


def test_the_hash_of_a_table_is_of_all_its_bytes(tmp_path: Path) -> None:
    """Though they are read in any order, the end first, while the hash is taken from the start."""
    path = tmp_path / "data.parquet"
    noise = {"noise": hashlib.shake_128(b"noise").hexdigest(3 << 20)}
    path.write_bytes(tempo(traces({"span": 1}, {"span": 2, "attributes": noise})))
    with open_source(Source(str(path))) as found:
        list(found.batches())

    assert found.size_bytes == path.stat().st_size > 2 << 20
    assert found.content_hash == xxhash.xxh3_128_hexdigest(path.read_bytes())


def test_spare_columns_get_their_names_from_beside(tmp_path: Path) -> None:
    """Tempo writes what they hold into meta.json only."""
    spans = {"attributes": {"tenant": "a", "shard": "b", "kept": "c"}}
    path = tmp_path / "data.parquet"
    path.write_bytes(tempo(traces(spans), spare={"tenant": "String01", "shard": "String02"}))
    columns = [{"s": "resource", "n": "ip"}, {"n": "tenant"}, {"s": "span", "n": "shard"}]

    def read() -> dict[str, Any]:
        with open_source(Source(str(path))) as found:
            return attributes(wide(found.batches()).row(0, named=True)["attributes"])

    unnamed = {"tempo.dedicated.string01": "a", "tempo.dedicated.string02": "b", "kept": "c"}
    assert read() == unnamed
    (tmp_path / "meta.json").write_text("[]")
    assert read() == unnamed
    (tmp_path / "meta.json").write_text(json.dumps({"dedicatedColumns": columns}))
    assert read() == {"tenant": "a", "shard": "b", "kept": "c"}


def test_a_wrong_span_is_rejected_alone_with_its_row() -> None:
    """A bad id is the row's own matter."""
    text = clickhouse_csv(traces({"span": 1}, {"span": 2}, {"span": 3}))
    found = batches(text.replace(b"0000000000000002", b"000000000000000z"))

    assert sum(batch.spans.height for batch in found) == 2
    rejects = pl.concat(batch.rejects for batch in found)
    assert rejects.select("line", "reason").rows() == [(2, "span_id_invalid")]


@pytest.mark.parametrize("write", [clickhouse_csv, clickhouse_json])
def test_a_time_that_cannot_be_read_is_rejected(write: Write) -> None:
    """It is counted, and does not become a span of the year 1970."""
    before, after = write(traces({"span": 1}, {"span": 2})).rsplit(b"2023-11-14", 1)
    found = batches(before + b"someday" + after)

    assert sum(batch.spans.height for batch in found) == 1
    rejects = pl.concat(batch.rejects for batch in found)
    assert rejects["reason"].to_list() == ["time_invalid"]


def test_a_row_with_too_few_fields_is_rejected_alone() -> None:
    """A CSV that was cut keeps its whole rows."""
    for write in (clickhouse_csv, clickhouse_tsv):
        raw = write(traces({"span": 1}, {"span": 2}))
        found = batches(raw + b"1,2,3\n")
        assert sum(batch.spans.height for batch in found) == 2
        assert [reason for batch in found for reason in batch.rejects["reason"]] == ["bad_row"]


def test_a_duration_that_wrapped_is_negative() -> None:
    """ClickHouse keeps durations without a sign."""
    data = traces({"end": START_NS - 1})

    same(clickhouse_parquet(data), data)


def test_parquet_of_something_else_says_what_it_has() -> None:
    """So that people see what they exported."""
    raw = parquet(pa.table({"city": ["Rome"], "height": [21]}))
    (batch,) = batches(raw)
    assert batch.rejects["excerpt"].to_list() == ["Parquet with the columns city, height"]
    with pytest.raises(InputError, match="with the columns city, height"):
        list(reading(raw).batches())


@pytest.mark.parametrize("write", [tempo, clickhouse_parquet])
def test_a_damaged_group_of_rows_costs_itself_only(write: Callable[..., bytes]) -> None:
    """The groups behind it are read; the loss is counted."""
    data = traces(*({"trace": at, "span": at} for at in range(1, 31)))
    raw = bytearray(write(data, row_group_size=10, compression="none", write_page_checksum=True))
    at = raw.index(bytes.fromhex(f"{15:032x}") if write is tempo else f"{15:032x}".encode())
    raw[at + 3] ^= 0xFF
    found = batches(bytes(raw))

    assert sum(batch.spans.height for batch in found) == 20
    rejects = pl.concat(batch.rejects for batch in found)
    assert rejects.select("line", "reason", "records").rows() == [(11, "corrupt_parquet", 10)]


@pytest.mark.parametrize("write", [tempo, clickhouse_parquet])
def test_columns_that_contradict_their_schema_are_a_damaged_group(write: Write) -> None:
    """One that cannot be null, says the schema, but counts nulls: pyarrow aborts if asked of it."""
    raw = bytearray(write(traces({"span": 1}, {"span": 2})))
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    at = raw.index(OPTIONAL, footer)
    raw[at : at + len(OPTIONAL)] = REQUIRED
    (found,) = batches(bytes(raw))

    assert found.spans.is_empty()
    assert found.rejects["reason"].to_list() == ["corrupt_parquet"]


@pytest.mark.parametrize("column", ["SpanName", "SpanKind", "StatusCode", "Timestamp", "SpanId"])
def test_text_in_a_table_that_is_no_utf_8(column: str) -> None:
    """Nothing checks it before us; the span comes out, or is rejected for what it lacks."""
    table = pq.read_table(io.BytesIO(clickhouse_parquet(traces({"span": 1}, {"span": 2}))))
    raw = pa.array([b"\xc3\xff\xf0" * 9, b"\xe2\x82\xf4" * 99]).view(pa.string())
    found = batches(parquet(table.set_column(table.column_names.index(column), column, raw)))

    rejected = sum(batch.rejects["records"].sum() for batch in found)
    assert sum(batch.spans.height for batch in found) + rejected == 2
    assert bool(rejected) is (column in {"SpanId", "Timestamp"})


@pytest.mark.parametrize("column", ["SpanName", "SpanKind", "Links.SpanId"])
def test_a_number_without_its_text_is_a_damaged_group(column: str) -> None:
    """Arrow keeps repeated text as numbers; it looks up whatever number stands in the file."""
    data = traces({"span": 1, "links": [(1, 2)]}, {"span": 2, "links": [(1, 2)]})
    table = pq.read_table(io.BytesIO(clickhouse_parquet(data)))
    texts = pa.array([f"{number:016x}" for number in range(1, 66)])
    values = pa.DictionaryArray.from_arrays(pa.array([0, 64]), texts)
    if column.startswith("Links"):
        values = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), values)
    table = table.set_column(table.column_names.index(column), column, values)
    raw = parquet(table, compression="none")
    at = raw.index(NUMBERS_0_64)
    raw = raw[:at] + NUMBERS_0_127 + raw[at + len(NUMBERS_0_127) :]
    (found,) = batches(raw)

    assert found.spans.is_empty()
    assert found.rejects.select("reason", "records").rows() == [("corrupt_parquet", 2)]


def test_a_column_without_bytes_is_a_damaged_group() -> None:
    """Asked for such a column pyarrow gives no rows at all, and raises nothing."""
    raw = bytearray(clickhouse_parquet(traces({"span": 1}, {"span": 2})))
    group = pq.read_metadata(io.BytesIO(bytes(raw))).row_group(0)
    column = group.column(1)
    compressed = column.total_compressed_size
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    offset = _zigzag(column.data_page_offset)
    at = raw.index(b"\x16" + _zigzag(compressed) + b"&" + offset, footer) + 1
    raw[at : at + len(_zigzag(compressed))] = b"\x80" * (len(_zigzag(compressed)) - 1) + b"\0"
    (found,) = batches(bytes(raw))

    assert found.rejects.select("reason", "records").rows() == [("corrupt_parquet", 2)]


def _zigzag(number: int) -> bytes:
    """Return a whole number as Thrift's compact protocol writes it."""
    left, written = 2 * number, bytearray()
    while left > 127:
        written.append(left & 127 | 128)
        left >>= 7
    return bytes([*written, left])


@pytest.mark.parametrize("write", [tempo, clickhouse_parquet])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_metadata_that_lies_is_no_crash(write: Write, data: st.DataObject) -> None:
    """Whatever is changed in the footer: spans or reasons, in bounded time and memory."""
    raw = bytearray(write(traces({"span": 1}, {"span": 2})))
    size = int.from_bytes(raw[-8:-4], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(len(raw) - 8 - size, len(raw) - 1), label="at")
        raw[at] = data.draw(st.integers(0, 255), label="byte")
    found = batches(bytes(raw))

    assert found


@pytest.mark.parametrize("write", [clickhouse_csv, clickhouse_tsv])
def test_row_of_text_that_is_no_utf_8_and_has_too_few_fields(write: Write) -> None:
    """It is counted like any other bad row; the rows around it come out."""
    raw = write(traces({"span": 1}, {"span": 2})) + b"\xf5\xf6 no row\n"
    found = batches(raw)

    assert sum(batch.spans.height for batch in found) == 2
    assert [batch.rejects["reason"].to_list() for batch in found if batch.rejects.height] == [
        ["bad_row"]
    ]
