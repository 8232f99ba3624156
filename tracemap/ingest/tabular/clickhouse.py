"""ClickHouse's table ``otel_traces`` as Parquet, CSV or TSV, and otlp2parquet's Parquet.

One row a span. Attributes are maps, JSON objects in text, or maps as ClickHouse writes them in
text, where all values are strings. Events and links stand in lists beside one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemap.ingest.contents import Contents
from tracemap.ingest.formats import Task
from tracemap.ingest.kernels import columnar
from tracemap.ingest.kernels.columnar import ABSENT, SPAN_WIDTH
from tracemap.ingest.kernels.layout import Ints
from tracemap.ingest.resources import Resources
from tracemap.ingest.tabular import shape
from tracemap.ingest.tabular.columns import (
    Attributes,
    Places,
    Text,
    Values,
    nowhere,
    objects,
    texts,
    unlisted,
    whole,
    words,
)
from tracemap.ingest.tabular.parquet import is_parquet_of, read_parquet
from tracemap.ingest.tabular.shape import Shape
from tracemap.ingest.tabular.spans import FlatSpans, span_batch
from tracemap.model import Batch

REQUIRED = frozenset({"Timestamp", "TraceId", "SpanId", "SpanName", "Duration"})
"""What a table must have to be one of spans."""
WANTED = (
    *sorted(REQUIRED),
    "ParentSpanId",
    "TraceState",
    "SpanKind",
    "ServiceName",
    "ServiceNamespace",
    "ServiceInstanceId",
    "ResourceAttributes",
    "ScopeName",
    "SpanAttributes",
    "StatusCode",
    "Events.Name",
    "Events.Attributes",
    "EventsName",
    "EventsAttributes",
    "Links.TraceId",
    "Links.SpanId",
    "LinksTraceId",
    "LinksSpanId",
)
"""The columns that are read, under both spellings."""
_SHAPE: dict[str, Shape] = {
    "Timestamp": shape.time,
    "TraceId": shape.text,
    "SpanId": shape.text,
    "SpanName": shape.text,
    "Duration": shape.whole,
    **dict.fromkeys(
        ("ParentSpanId?", "TraceState?", "ServiceName?", "ServiceNamespace?", "ServiceInstanceId?",
         "ScopeName?"),
        shape.text,
    ),
    **dict.fromkeys(("SpanKind?", "StatusCode?"), shape.name_or_number),
    **dict.fromkeys(("ResourceAttributes?", "SpanAttributes?"), shape.attributes),
    **{name: [shape.attributes] for name in ("Events.Attributes?", "EventsAttributes?")},
    **{
        name: [shape.text]
        for name in ("Events.Name?", "EventsName?", "Links.TraceId?", "Links.SpanId?",
                     "LinksTraceId?", "LinksSpanId?")
    },
}  # fmt: skip
_SERVICE = {
    "ServiceName": "service.name",
    "ServiceNamespace": "service.namespace",
    "ServiceInstanceId": "service.instance.id",
}
_KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
_STATUSES = {"OK": 1, "ERROR": 2}
_NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_IMPOSSIBLE_NS = -1


def is_clickhouse_parquet(contents: Contents) -> bool:
    """Return whether this is a Parquet file with the columns of ClickHouse's traces."""
    return is_parquet_of(contents, _SHAPE)


def read_clickhouse_parquet(contents: Contents, block_bytes: int) -> Iterator[Task]:
    """Yield one task for each batch of rows."""
    return read_parquet(contents, block_bytes, _is_wanted, decoded_rows)


def _is_wanted(path: str) -> bool:
    return any(path == name or path.startswith(f"{name}.") for name in WANTED)


def decoded_rows(rows: pa.RecordBatch, first: int, resources: Resources) -> Batch:
    """Decode a batch of rows; the number of the first, from 1."""
    return span_batch(_flat(rows), first, resources)


class _Rows:
    """A batch of rows, column by column."""

    def __init__(self, rows: pa.RecordBatch) -> None:
        self.count = rows.num_rows
        self.text = Text()
        self.attributes = Attributes(self.text)
        self._rows = rows
        self._names = frozenset(rows.schema.names)

    def column(self, *names: str) -> pa.Array | None:
        """Return the first of these columns that is there."""
        return next((self._rows.column(name) for name in names if name in self._names), None)

    def places(self, name: str) -> Places:
        """Return a column of text."""
        column = self.column(name)
        return nowhere(self.count) if column is None else self.text.places(column)

    def attribute_lists(self, name: str, *, service: bool = False) -> tuple[Ints, Ints]:
        """Return where the attributes of each row start and end; with the column of services."""
        offsets = np.zeros(self.count + 1, np.int64)
        listed: list[tuple[Places, Values]] = []
        named = {}
        column = self.column(name)
        for known, key in _SERVICE.items() if service else ():
            found = self.column(known)
            if found is not None:
                values = texts(self.text, found)
                said = _says(column, key, self.count)
                named[key] = values._replace(sorts=np.where(said, ABSENT, values.sorts))
        if column is not None and pa.types.is_map(column.type):
            offsets, listed = self._map(column)
        elif column is not None and not pa.types.is_null(column.type):
            named[""] = objects(self.text, column)
        return self.attributes.interleaved(offsets, listed, named)

    def _map(self, column: pa.MapArray) -> tuple[Ints, list[tuple[Places, Values]]]:
        offsets, entries = unlisted(column)
        keys, values = entries.field(0), entries.field(1)
        return offsets, [(self.text.places(keys), texts(self.text, values, empty_is_absent=False))]

    def events(self, table: Ints) -> Ints:
        """Return the events, and note in the table of spans whose they are."""
        names = self.column("Events.Name", "EventsName")
        said = self.column("Events.Attributes", "EventsAttributes")
        both = _in_step(names, said)
        if both is None:
            return np.zeros((0, 4), np.int64)
        offsets, named, attributes = both
        table[:, columnar.EVENTS], table[:, columnar.EVENTS_END] = offsets[:-1], offsets[1:]
        lists = np.zeros(len(attributes) + 1, np.int64)
        listed: list[tuple[Places, Values]] = []
        own = {}
        if pa.types.is_map(attributes.type):
            lists, listed = self._map(attributes)
        else:
            own[""] = objects(self.text, attributes)
        found = self.attributes.interleaved(lists, listed, own)
        return np.stack([*self.text.places(named), *found], axis=1)

    def links(self, table: Ints) -> Ints:
        """Return the links, and note in the table of spans whose they are."""
        traces = self.column("Links.TraceId", "LinksTraceId")
        spans = self.column("Links.SpanId", "LinksSpanId")
        both = _in_step(traces, spans)
        if both is None:
            return np.zeros((0, 4), np.int64)
        offsets, of_traces, of_spans = both
        table[:, columnar.LINKS], table[:, columnar.LINKS_END] = offsets[:-1], offsets[1:]
        return np.stack([*self.text.places(of_traces), *self.text.places(of_spans)], axis=1)


