"""Tempo's blocks: ``data.parquet`` of vParquet4 and vParquet5, one row a trace.

A row holds its spans three lists deep: resources, scopes, spans. Some attributes stand in columns
of their own. The spare columns (``DedicatedAttributes``) are named by ``meta.json`` beside the
file; where it does not name one, they keep the column's name behind ``tempo.dedicated.``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from tracemap.ingest.contents import Contents
from tracemap.ingest.formats import Task
from tracemap.ingest.kernels import columnar
from tracemap.ingest.kernels.columnar import ABSENT, ARRAY, NULL, PIECE, SPAN_WIDTH
from tracemap.ingest.kernels.layout import Ints
from tracemap.ingest.resources import Resources
from tracemap.ingest.tabular import shape
from tracemap.ingest.tabular.columns import (
    Attributes,
    Places,
    Text,
    Values,
    lists,
    nowhere,
    scalars,
    texts,
    unlisted,
    valid,
    whole,
)
from tracemap.ingest.tabular.parquet import is_parquet_of, read_parquet
from tracemap.ingest.tabular.shape import Shape
from tracemap.ingest.tabular.spans import FlatSpans, span_batch
from tracemap.model import Batch

_META = "meta.json"
_UNNAMED = "tempo.dedicated."
_OF_RESOURCES = {
    "ServiceName": "service.name",
    "Cluster": "cluster",
    "Namespace": "namespace",
    "Pod": "pod",
    "Container": "container",
    "K8sClusterName": "k8s.cluster.name",
    "K8sNamespaceName": "k8s.namespace.name",
    "K8sPodName": "k8s.pod.name",
    "K8sContainerName": "k8s.container.name",
}
_OF_SPANS = {
    "HttpMethod": "http.method",
    "HttpUrl": "http.url",
    "HttpStatusCode": "http.status_code",
}
_VALUES = ("Value", "ValueInt", "ValueDouble", "ValueBool")
_UNUSED = re.compile(
    r"^(?!TraceID$|rs\.)|\.(Nested\w*|ParentID|StartTimeRounded\w*|ChildCount|StatusMessage"
    r"|TimeSinceStartNano)$|\.Scope\.(?!Name$)|\.Links\.(.*\.)?(Attrs\.|TraceState$|Dropped)"
    r"|\.Events\.(.*\.)?(Dropped\w*$|DedicatedAttributes\.)|\.Resource\.Dropped"
)
_ATTRIBUTES: Shape = [
    {
        "Key": shape.text,
        "IsArray?": shape.truth,
        "Value?": [shape.text],
        "ValueInt?": [shape.whole],
        "ValueDouble?": [shape.double],
        "ValueBool?": [shape.truth],
        "ValueUnsupported?": shape.text,
    }
]
_SPAN: dict[str, Shape] = {
    "SpanID": shape.text,
    "ParentSpanID": shape.text,
    "Name": shape.text,
    "StartTimeUnixNano": shape.whole,
    "DurationNano": shape.whole,
    "TraceState?": shape.text,
    "Kind?": shape.whole,
    "StatusCode?": shape.whole,
    "DroppedAttributesCount?": shape.whole,
    "DroppedEventsCount?": shape.whole,
    "DroppedLinksCount?": shape.whole,
    "Attrs?": _ATTRIBUTES,
    "Events?": [{"Name": shape.text, "Attrs?": _ATTRIBUTES}],
    "Links?": [{"TraceID": shape.text, "SpanID": shape.text}],
    "DedicatedAttributes?": shape.spare,
    **{f"{name}?": shape.spare for name in _OF_SPANS},
}
_RESOURCE: dict[str, Shape] = {
    "Attrs?": _ATTRIBUTES,
    "DedicatedAttributes?": shape.spare,
    **{f"{name}?": shape.text for name in _OF_RESOURCES},
}
_SCOPE: dict[str, Shape] = {"Scope?": {"Name": shape.text}, "Spans": [_SPAN]}
_SHAPE: dict[str, Shape] = {
    "TraceID": shape.text,
    "rs": [{"Resource": _RESOURCE, "ss": [_SCOPE]}],
}
_SPARE = re.compile(r"(String|Int)(\d\d)")

Names = Mapping[tuple[str, str], str]
"""Scope (``span``, ``resource``) and spare column to the attribute that it holds."""


def is_tempo_parquet(contents: Contents) -> bool:
    """Return whether this is a Parquet file with the columns of Tempo's traces."""
    return is_parquet_of(contents, _SHAPE)


