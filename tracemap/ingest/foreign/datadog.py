"""Datadog: payloads of the agent (lists of traces), and spans from its API.

Ids are decimal. The high half of a trace id stands on the first span of a trace only. `service` is
what an integration calls itself, so one process may speak with several names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.records import (
    KINDS,
    Attributes,
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
from tracemap.model import Kind, Status

_TYPES = {
    "web": Kind.SERVER, "http": Kind.CLIENT, "db": Kind.CLIENT, "sql": Kind.CLIENT,
    "cache": Kind.CLIENT, "redis": Kind.CLIENT, "cassandra": Kind.CLIENT, "mongodb": Kind.CLIENT,
    "elasticsearch": Kind.CLIENT, "memcached": Kind.CLIENT, "worker": Kind.INTERNAL,
}  # fmt: skip
"""Types of spans that say on which side of a call they are."""
_RESOURCE = {"env": "deployment.environment.name", "version": "service.version"}
_TAGS = {
    "out.host": "server.address",
    "network.destination.name": "server.address",
    "out.port": "server.port",
    "network.destination.port": "server.port",
    "db.instance": "db.namespace",
    "sql.query": "db.query.text",
    "error.msg": "error.message",
    "error.stack": "exception.stacktrace",
}
_HIGH = "_dd.p.tid"
_LARGEST = 1 << 64


def _depth(contents: Contents) -> int | None:
    shape = contents.first_object(("trace_id", "span_id", "start", "duration"))
    if shape is not None:
        # A trace is a list of spans; its first one has what all of them need.
        return shape.depth - 1 if shape.around.endswith("[") else shape.depth
    shape = contents.first_object(("trace_id", "span_id", "start_timestamp"))
    return None if shape is None else max(0, shape.depth - 1)


def datadog_spans(record: Json, high: str = "") -> Iterable[Group]:
    """Return the spans of a trace, of several, of a span, or of an answer of the API."""
    if isinstance(record, list):
        own = _high_half(record) or high
        return [group for each in record for group in datadog_spans(each, own)]
    if not isinstance(record, dict):
        raise NotASpanError
    for wrapper in ("traces", "spans", "data"):
        if isinstance(record.get(wrapper), list) and "span_id" not in record:
            return datadog_spans(record[wrapper], high)
    if "span_id" in record:
        return [_of_agent(record, high)]
    if "span_id" in mapping(record.get("attributes")):
        return [_of_api(record["attributes"])]
    raise NotASpanError


def _high_half(trace: list[Json]) -> str:
    """Return the first 16 hex digits of the id of all spans in a trace; empty: there are none."""
    for found in trace:
        half = mapping(mapping(found).get("meta")).get(_HIGH)
        if isinstance(half, str):
            return half
    return ""


def _of_agent(found: Mapping[str, Json], high: str) -> Group:
    meta = {key: each for key, each in mapping(found.get("meta")).items() if key != _HIGH}
    start = nanoseconds(found.get("start"), 1)
    end = end_after(start, nanoseconds(found.get("duration"), 1))
    return _group(found, {**mapping(found.get("metrics")), **meta}, start, end, high)


def _of_api(found: Mapping[str, Json]) -> Group:
    tags = dict(flattened(mapping(found.get("custom"))))
    tags |= {key: found[key] for key in _RESOURCE if key in found}
    start = iso_nanoseconds(found.get("start_timestamp"))
    return _group(found, tags, start, iso_nanoseconds(found.get("end_timestamp")), "")


def _group(found: Mapping[str, Json], tags: Attributes, start: Json, end: Json, high: str) -> Group:
    said = {"service.name": found.get("service"), "host.name": found.get("host")}
    said |= {_RESOURCE[key]: tags[key] for key in _RESOURCE if key in tags}
    kind = KINDS.get(text(tags.get("span.kind")).upper())
    if kind is None:
        kind = int(_TYPES.get(text(found.get("type")), Kind.INTERNAL))
    trace = _identity(found.get("trace_id"))
    thrown = tags.get("error.type")
    made = span(
        trace_id=high + trace if high and trace and len(trace) == 16 else trace,  # noqa: PLR2004
        span_id=_identity(found.get("span_id")),
        parent_id=_identity(found.get("parent_id")),
        name=found.get("resource") or found.get("resource_name") or found.get("name"),
        kind=kind,
        start_ns=start,
        end_ns=end,
        status=Status.ERROR if found.get("error") in (1, True) else _said_status(found),
        attributes={
            _TAGS.get(key, key): each
            for key, each in tags.items()
            if key not in _RESOURCE and key != "_dd.span_links"
        }
        | {"operation.name": text(found.get("name")) or text(found.get("operation_name"))},
        links=_links(found),
        exceptions=[text(thrown)] if thrown else [],
    )
    return Group({key: each for key, each in said.items() if each}, [made])


def _said_status(found: Mapping[str, Json]) -> int:
    return Status.ERROR if found.get("status") == "error" else Status.UNSET


def _identity(value: Json) -> Json:
    """Return an id as hex: from a decimal number, also in a string; longer text is hex already."""
    if isinstance(value, str) and value.isdecimal() and int(value) < _LARGEST:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return f"{value:016x}" if 0 < value < _LARGEST else ""


def _links(found: Mapping[str, Json]) -> list[tuple[Json, Json]]:
    return [
        (_linked_trace(each), _identity(each.get("span_id")))
        for each in sequence(found.get("span_links"))
        if isinstance(each, dict)
    ]


def _linked_trace(link: Mapping[str, Json]) -> Json:
    low, high = _identity(link.get("trace_id")), link.get("trace_id_high")
    if isinstance(high, int) and isinstance(low, str) and high:
        return f"{high:016x}{low}"
    return low


DATADOG = Foreign(_depth, datadog_spans)
