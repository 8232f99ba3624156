"""OTLP spans as tables: what Tempo, ClickHouse and otlp2parquet write."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from tests.ingest.writers import _json_value

KINDS = ("Unspecified", "Internal", "Server", "Client", "Producer", "Consumer")
STATUSES = ("Unset", "Ok", "Error")
MAP = pa.map_(pa.string(), pa.string())
Row = dict[str, Any]


def plain(value: AnyValue) -> Any:  # noqa: ANN401
    """Return a value as Python has it."""
    sort = value.WhichOneof("value")
    if sort == "array_value":
        return [plain(each) for each in value.array_value.values]
    if sort == "kvlist_value":
        return {each.key: plain(each.value) for each in value.kvlist_value.values}
    return None if sort is None else getattr(value, sort)


def mapped(attributes: Iterable[KeyValue]) -> Row:
    return {each.key: plain(each.value) for each in attributes}


def texts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    """Return attributes as ClickHouse's exporter has them: text throughout."""
    made = {}
    for key, value in mapped(attributes).items():
        made[key] = value if isinstance(value, str) else json.dumps(value)
    return made


def rows(data: TracesData) -> Iterator[Row]:
    """Yield one row of ClickHouse's table a span, attributes as Python has them."""
    for one in data.resource_spans:
        for each in one.scope_spans:
            for span in each.spans:
                yield {
                    "Timestamp": span.start_time_unix_nano,
                    "TraceId": span.trace_id.hex(),
                    "SpanId": span.span_id.hex(),
                    "ParentSpanId": span.parent_span_id.hex(),
                    "TraceState": span.trace_state,
                    "SpanName": span.name,
                    "SpanKind": KINDS[span.kind],
                    "ServiceName": mapped(one.resource.attributes).get("service.name", ""),
                    "ResourceAttributes": one.resource.attributes,
                    "ScopeName": each.scope.name,
                    "SpanAttributes": span.attributes,
                    "Duration": span.end_time_unix_nano - span.start_time_unix_nano,
                    "StatusCode": STATUSES[span.status.code],
                    "Events.Name": [event.name for event in span.events],
                    "Events.Attributes": [event.attributes for event in span.events],
                    "Links.TraceId": [link.trace_id.hex() for link in span.links],
                    "Links.SpanId": [link.span_id.hex() for link in span.links],
                }


def parquet(table: pa.Table, **options: Any) -> bytes:  # noqa: ANN401
    raw = io.BytesIO()
    pq.write_table(table, raw, **options)
    return raw.getvalue()


def clickhouse_parquet(data: TracesData, **options: Any) -> bytes:  # noqa: ANN401
    made = [
        {
            **row,
            "Duration": row["Duration"] % (1 << 64),
            "ResourceAttributes": list(texts(row["ResourceAttributes"]).items()),
            "SpanAttributes": list(texts(row["SpanAttributes"]).items()),
            "Events.Attributes": [list(texts(each).items()) for each in row["Events.Attributes"]],
        }
        for row in rows(data)
    ]
    lists = ("Events.Name", "Links.TraceId", "Links.SpanId")
    known: dict[str, pa.DataType] = {
        "Timestamp": pa.timestamp("ns", "UTC"),
        "Duration": pa.uint64(),
        "ResourceAttributes": MAP,
        "SpanAttributes": MAP,
        "Events.Attributes": pa.list_(MAP),
        **dict.fromkeys(lists, pa.list_(pa.string())),
    }
    schema = pa.schema([(name, known.get(name, pa.string())) for name in made[0]])
    return parquet(pa.Table.from_pylist(made, schema), **options)


def otlp2parquet(data: TracesData) -> bytes:
    made = [
        {
            **{name.replace(".", ""): value for name, value in row.items()},
            "SpanKind": f"SPAN_KIND_{row['SpanKind'].upper()}",
            "StatusCode": f"STATUS_CODE_{row['StatusCode'].upper()}",
            "ResourceAttributes": json.dumps(
                {k: v for k, v in mapped(row["ResourceAttributes"]).items() if k != "service.name"}
            ),
            "SpanAttributes": json.dumps(mapped(row["SpanAttributes"])),
            "EventsAttributes": [json.dumps(mapped(each)) for each in row["Events.Attributes"]],
        }
        for row in rows(data)
    ]
    lists = ("EventsName", "EventsAttributes", "LinksTraceId", "LinksSpanId")
    known = {
        "Timestamp": pa.timestamp("ns", "UTC"),
        "Duration": pa.int64(),
        **dict.fromkeys(lists, pa.list_(pa.string())),
    }
    schema = pa.schema([(name, known.get(name, pa.string())) for name in made[0]])
    return parquet(pa.Table.from_pylist(made, schema))


