"""Zipkin v2: lists of spans, or of traces; client and server may share one span id.

Mapping: Zipkin's ``Trace`` and ``SpanNode`` (which piece is whose parent), the Collector's
translator for tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.records import (
    KINDS,
    Attributes,
    Group,
    Json,
    NotASpanError,
    end_after,
    mapping,
    nanoseconds,
    span,
    text,
)
from tracemap.ingest.foreign.shared_ids import SHARED, with_shared_ids_told_apart
from tracemap.ingest.foreign.translated import Foreign
from tracemap.model import Kind, Status

_MICROSECOND_NS = 1000
_TAGS = {
    "http.path": "url.path",
    "sql.query": "db.query.text",
    "kafka.topic": "messaging.destination.name",
    "rabbit.queue": "messaging.destination.name",
    "jms.queue": "messaging.destination.name",
    "jms.topic": "messaging.destination.name",
}
"""Tags of Zipkin's own instrumentation to OpenTelemetry's names."""


def _depth(contents: Contents) -> int | None:
    for key in ("localEndpoint", "timestamp", "name"):
        shape = contents.first_object(("traceId", "id", key), without=("spanId", "spanID"))
        if shape is not None:
            # A list of traces is cut between traces, so that shared ids meet.
            return shape.depth - 1 if shape.around.endswith("[[") else shape.depth
    return None


def zipkin_spans(record: Json) -> Iterable[Group]:
    """Return the spans of one span, of a list of them, or of a list of traces."""
    groups: dict[tuple[tuple[str, Json], ...], Group] = {}
    for found in _flat(record):
        resource = _resource(mapping(found.get("localEndpoint")))
        group = groups.setdefault(tuple(resource.items()), Group(resource))
        group.spans.append(_span(found))
    return groups.values()


def _flat(record: Json) -> Iterator[Mapping[str, Json]]:
    if isinstance(record, list):
        for each in record:
            yield from _flat(each)
    elif isinstance(record, dict) and "traceId" in record:
        yield record
    else:
        raise NotASpanError


def _span(found: Mapping[str, Json]) -> Json:
    kind = KINDS.get(text(found.get("kind")).upper(), int(Kind.UNSPECIFIED))
    tags = mapping(found.get("tags"))
    start = nanoseconds(found.get("timestamp"), _MICROSECOND_NS)
    duration = found.get("duration")
    length = nanoseconds(duration, _MICROSECOND_NS)
    return span(
        trace_id=found.get("traceId"),
        span_id=found.get("id"),
        parent_id=found.get("parentId"),
        name=found.get("name"),
        kind=kind,
        start_ns=start,
        end_ns=0 if duration is None or start == 0 else end_after(start, length),
        status=_status(tags),
        attributes=_attributes(tags, mapping(found.get("remoteEndpoint")), kind),
        trace_state=text(tags.get("w3c.tracestate")),
        flags=SHARED if found.get("shared") is True else 0,
    )


def _status(tags: Mapping[str, Json]) -> int:
    """Return the status: Zipkin counts a span as failed that has a tag ``error`` of any value."""
    if "error" in tags and tags["error"] != "false":
        return Status.ERROR
    said = text(tags.get("otel.status_code"))
    return Status[said] if said in ("OK", "ERROR") else Status.UNSET


def _attributes(tags: Mapping[str, Json], remote: Mapping[str, Json], kind: int) -> Attributes:
    """Return tags under OpenTelemetry's names, and who the other side is."""
    made: Attributes = {}
    for key, value in tags.items():
        if not key.startswith("otel.") and key != "w3c.tracestate":
            made[_TAGS.get(key, key)] = value
    peer = text(remote.get("serviceName"))
    if kind in (Kind.PRODUCER, Kind.CONSUMER):
        made.setdefault("messaging.system", peer)
    elif peer:
        made.setdefault("peer.service", peer)
    address = remote.get("ipv4") or remote.get("ipv6")
    if address:
        made.setdefault("network.peer.address", address)
    if remote.get("port"):
        made.setdefault("network.peer.port", remote["port"])
    return made


def _resource(endpoint: Mapping[str, Json]) -> Attributes:
    """Return an endpoint as attributes of a resource."""
    said = {
        "service.name": text(endpoint.get("serviceName")),
        "host.ip": text(endpoint.get("ipv4")) or text(endpoint.get("ipv6")),
    }
    return {key: value for key, value in said.items() if value}


ZIPKIN = Foreign(_depth, zipkin_spans, with_shared_ids_told_apart)
