"""Spans written as OTLP, in both encodings, by the official protobuf classes."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from tracemap.ingest.reading import FileReading
from tracemap.ingest.stored import stored_file
from tracemap.model import LINKS, OPERATIONS, REJECTS, RESOURCES, SPANS, Batch

START_NS = 1_700_000_000_000_000_000


def any_value(value: object) -> AnyValue:
    """Return a Python value as OTLP's tagged one."""
    made = AnyValue()
    match value:
        case bool():
            made.bool_value = value
        case str():
            made.string_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case bytes():
            made.bytes_value = value
        case list():
            made.array_value.SetInParent()
            made.array_value.values.extend(any_value(each) for each in value)
        case dict():
            made.kvlist_value.SetInParent()
            made.kvlist_value.values.extend(key_values(value))
        case _:
            pass
    return made


def key_values(attributes: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def traces(
    *spans: Mapping[str, Any],
    resource: Mapping[str, object] | None = None,
    scope: str = "",
) -> TracesData:
    """Return one resource and one scope with these spans.

    A span is a mapping with any of trace, span, parent (integers), name, kind, start, end,
    attributes, status, flags, state, links (pairs of ids) and exceptions (types).
    """
    data = TracesData()
    resource_spans = data.resource_spans.add()
    resource_spans.resource.attributes.extend(key_values(resource or {"service.name": "shop"}))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = scope
    for number, given in enumerate(spans, 1):
        span = scope_spans.spans.add()
        span.trace_id = given.get("trace", 1).to_bytes(16, "big")
        span.span_id = given.get("span", number).to_bytes(8, "big")
        if given.get("parent"):
            span.parent_span_id = given["parent"].to_bytes(8, "big")
        span.name = given.get("name", "work")
        span.kind = given.get("kind", 1)
        span.start_time_unix_nano = given.get("start", START_NS)
        span.end_time_unix_nano = given.get("end", START_NS + 1000)
        span.attributes.extend(key_values(given.get("attributes", {})))
        span.status.code = given.get("status", 0)
        span.flags = given.get("flags", 0)
        span.trace_state = given.get("state", "")
        for linked_trace, linked_span in given.get("links", ()):
            link = span.links.add()
            link.trace_id = linked_trace.to_bytes(16, "big")
            link.span_id = linked_span.to_bytes(8, "big")
        for exception in given.get("exceptions", ()):
            event = span.events.add(name="exception")
            event.attributes.extend(key_values({"exception.type": exception}))
    return data


def _json_number(number: float) -> float | str:
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _json_value(value: AnyValue) -> dict[str, Any]:
    spelled: dict[str | None, Callable[[], dict[str, Any]]] = {
        None: dict,
        "string_value": lambda: {"stringValue": value.string_value},
        "bool_value": lambda: {"boolValue": value.bool_value},
        "int_value": lambda: {"intValue": str(value.int_value)},
        "double_value": lambda: {"doubleValue": _json_number(value.double_value)},
        "bytes_value": lambda: {"bytesValue": base64.b64encode(value.bytes_value).decode()},
        "array_value": lambda: {
            "arrayValue": {"values": [_json_value(each) for each in value.array_value.values]}
        },
        "kvlist_value": lambda: {
            "kvlistValue": {"values": _json_attributes(value.kvlist_value.values)}
        },
    }
    return spelled[value.WhichOneof("value")]()


def _json_attributes(attributes: Iterable[KeyValue]) -> list[dict[str, Any]]:
    return [{"key": each.key, "value": _json_value(each.value)} for each in attributes]


def as_json(data: TracesData) -> dict[str, Any]:
    """Return the message as OTLP/JSON."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _json_attributes(one.resource.attributes)},
                "scopeSpans": [
                    {
                        "scope": {"name": each.scope.name},
                        "spans": [_json_span(span) for span in each.spans],
                    }
                    for each in one.scope_spans
                ],
            }
            for one in data.resource_spans
        ]
    }


def _json_span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "traceState": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": _json_attributes(span.attributes),
        "events": [
            {"name": event.name, "attributes": _json_attributes(event.attributes)}
            for event in span.events
        ],
        "links": [
            {"traceId": link.trace_id.hex(), "spanId": link.span_id.hex()} for link in span.links
        ],
        "status": {"code": span.status.code},
    }


def json_line(data: TracesData) -> bytes:
    return json.dumps(as_json(data), separators=(",", ":")).encode() + b"\n"


def framed(*messages: bytes) -> bytes:
    return b"".join(len(message).to_bytes(4, "big") + message for message in messages)


def reading(raw: bytes, *, block_bytes: int = 1 << 24, named: bool = True) -> FileReading:
    return FileReading(stored_file("input", io.BytesIO(raw), named=named), block_bytes=block_bytes)


def batches(raw: bytes, *, block_bytes: int = 1 << 24, named: bool = False) -> list[Batch]:
    return list(reading(raw, block_bytes=block_bytes, named=named).batches())


def only_batch(raw: bytes) -> Batch:
    (batch,) = batches(raw)
    check_columns(batch)
    return batch


def check_columns(batch: Batch) -> None:
    """All tables of a batch have the columns that the store takes."""
    for table, frame in (
        (SPANS, batch.spans),
        (OPERATIONS, batch.operations),
        (RESOURCES, batch.resources),
        (LINKS, batch.links),
        (REJECTS, batch.rejects),
    ):
        assert frame.schema == table.schema


def only_span(raw: bytes) -> dict[str, Any]:
    """Return the one span in a file, joined with its operation and resource."""
    return wide([only_batch(raw)]).row(0, named=True)


def wide(found: Iterable[Batch]) -> pl.DataFrame:
    """Return the spans of batches with what their ids stand for."""
    return pl.concat(
        batch.spans.join(batch.operations, on="operation_id", maintain_order="left")
        .join(batch.resources, on="resource_id", maintain_order="left", suffix="_of_resource")
        .drop("operation_id", "resource_id")
        for batch in found
    )


def attributes(text: str | None) -> dict[str, Any]:
    return {} if text is None else json.loads(text)