def _says(column: pa.Array | None, key: str, count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows of a column of attributes have one of this key."""
    if column is None or pa.types.is_null(column.type):
        return np.zeros(count, np.bool_)
    if pa.types.is_map(column.type):
        offsets, entries = unlisted(column)
        equal = pc.fill_null(pc.equal(entries.field(0), key), fill_value=False)
        found = np.concatenate(([0], np.cumsum(equal.to_numpy(zero_copy_only=False))))
        return np.asarray(found[offsets[1:]] > found[offsets[:-1]])
    plain = words(column).fill_null("").str.contains(f"[\"']{re.escape(key)}[\"'] *:")
    return plain.to_numpy()


def _in_step(
    one: pa.Array | None, other: pa.Array | None
) -> tuple[Ints, pa.Array, pa.Array] | None:
    """Return the offsets and values of two columns of lists that are equally long, row by row.

    None: a column is missing, is no list, or has lists of other lengths.
    """
    if one is None or other is None or not _are_lists(one, other):
        return None
    offsets, values = unlisted(one)
    same, others = unlisted(other)
    return (offsets, values, others) if np.array_equal(offsets, same) else None


def _are_lists(*columns: pa.Array) -> bool:
    return all(pa.types.is_list(each.type) or pa.types.is_large_list(each.type) for each in columns)


def _flat(batch: pa.RecordBatch) -> FlatSpans:
    rows = _Rows(batch)
    table = np.zeros((rows.count, SPAN_WIDTH), np.int64)
    for column, name in (
        (columnar.TRACE_ID, "TraceId"),
        (columnar.SPAN_ID, "SpanId"),
        (columnar.PARENT_ID, "ParentSpanId"),
        (columnar.NAME, "SpanName"),
        (columnar.SCOPE, "ScopeName"),
        (columnar.STATE, "TraceState"),
    ):
        table[:, column], table[:, column + 1] = rows.places(name)
    start = _nanoseconds(rows.column("Timestamp"), rows.count)
    duration = whole(rows.column("Duration"), rows.count)
    table[:, columnar.START] = start
    table[:, columnar.END] = np.where(start == _IMPOSSIBLE_NS, start, start + duration)
    table[:, columnar.KIND] = _numbers(rows.column("SpanKind"), _KINDS, rows.count)
    table[:, columnar.STATUS] = _numbers(rows.column("StatusCode"), _STATUSES, rows.count)
    table[:, columnar.RECORD] = table[:, columnar.RESOURCE] = np.arange(rows.count)
    of_resources = rows.attribute_lists("ResourceAttributes", service=True)
    found = rows.attribute_lists("SpanAttributes")
    table[:, columnar.ATTRIBUTES], table[:, columnar.ATTRIBUTES_END] = found
    return FlatSpans(
        rows.text,
        table,
        np.stack(of_resources, axis=1),
        events=rows.events(table),
        links=rows.links(table),
        attributes=rows.attributes.table(),
    )


def _nanoseconds(column: pa.Array | None, count: int) -> Ints:
    """Return times in nanoseconds; what is none becomes one before 1970, which is rejected."""
    if column is None:
        return np.full(count, _IMPOSSIBLE_NS, np.int64)
    if pa.types.is_timestamp(column.type):
        unit = _NANOSECONDS[column.type.unit]
        return whole(column.cast(pa.int64()), count) * unit
    if pa.types.is_integer(column.type):
        return whole(column, count)
    times = words(column).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="ns", strict=False)
    return times.to_physical().fill_null(_IMPOSSIBLE_NS).to_numpy().astype(np.int64)


def _numbers(column: pa.Array | None, known: dict[str, int], count: int) -> Ints:
    """Return kinds or statuses as numbers, in old or new spelling; 0: unknown."""
    if column is None:
        return np.zeros(count, np.int64)
    if pa.types.is_integer(column.type):
        return whole(column, count)
    plain = (
        words(column)
        .str.to_uppercase()
        .str.strip_prefix("SPAN_KIND_")
        .str.strip_prefix("STATUS_CODE_")
    )
    return plain.replace_strict(known, default=0, return_dtype=pl.Int64).to_numpy()