def read_tempo_parquet(contents: Contents, block_bytes: int) -> Iterator[Task]:
    """Yield one task for each batch of traces."""
    names = _spare_names(contents.beside(_META))
    decode = partial(_decoded, names=names)
    return read_parquet(contents, block_bytes, lambda path: not _UNUSED.search(path), decode)


def _spare_names(meta: bytes | None) -> Names:
    """Return what the spare columns hold: per scope and type in the order of ``meta.json``."""
    try:
        said = json.loads(meta or b"{}")
    except ValueError:
        return {}
    columns = said.get("dedicatedColumns") if isinstance(said, dict) else None
    names = {}
    counts: dict[tuple[str, str], int] = {}
    for column in columns if isinstance(columns, list) else []:
        if not isinstance(column, dict):
            continue
        scope = str(column.get("s") or column.get("scope") or "span")
        sort = str(column.get("t") or column.get("type") or "string").capitalize()
        number = counts[scope, sort] = counts.get((scope, sort), 0) + 1
        names[scope, f"{sort}{number:02}"] = str(column.get("n") or column.get("name") or "")
    return names


@dataclass
class _Trace:
    """The columns of a batch of traces, each level laid flat."""

    text: Text
    attributes: Attributes
    names: Names

    def attribute_lists(
        self, owner: pa.StructArray, scope: str, own: Mapping[str, str]
    ) -> tuple[Ints, Ints]:
        """Return where the attributes of each `owner` start and end: listed and in own columns."""
        offsets, listed = np.zeros(len(owner) + 1, np.int64), []
        attrs = _field(owner, "Attrs")
        if attrs is not None:
            offsets, elements = unlisted(attrs)
            listed = [self._listed(elements)]
        named = {}
        for column, key in own.items():
            found = _field(owner, column)
            if found is not None:
                is_text = pa.types.is_string(found.type) or pa.types.is_large_string(found.type)
                named[key] = texts(self.text, found) if is_text else scalars(self.text, found)
        for column, found in _spares(_field(owner, "DedicatedAttributes")):
            if len(found) and found.null_count < len(found):
                key = self.names.get((scope, column)) or f"{_UNNAMED}{column.lower()}"
                named[key] = self._spare(found)
        return self.attributes.interleaved(offsets, listed, named)

    def _spare(self, column: pa.Array) -> Values:
        if not _is_list(column):
            return scalars(self.text, column)
        values = self._from_lists([column], None)
        return values._replace(sorts=np.where(values.sorts == NULL, ABSENT, values.sorts))

    def _listed(self, elements: pa.StructArray) -> tuple[Places, Values]:
        keys = self.text.places(elements.field("Key"))
        columns = [found for name in _VALUES if (found := _field(elements, name)) is not None]
        values = self._from_lists(columns, _field(elements, "IsArray"))
        odd = _field(elements, "ValueUnsupported")
        if odd is not None and odd.null_count < len(odd):
            places = self.text.places(odd)
            there = valid(odd)
            values = Values(
                np.where(there, PIECE, values.sorts),
                np.where(there, places.starts, values.first),
                np.where(there, places.lengths, values.second),
            )
        return keys, values

    def _from_lists(self, columns: list[pa.Array], is_array: pa.Array | None) -> Values:
        """Return one value from the lists of several types, of which at most one holds any."""
        count = len(columns[0]) if columns else 0
        array = np.zeros(count, np.bool_)
        if is_array is not None:
            array = is_array.to_numpy(zero_copy_only=False).astype(np.bool_)
        sorts = np.where(array, ARRAY, NULL).astype(np.int64)
        first, second = np.zeros(count, np.int64), np.zeros(count, np.int64)
        for column in columns:
            offsets, elements = unlisted(column)
            lengths = np.diff(offsets)
            values = scalars(self.text, elements)
            is_list = (array & (lengths > 0)) | (lengths > 1)
            if is_list.any():
                start = self.attributes.add(nowhere(len(elements)), values)
                found = lists(offsets, start)
                sorts[is_list] = ARRAY
                first[is_list], second[is_list] = found.first[is_list], found.second[is_list]
            single = (lengths == 1) & ~is_list
            at = offsets[:-1][single]
            sorts[single] = values.sorts[at]
            first[single], second[single] = values.first[at], values.second[at]
        return Values(sorts, first, second)


def _field(owner: pa.StructArray, name: str) -> pa.Array | None:
    number = owner.type.get_field_index(name)
    return owner.field(number) if number >= 0 else None


def _is_list(column: pa.Array) -> bool:
    return bool(pa.types.is_list(column.type) or pa.types.is_large_list(column.type))


