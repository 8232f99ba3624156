"""Jaeger: the UI's and API's JSON, trace by trace, and its documents in Elasticsearch.

Both are Jaeger's older data model: microseconds, typed tags, references instead of one parent.
Mapping: Jaeger's own translator to OTLP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from tracemap.ingest.block import Block
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
    sequence,
    span,
    text,
)
from tracemap.ingest.foreign.translated import Foreign
from tracemap.ingest.kernels.foreign_words import PIECES
from tracemap.ingest.kernels.jaeger_json import jaeger_as_otlp, scratch
from tracemap.ingest.kernels.jaeger_outline import TABLE
from tracemap.ingest.kernels.layout import REGISTERS, TEXT, Bytes, Ints
from tracemap.model import Kind, Status

_MICROSECOND_NS = 1000
_NO_SERVICE = "OTLPResourceNoServiceName"
_SCOPES = ("otel.scope.name", "otel.library.name")
_OWN_TAGS = frozenset(
    (
        "span.kind", "otel.status_code", "otel.status_description", "w3c.tracestate",
        "otel.scope.version", "otel.library.version", *_SCOPES,
    )
)  # fmt: skip
"""Tags that say what OTLP has fields for."""
_HTTP_STATUS = ("http.response.status_code", "http.status_code")
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def _traces(contents: Contents) -> int | None:
    """Return the depth of a trace with its spans and processes."""
    for keys in (("traceID", "spans"), ("spans", "processes")):
        shape = contents.first_object(keys, without=("spanSets",))
        if shape is not None:
            return shape.depth
    return None


def _documents(contents: Contents) -> int | None:
    """Return the depth of a span with its process."""
    shape = contents.first_object(("traceID", "spanID", "startTimeMillis"))
    return None if shape is None else shape.depth


def jaeger_traces(record: Json) -> Iterable[Group]:
    """Return the spans of one trace, or of all in an answer of the API."""
    if isinstance(record, list):
        return [group for each in record for group in jaeger_traces(each)]
    if isinstance(record, dict) and "spans" not in record and "data" in record:
        return jaeger_traces(record["data"])
    if not isinstance(record, dict) or not isinstance(record.get("spans"), list):
        raise NotASpanError
    processes = mapping(record.get("processes"))
    groups: dict[tuple[str, str], Group] = {}
    for found in record["spans"]:
        made = _span(mapping(found), default_trace=record.get("traceID"))
        key = (text(mapping(found).get("processID")), made.scope)
        if key not in groups:
            groups[key] = Group(_resource(mapping(processes.get(key[0]))), scope=made.scope)
        groups[key].spans.append(made.span)
    return groups.values()


def jaeger_documents(record: Json) -> Iterable[Group]:
    """Return the span of one document, or of all in a search answer."""
    if isinstance(record, list):
        return [group for each in record for group in jaeger_documents(each)]
    if not isinstance(record, dict):
        raise NotASpanError
    for wrapper in ("_source", "hits"):
        if wrapper in record and "spanID" not in record:
            return jaeger_documents(record[wrapper])
    if "spanID" not in record:
        raise NotASpanError
    made = _span(record)
    return [Group(_resource(mapping(record.get("process"))), [made.span], made.scope)]


@dataclass
class _Made:
    span: Json
    scope: str


def _span(found: Mapping[str, Json], default_trace: Json = None) -> _Made:
    tags = _tags(found)
    kind = KINDS.get(text(tags.get("span.kind")).upper(), int(Kind.UNSPECIFIED))
    start = nanoseconds(found.get("startTime"), _MICROSECOND_NS)
    trace = found.get("traceID") or default_trace
    parent, links = _relations(found, trace)
    return _Made(
        span(
            trace_id=trace,
            span_id=found.get("spanID"),
            parent_id=parent,
            name=found.get("operationName"),
            kind=kind,
            start_ns=start,
            end_ns=end_after(start, nanoseconds(found.get("duration"), _MICROSECOND_NS)),
            status=_status(tags, kind),
            attributes={key: value for key, value in tags.items() if key not in _OWN_TAGS},
            links=links,
            exceptions=_exceptions(found),
            trace_state=text(tags.get("w3c.tracestate")),
        ),
        next((text(tags[key]) for key in _SCOPES if tags.get(key)), ""),
    )


def _tags(holder: Mapping[str, Json]) -> Attributes:
    """Return tags by key: those of the list, and those of Elasticsearch's object.

    There dots in keys are written as ``@``.
    """
    tags: Attributes = {}
    for key, value in mapping(holder.get("tag")).items():
        tags[key.replace("@", ".")] = value
    for tag in sequence(holder.get("tags")):
        if isinstance(tag, dict) and isinstance(tag.get("key"), str):
            # tags that OTLP has fields for are text, whatever type an exporter says they have
            kind = None if tag["key"] in _OWN_TAGS else tag.get("type")
            tags.setdefault(tag["key"], _typed(tag.get("value"), kind))
    return tags


def _typed(value: Json, kind: Json) -> Json:
    """Return the value of a tag; Elasticsearch has all of them as strings."""
    if isinstance(value, str):
        try:
            if kind == "int64":
                return int(value)
            if kind == "float64":
                return float(value)
        except ValueError:
            return value
        if kind == "bool":
            return value == "true"
    return value


def _status(tags: Mapping[str, Json], kind: int) -> int:
    """Return the status: the tag ``error``, else OpenTelemetry's own tag, else HTTP's."""
    if tags.get("error") in (True, "true"):
        return Status.ERROR
    said = text(tags.get("otel.status_code")).upper()
    if said in ("OK", "ERROR"):
        return Status[said]
    http = next((text(tags[key]) for key in _HTTP_STATUS if key in tags), "")
    if http.isdecimal():
        least = _SERVER_ERROR if kind == Kind.SERVER else _CLIENT_ERROR
        return Status.ERROR if int(http) >= least else Status.UNSET
    return Status.UNSET


def _relations(found: Mapping[str, Json], trace: Json) -> tuple[Json, list[tuple[Json, Json]]]:
    """Return the parent's id and the links: all references but the one that is the parent.

    The parent is ``parentSpanID``, else the first ``CHILD_OF`` of the same trace, else the first
    ``FOLLOWS_FROM`` of it.
    """
    references = [each for each in sequence(found.get("references")) if isinstance(each, dict)]
    inner = [each for each in references if _same(each.get("traceID"), trace)]
    parent = found.get("parentSpanID")
    chosen = None
    for sort in ("CHILD_OF", "FOLLOWS_FROM"):
        for each in inner:
            if chosen is None and each.get("refType") == sort:
                chosen = each if not parent or _same(each.get("spanID"), parent) else None
    if chosen is not None:
        parent = chosen.get("spanID")
    links = [(each.get("traceID"), each.get("spanID")) for each in references if each is not chosen]
    return parent, links


def _same(one: Json, other: Json) -> bool:
    """Return whether two hex ids are the same; leading zeros may be left out."""
    return text(one).lower().lstrip("0") == text(other).lower().lstrip("0")


def _exceptions(found: Mapping[str, Json]) -> list[Json]:
    """Return the types of exceptions among the logs."""
    types = []
    for log in sequence(found.get("logs")):
        fields = {
            field["key"]: field.get("value")
            for field in sequence(mapping(log).get("fields"))
            if isinstance(field, dict) and isinstance(field.get("key"), str)
        }
        kind = fields.get("exception.type") or fields.get("error.kind")
        if kind and fields.get("event") in ("exception", "error"):
            types.append(text(kind))
    return types


def _resource(process: Mapping[str, Json]) -> Attributes:
    """Return a process as attributes of a resource."""
    service = process.get("serviceName")
    named = {"service.name": service} if service and service != _NO_SERVICE else {}
    return {**_tags(process), **named}


def _quick(block: Block, *, documents: bool) -> tuple[Bytes, Ints]:
    """Translate the records of the usual shape; `jaeger_traces` and the like know the others."""
    size = block.data.size
    rows, processes = scratch(size)
    text = np.empty(3 * size + (1 << 16), np.uint8)
    made = np.empty((len(block.bounds), 2), np.int64)
    state = np.zeros(REGISTERS, np.int64)
    jaeger_as_otlp(
        block.data, PIECES, block.bounds, len(block.bounds), documents, rows, rows.size,
        processes, text, text.size, made, state, TABLE,
    )  # fmt: skip
    return text[: state[TEXT]], made


JAEGER_JSON = Foreign(_traces, jaeger_traces, quick=partial(_quick, documents=False))
JAEGER_ELASTICSEARCH = Foreign(_documents, jaeger_documents, quick=partial(_quick, documents=True))
