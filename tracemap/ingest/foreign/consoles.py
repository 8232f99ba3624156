"""What SDKs print: Python's ``ConsoleSpanExporter`` and Go's ``stdouttrace``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.records import (
    KINDS,
    Attributes,
    Group,
    Json,
    NotASpanError,
    iso_nanoseconds,
    mapping,
    sequence,
    span,
    text,
)
from tracemap.ingest.foreign.translated import Foreign
from tracemap.model import Kind, Status

_PYTHON = ("context", "kind", "parent_id", "start_time", "end_time")
_GO = ("SpanContext", "SpanKind", "StartTime")
_NO_PARENT = "0" * 16


def _depth_of(keys: Collection[str], contents: Contents) -> int | None:
    shape = contents.first_object(keys)
    return None if shape is None else shape.depth


def python_span(record: Json) -> Iterable[Group]:
    """Return one span."""
    if isinstance(record, list):
        return [group for each in record for group in python_span(each)]
    if not isinstance(record, dict) or "context" not in record:
        raise NotASpanError
    context = mapping(record["context"])
    status = text(mapping(record.get("status")).get("status_code"))
    made = span(
        trace_id=context.get("trace_id"),
        span_id=context.get("span_id"),
        parent_id=record.get("parent_id"),
        name=record.get("name"),
        kind=KINDS.get(text(record.get("kind")).rpartition(".")[2].upper(), 0),
        start_ns=iso_nanoseconds(record.get("start_time")),
        end_ns=iso_nanoseconds(record.get("end_time")),
        status=Status[status] if status in Status.__members__ else Status.UNSET,
        attributes=mapping(record.get("attributes")),
        links=[
            (mapping(each.get("context")).get("trace_id"), mapping(each["context"]).get("span_id"))
            for each in sequence(record.get("links"))
            if isinstance(each, dict) and "context" in each
        ],
        exceptions=[
            mapping(event.get("attributes")).get("exception.type")
            for event in sequence(record.get("events"))
            if isinstance(event, dict) and event.get("name") == "exception"
        ],
        trace_state=_python_trace_state(context.get("trace_state")),
    )
    return [Group(mapping(mapping(record.get("resource")).get("attributes")), [made])]


def _python_trace_state(printed: Json) -> str:
    """Return W3C's text for a trace state printed as a Python list: ``"['a=1', 'b=2']"``."""
    return ",".join(part.strip(" '\"") for part in text(printed).strip("[]").split(",")).strip(",")


def go_span(record: Json) -> Iterable[Group]:
    """Return one span, or those of a list."""
    if isinstance(record, list):
        return [group for each in record for group in go_span(each)]
    if not isinstance(record, dict) or "SpanContext" not in record:
        raise NotASpanError
    context, parent = mapping(record["SpanContext"]), mapping(record.get("Parent"))
    above = text(parent.get("SpanID"))
    status = text(mapping(record.get("Status")).get("Code")).upper()
    scope = mapping(record.get("InstrumentationScope") or record.get("InstrumentationLibrary"))
    kind = record.get("SpanKind")
    made = span(
        trace_id=context.get("TraceID"),
        span_id=context.get("SpanID"),
        parent_id="" if above == _NO_PARENT else above,
        name=record.get("Name"),
        kind=kind if isinstance(kind, int) and kind in set(Kind) else Kind.UNSPECIFIED,
        start_ns=iso_nanoseconds(record.get("StartTime")),
        end_ns=iso_nanoseconds(record.get("EndTime")),
        status=Status[status] if status in Status.__members__ else Status.UNSET,
        attributes=_go_attributes(record.get("Attributes")),
        links=[
            (
                mapping(each.get("SpanContext")).get("TraceID"),
                mapping(each["SpanContext"])["SpanID"],
            )
            for each in sequence(record.get("Links"))
            if isinstance(each, dict) and "SpanID" in mapping(each.get("SpanContext"))
        ],
        exceptions=[
            text(_go_attributes(event.get("Attributes")).get("exception.type"))
            for event in sequence(record.get("Events"))
            if isinstance(event, dict) and event.get("Name") == "exception"
        ],
        trace_state=text(context.get("TraceState")),
        flags=0x300 if parent.get("Remote") is True else 0x100,
        dropped=_dropped(record),
    )
    return [Group(_go_attributes(record.get("Resource")), [made], text(scope.get("Name")))]


def _go_attributes(listed: Json) -> Attributes:
    return {
        each["Key"]: mapping(each.get("Value")).get("Value")
        for each in sequence(listed)
        if isinstance(each, dict) and isinstance(each.get("Key"), str)
    }


def _dropped(record: Mapping[str, Json]) -> int:
    counts = (record.get(f"Dropped{what}") for what in ("Attributes", "Events", "Links"))
    return sum(count for count in counts if isinstance(count, int))


PYTHON_CONSOLE = Foreign(partial(_depth_of, _PYTHON), python_span)
GO_STDOUTTRACE = Foreign(partial(_depth_of, _GO), go_span)