def _spares(owner: pa.StructArray | None) -> Iterator[tuple[str, pa.Array]]:
    """Yield the spare columns in a struct, and in the structs in it."""
    if owner is None:
        return
    for number in range(owner.type.num_fields):
        name, column = owner.type.field(number).name, owner.field(number)
        if _SPARE.fullmatch(name):
            yield name, column
        elif pa.types.is_struct(column.type):
            yield from _spares(column)


def _decoded(rows: pa.RecordBatch, first: int, resources: Resources, *, names: Names) -> Batch:
    """Decode a batch of traces."""
    return span_batch(_flat(rows, names), first, resources)


def _flat(rows: pa.RecordBatch, names: Names) -> FlatSpans:
    text = Text()
    made = _Trace(text, Attributes(text), names)
    rs_offsets, rs = unlisted(rows.column("rs"))
    ss_offsets, ss = unlisted(rs.field("ss"))
    span_offsets, spans = unlisted(ss.field("Spans"))
    of_scope = np.repeat(np.arange(len(ss)), np.diff(span_offsets))
    of_resource = np.repeat(np.arange(len(rs)), np.diff(ss_offsets))[of_scope]
    of_row = np.repeat(np.arange(len(rows)), np.diff(rs_offsets))[of_resource]

    table = _span_table(text, spans)
    _place(table, columnar.TRACE_ID, text.places(rows.column("TraceID")), of_row)
    scope = _field(ss, "Scope")
    if scope is not None:
        _place(table, columnar.SCOPE, text.places(scope.field("Name")), of_scope)
    table[:, columnar.RECORD] = of_row
    table[:, columnar.RESOURCE] = of_resource
    found = made.attribute_lists(spans, "span", _OF_SPANS)
    table[:, columnar.ATTRIBUTES], table[:, columnar.ATTRIBUTES_END] = found
    of_resources = made.attribute_lists(rs.field("Resource"), "resource", _OF_RESOURCES)
    return FlatSpans(
        text,
        table,
        np.stack(of_resources, axis=1),
        events=_events(made, spans, table),
        links=_links(made, spans, table),
        attributes=made.attributes.table(),
        raw=True,
    )


def _span_table(text: Text, spans: pa.StructArray) -> Ints:
    """Return the rows of `FlatSpans` with what the columns of the spans themselves say."""
    count = len(spans)
    table = np.zeros((count, SPAN_WIDTH), np.int64)
    _place(table, columnar.SPAN_ID, text.places(spans.field("SpanID")))
    _place(table, columnar.PARENT_ID, text.places(spans.field("ParentSpanID")))
    _place(table, columnar.NAME, text.places(spans.field("Name")))
    state = _field(spans, "TraceState")
    if state is not None:
        _place(table, columnar.STATE, text.places(state))
    start = whole(spans.field("StartTimeUnixNano"), count)
    table[:, columnar.START] = start
    table[:, columnar.END] = start + whole(spans.field("DurationNano"), count)
    table[:, columnar.KIND] = whole(_field(spans, "Kind"), count)
    table[:, columnar.STATUS] = whole(_field(spans, "StatusCode"), count)
    table[:, columnar.DROPPED] = sum(
        whole(_field(spans, f"Dropped{what}Count"), count)
        for what in ("Attributes", "Events", "Links")
    )
    return table


def _place(table: Ints, column: int, places: Places, owners: Ints | None = None) -> None:
    starts, lengths = places
    table[:, column] = starts if owners is None else starts[owners]
    table[:, column + 1] = lengths if owners is None else lengths[owners]


def _events(made: _Trace, spans: pa.StructArray, table: Ints) -> Ints:
    column = _field(spans, "Events")
    if column is None:
        return np.zeros((0, 4), np.int64)
    offsets, events = unlisted(column)
    table[:, columnar.EVENTS], table[:, columnar.EVENTS_END] = offsets[:-1], offsets[1:]
    names = made.text.places(events.field("Name"))
    return np.stack([*names, *made.attribute_lists(events, "event", {})], axis=1)


def _links(made: _Trace, spans: pa.StructArray, table: Ints) -> Ints:
    column = _field(spans, "Links")
    if column is None:
        return np.zeros((0, 4), np.int64)
    offsets, links = unlisted(column)
    table[:, columnar.LINKS], table[:, columnar.LINKS_END] = offsets[:-1], offsets[1:]
    traces, linked = (
        made.text.places(links.field("TraceID")),
        made.text.places(links.field("SpanID")),
    )
    return np.stack([*traces, *linked], axis=1)
