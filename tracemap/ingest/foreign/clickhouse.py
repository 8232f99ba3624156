"""ClickHouse's table ``otel_traces`` as ``JSONEachRow``: one object a line, one span each."""

from __future__ import annotations

from collections.abc import Iterable

from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.records import (
    KINDS,
    Group,
    Json,
    NotASpanError,
    end_after,
    flattened,
    iso_nanoseconds,
    mapping,
    nanoseconds,
    sequence,
    span,
    text,
)
from tracemap.ingest.foreign.translated import Foreign
from tracemap.model import Status

_KEYS = ("TraceId", "SpanId", "SpanName", "Timestamp", "Duration")
_WRAPPED, _NEGATIVE = 1 << 64, 1 << 63


def _depth(contents: Contents) -> int | None:
    shape = contents.first_object(_KEYS)
    return None if shape is None else shape.depth


def clickhouse_row(record: Json) -> Iterable[Group]:
    """Return one span."""
    if not isinstance(record, dict) or "TraceId" not in record:
        raise NotASpanError
    status = text(record.get("StatusCode")).upper().removeprefix("STATUS_CODE_")
    start = iso_nanoseconds(_utc(record.get("Timestamp")))
    duration = nanoseconds(record.get("Duration"), 1)
    if isinstance(duration, int) and duration >= _NEGATIVE:
        duration -= _WRAPPED
    events = zip(sequence(record.get("Events.Name")), sequence(record.get("Events.Attributes")))  # noqa: B905
    links = zip(sequence(record.get("Links.TraceId")), sequence(record.get("Links.SpanId")))  # noqa: B905
    made = span(
        trace_id=record.get("TraceId"),
        span_id=record.get("SpanId"),
        parent_id=record.get("ParentSpanId"),
        name=record.get("SpanName"),
        kind=KINDS.get(text(record.get("SpanKind")).upper().removeprefix("SPAN_KIND_"), 0),
        start_ns=start,
        end_ns=end_after(start, duration),
        status=Status[status] if status in Status.__members__ else Status.UNSET,
        attributes=dict(flattened(mapping(record.get("SpanAttributes")))),
        links=links,
        exceptions=[
            mapping(said).get("exception.type") for name, said in events if name == "exception"
        ],
        trace_state=record.get("TraceState"),
    )
    resource = dict(flattened(mapping(record.get("ResourceAttributes"))))
    if record.get("ServiceName"):
        resource.setdefault("service.name", record["ServiceName"])
    return [Group(resource, [made], text(record.get("ScopeName")))]


def _utc(time: Json) -> Json:
    """Return a time without a zone as one of UTC, which the exporter writes."""
    return f"{time.replace(' ', 'T')}Z" if isinstance(time, str) and " " in time else time


CLICKHOUSE_JSON = Foreign(_depth, clickhouse_row)