def quoted(text: str) -> str:
    """Return text as ClickHouse quotes it inside of maps and lists."""
    for plain_, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain_, escaped)
    return f"'{text}'"


def _map_text(attributes: Iterable[KeyValue]) -> str:
    pairs = (f"{quoted(key)}:{quoted(value)}" for key, value in texts(attributes).items())
    return "{" + ",".join(pairs) + "}"


def _fields(row: Row) -> Row:
    start = datetime.fromtimestamp(row["Timestamp"] // 10**9, UTC)
    return {
        **row,
        "Timestamp": f"{start:%Y-%m-%d %H:%M:%S}.{row['Timestamp'] % 10**9:09}",
        "ResourceAttributes": _map_text(row["ResourceAttributes"]),
        "SpanAttributes": _map_text(row["SpanAttributes"]),
        "Events.Attributes": f"[{','.join(map(_map_text, row['Events.Attributes']))}]",
        **{
            name: f"[{','.join(map(quoted, row[name]))}]"
            for name in ("Events.Name", "Links.TraceId", "Links.SpanId")
        },
    }


def clickhouse_csv(data: TracesData) -> bytes:
    made = [_fields(row) for row in rows(data)]
    raw = io.StringIO()
    writer = csv.DictWriter(raw, list(made[0]), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writeheader()
    writer.writerows(made)
    return raw.getvalue().encode()


def clickhouse_tsv(data: TracesData) -> bytes:
    made = [_fields(row) for row in rows(data)]
    lines = ["\t".join(made[0])]
    for row in made:
        fields = [
            quoted(value)[1:-1].replace("\\'", "'") if name in ("SpanName", "ScopeName") else value
            for name, value in row.items()
        ]
        lines.append("\t".join(map(str, fields)))
    return "\n".join([*lines, ""]).encode()


def clickhouse_json(data: TracesData) -> bytes:
    lines = [
        {
            **row,
            "Timestamp": _fields(row)["Timestamp"],
            "Duration": str(row["Duration"] % (1 << 64)),
            "ResourceAttributes": texts(row["ResourceAttributes"]),
            "SpanAttributes": texts(row["SpanAttributes"]),
            "Events.Attributes": [texts(each) for each in row["Events.Attributes"]],
        }
        for row in rows(data)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


ATTRIBUTE = pa.struct(
    [
        ("Key", pa.string()),
        ("IsArray", pa.bool_()),
        ("Value", pa.list_(pa.string())),
        ("ValueInt", pa.list_(pa.int64())),
        ("ValueDouble", pa.list_(pa.float64())),
        ("ValueBool", pa.list_(pa.bool_())),
        ("ValueUnsupported", pa.string()),
    ]
)
OWN = ("Cluster", "Namespace", "Pod", "Container", "K8sClusterName", "K8sNamespaceName",
       "K8sPodName", "K8sContainerName")  # fmt: skip
SORTS = {"string_value": "Value", "int_value": "ValueInt", "double_value": "ValueDouble",
         "bool_value": "ValueBool"}  # fmt: skip


def _tempo_attribute(each: KeyValue) -> Row:
    made: Row = {"Key": each.key, "IsArray": False, **{name: [] for name in SORTS.values()}}
    sort = each.value.WhichOneof("value")
    values = [each.value]
    if sort == "array_value":
        values = list(each.value.array_value.values)
        sorts = {value.WhichOneof("value") for value in values}
        if not sorts:
            return {**made, "IsArray": True}
        if len(sorts) == 1 and sorts <= set(SORTS):
            made["IsArray"], sort = True, sorts.pop()
    if sort in SORTS:
        return {**made, SORTS[sort]: [getattr(value, sort) for value in values]}
    return {**made, "ValueUnsupported": json.dumps(_json_value(each.value))}


def _spare(
    attributes: Iterable[KeyValue], spare: dict[str, str]
) -> tuple[list[Row], dict[str, str]]:
    """Return the attributes that have no column of their own, and those that do."""
    kept, own = [], {}
    for each in attributes:
        if each.key in spare and each.value.HasField("string_value"):
            own[spare[each.key]] = each.value.string_value
        else:
            kept.append(_tempo_attribute(each))
    return kept, own


def tempo(
    data: TracesData,
    *,
    version: int = 4,
    spare: dict[str, str] | None = None,
    **options: Any,  # noqa: ANN401
) -> bytes:
    """Return a block's data file; `spare` says which attribute of spans is in which column."""
    count = 10 if version == 4 else 20
    strings = [(f"String{number:02}", pa.string()) for number in range(1, count + 1)]
    dedicated = pa.struct(strings)
    static = version == 4
    event = pa.struct(
        [("TimeSinceStartNano", pa.uint64()), ("Name", pa.string()), ("Attrs", pa.list_(ATTRIBUTE))]
    )
    link = pa.struct(
        [("TraceID", pa.binary()), ("SpanID", pa.binary()), ("TraceState", pa.string())]
    )
    span = pa.struct(
        [
            ("SpanID", pa.binary()), ("ParentSpanID", pa.binary()), ("NestedSetLeft", pa.int32()),
            ("Name", pa.string()), ("Kind", pa.int64()), ("TraceState", pa.string()),
            ("StartTimeUnixNano", pa.uint64()), ("DurationNano", pa.uint64()),
            ("StatusCode", pa.int64()), ("Attrs", pa.list_(ATTRIBUTE)),
            ("DroppedAttributesCount", pa.int32()), ("Events", pa.list_(event)),
            ("Links", pa.list_(link)),
            *([("HttpMethod", pa.string()), ("HttpUrl", pa.string()),
               ("HttpStatusCode", pa.int64())] if static else []),
            ("DedicatedAttributes", dedicated),
        ]
    )  # fmt: skip
    resource = pa.struct(
        [
            ("Attrs", pa.list_(ATTRIBUTE)), ("ServiceName", pa.string()),
            *([(name, pa.string()) for name in OWN] if static else []),
            ("DedicatedAttributes", dedicated),
        ]
    )  # fmt: skip
    scope = pa.struct([("Name", pa.string()), ("Version", pa.string())])
    scopes = pa.struct([("Scope", scope), ("Spans", pa.list_(span))])
    resources = pa.struct([("Resource", resource), ("ss", pa.list_(scopes))])
    schema = pa.schema(
        [("TraceID", pa.binary()), ("TraceIDText", pa.string()), ("rs", pa.list_(resources))]
    )
    ids = {
        span.trace_id: None
        for one in data.resource_spans
        for each in one.scope_spans
        for span in each.spans
    }
    made = [
        {
            "TraceID": trace,
            "TraceIDText": trace.hex().lstrip("0"),
            "rs": [
                _tempo_resource(one, trace, spare or {})
                for one in data.resource_spans
                if any(span.trace_id == trace for each in one.scope_spans for span in each.spans)
            ],
        }
        for trace in ids
    ]
    return parquet(pa.Table.from_pylist(made, schema), **options)


def _tempo_resource(one: ResourceSpans, trace: bytes, spare: dict[str, str]) -> Row:
    attributes = [each for each in one.resource.attributes if each.key != "service.name"]
    return {
        "Resource": {
            "Attrs": [_tempo_attribute(each) for each in attributes],
            "ServiceName": mapped(one.resource.attributes).get("service.name", ""),
        },
        "ss": [
            {
                "Scope": {"Name": each.scope.name, "Version": ""},
                "Spans": [_tempo_span(s, spare) for s in each.spans if s.trace_id == trace],
            }
            for each in one.scope_spans
        ],
    }


def _tempo_span(span: Span, spare: dict[str, str]) -> Row:
    kept, own = _spare(span.attributes, spare)
    return {
        "SpanID": span.span_id,
        "ParentSpanID": span.parent_span_id,
        "NestedSetLeft": 1,
        "Name": span.name,
        "Kind": span.kind,
        "TraceState": span.trace_state,
        "StartTimeUnixNano": span.start_time_unix_nano,
        "DurationNano": span.end_time_unix_nano - span.start_time_unix_nano,
        "StatusCode": span.status.code,
        "Attrs": kept,
        "DroppedAttributesCount": 0,
        "Events": [
            {
                "TimeSinceStartNano": 0,
                "Name": event.name,
                "Attrs": [_tempo_attribute(each) for each in event.attributes],
            }
            for event in span.events
        ],
        "Links": [{"TraceID": link.trace_id, "SpanID": link.span_id} for link in span.links],
        "DedicatedAttributes": own,
    }
