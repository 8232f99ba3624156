"""SkyWalking: spans as its GraphQL API gives them.

A span is known by its segment and its number in it, its parent likewise; the parent in another
process stands in ``refs``. Trace ids are text. OpenTelemetry's ids are hashes of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import xxhash

from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.records import (
    Attributes,
    Group,
    Json,
    NotASpanError,
    nanoseconds,
    sequence,
    span,
    text,
)
from tracemap.ingest.foreign.translated import Foreign
from tracemap.model import Kind, Status

_MILLISECOND_NS = 1_000_000
_KEYS = ("segmentId", "spanId", "parentSpanId")
_TAGS = {
    "db.type": "db.system.name",
    "db.instance": "db.namespace",
    "db.statement": "db.query.text",
    "mq.broker": "server.address",
    "mq.queue": "messaging.destination.name",
    "mq.topic": "messaging.destination.name",
    "url": "url.full",
    "status_code": "http.response.status_code",
    "http.status_code": "http.response.status_code",
}


def _depth(contents: Contents) -> int | None:
    shape = contents.first_object(_KEYS)
    return None if shape is None else shape.depth


def skywalking_spans(record: Json) -> Iterable[Group]:
    """Return the spans of one span, of a list, or of an answer of the API."""
    if isinstance(record, list):
        return [group for each in record for group in skywalking_spans(each)]
    if not isinstance(record, dict):
        raise NotASpanError
    if "segmentId" not in record:
        for wrapper in ("data", "trace", "spans"):
            if wrapper in record:
                return skywalking_spans(record[wrapper])
        raise NotASpanError
    resource = {
        "service.name": record.get("serviceCode"),
        "service.instance.id": record.get("serviceInstanceName"),
    }
    return [Group({key: each for key, each in resource.items() if each}, [_span(record)])]


def _trace_id(value: Json) -> str:
    return xxhash.xxh3_128_hexdigest(text(value).encode()) if value else ""


def _span_id(segment: Json, number: Json) -> str:
    if not segment or isinstance(number, bool) or not isinstance(number, int) or number < 0:
        return ""
    return xxhash.xxh3_64_hexdigest(f"{segment}:{number}".encode())


def _span(found: Mapping[str, Json]) -> Json:
    layer = text(found.get("layer")).upper()
    kind = _kind(text(found.get("type")), layer)
    segment = found.get("segmentId")
    references = [each for each in sequence(found.get("refs")) if isinstance(each, dict)]
    parent = _span_id(segment, found.get("parentSpanId"))
    links = [
        (_trace_id(each.get("traceId")), _reference(each))
        for each in references
    ]  # fmt: skip
    if not parent and references and references[0].get("traceId") == found.get("traceId"):
        parent = links.pop(0)[1]
    return span(
        trace_id=_trace_id(found.get("traceId")),
        span_id=_span_id(segment, found.get("spanId")),
        parent_id=parent,
        name=found.get("endpointName"),
        kind=kind,
        start_ns=nanoseconds(found.get("startTime"), _MILLISECOND_NS),
        end_ns=nanoseconds(found.get("endTime"), _MILLISECOND_NS),
        status=Status.ERROR if found.get("isError") is True else Status.UNSET,
        attributes=_attributes(found, kind, layer),
        links=links,
    )


def _reference(found: Mapping[str, Json]) -> str:
    return _span_id(found.get("parentSegmentId"), found.get("parentSpanId"))


def _kind(sort: str, layer: str) -> int:
    """Return the kind: entries serve or consume, exits call or produce."""
    queued = layer == "MQ"
    if sort == "Entry":
        return Kind.CONSUMER if queued else Kind.SERVER
    if sort == "Exit":
        return Kind.PRODUCER if queued else Kind.CLIENT
    return Kind.INTERNAL


def _attributes(found: Mapping[str, Json], kind: int, layer: str) -> Attributes:
    made: Attributes = {}
    key: str
    for tag in sequence(found.get("tags")):
        if isinstance(tag, dict) and isinstance(tag.get("key"), str):
            key = tag["key"]
            made.setdefault(_TAGS.get(key, key), tag.get("value"))
    component = text(found.get("component"))
    if kind in (Kind.PRODUCER, Kind.CONSUMER) and component:
        made.setdefault("messaging.system", component.split("-")[0].lower())
    host, _, port = text(found.get("peer")).rpartition(":")
    if kind == Kind.CLIENT and (host or port):
        made.setdefault("server.address", host or port)
        if host:
            made.setdefault("server.port", port)
    if layer == "HTTP":
        made.setdefault("http.request.method", made.pop("http.method", None))
    return {key: value for key, value in made.items() if value is not None}


SKYWALKING = Foreign(_depth, skywalking_spans)
