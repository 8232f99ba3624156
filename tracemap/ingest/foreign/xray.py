"""AWS X-Ray: segments with their subsegments inside, from the API or as the daemon gets them.

Mapping: the Collector's X-Ray receiver. Segments that X-Ray itself *inferred* for a downstream
that is not instrumented repeat the subsegment that called it, so they are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pydantic_core

from tracemap.ingest.contents import Contents
from tracemap.ingest.foreign.records import (
    Attributes,
    Group,
    Json,
    NotASpanError,
    mapping,
    nanoseconds,
    sequence,
    span,
    text,
)
from tracemap.ingest.foreign.translated import Foreign
from tracemap.model import SECOND_NS, Kind, Status

_AWS = {
    "operation": "rpc.method",
    "region": "cloud.region",
    "request_id": "aws.request_id",
    "table_name": "aws.dynamodb.table_name",
    "queue_url": "aws.sqs.queue.url",
    "topic_arn": "aws.sns.topic.arn",
    "bucket_name": "aws.s3.bucket",
    "retries": "aws.retries",
}


def _depth(contents: Contents) -> int | None:
    for keys in (("Id", "Segments"), ("name", "id", "trace_id", "start_time")):
        shape = contents.first_object(keys)
        if shape is not None:
            return shape.depth
    return None


def xray_segments(record: Json) -> Iterable[Group]:
    """Return the spans of a segment, of a trace with its segments, or of an answer of the API."""
    if isinstance(record, list):
        return [group for each in record for group in xray_segments(each)]
    if not isinstance(record, dict):
        raise NotASpanError
    for wrapper in ("Traces", "Segments", "Document"):
        if wrapper in record:
            return xray_segments(_document(record[wrapper]))
    # The daemon's protocol has a line before each segment.
    is_header = record.get("format") == "json" and "version" in record
    if is_header or record.get("inferred") is True:
        return []
    if "trace_id" not in record or "id" not in record:
        raise NotASpanError
    group = Group(_resource(record))
    trace = text(record["trace_id"])
    if trace.startswith("1-"):
        trace = trace[2:].replace("-", "")
    _walk(record, trace, None, group)
    return [group]


def _document(written: Json) -> Json:
    """Return what a document says, which is JSON inside a string."""
    if not isinstance(written, str):
        return written
    try:
        return pydantic_core.from_json(written.encode("utf-8", "replace"))
    except ValueError as error:
        raise NotASpanError from error


def _walk(segment: Mapping[str, Json], trace: str, parent: Json, group: Group) -> None:
    """Append a segment and all below it."""
    waiting: list[tuple[Mapping[str, Json], Json]] = [(segment, parent)]
    while waiting:
        found, above = waiting.pop()
        group.spans.append(_span(found, trace, above or found.get("parent_id"), top=above is None))
        waiting += [
            (each, found.get("id"))
            for each in reversed(sequence(found.get("subsegments")))
            if isinstance(each, dict)
        ]


def _span(found: Mapping[str, Json], trace: str, parent: Json, *, top: bool) -> Json:
    http = mapping(found.get("http"))
    kind = _kind(found, mapping(http.get("request")), top=top)
    cause = mapping(found.get("cause"))
    running = found.get("in_progress") is True
    return span(
        trace_id=trace,
        span_id=found.get("id"),
        parent_id=parent,
        name=found.get("name"),
        kind=kind,
        start_ns=nanoseconds(found.get("start_time"), SECOND_NS),
        end_ns=0 if running else nanoseconds(found.get("end_time"), SECOND_NS),
        status=_status(found, kind),
        attributes=_attributes(found, http, kind),
        links=[
            (text(each.get("trace_id")).removeprefix("1-").replace("-", ""), each.get("id"))
            for each in sequence(found.get("links"))
            if isinstance(each, dict)
        ],
        exceptions=[
            text(each.get("type"))
            for each in sequence(cause.get("exceptions"))
            if isinstance(each, dict) and each.get("type")
        ],
    )


def _kind(found: Mapping[str, Json], request: Mapping[str, Json], *, top: bool) -> int:
    """Return the kind: calls have a namespace; requests a client, or a segment of their own."""
    if found.get("namespace") in ("aws", "remote"):
        return Kind.CLIENT
    own = top and found.get("type") != "subsegment"
    if request.get("client_ip") or (own and (found.get("parent_id") or request)):
        return Kind.SERVER
    return Kind.INTERNAL


def _status(found: Mapping[str, Json], kind: int) -> int:
    """Return ERROR for a fault (5xx), and for an error or throttle (4xx) unless a server's."""
    if found.get("fault") is True:
        return Status.ERROR
    refused = found.get("error") is True or found.get("throttle") is True
    return Status.ERROR if refused and kind != Kind.SERVER else Status.UNSET


def _attributes(found: Mapping[str, Json], http: Mapping[str, Json], kind: int) -> Attributes:
    request, response = mapping(http.get("request")), mapping(http.get("response"))
    aws, sql = mapping(found.get("aws")), mapping(found.get("sql"))
    said: Attributes = {
        "http.request.method": request.get("method"),
        "url.full": request.get("url"),
        "http.response.status_code": response.get("status"),
        "client.address": request.get("client_ip"),
        "db.system.name": text(sql.get("database_type")).lower() or None,
        "db.query.text": sql.get("sanitized_query"),
    }
    if found.get("namespace") == "aws":
        said["rpc.system"] = "aws-api"
        said["rpc.service"] = found.get("name")
    elif kind == Kind.CLIENT and not sql:
        said["peer.service"] = found.get("name")
    said |= {_AWS[key]: value for key, value in aws.items() if key in _AWS}
    said |= mapping(mapping(found.get("metadata")).get("default"))
    said |= mapping(found.get("annotations"))
    return {key: value for key, value in said.items() if value is not None}


def _resource(segment: Mapping[str, Json]) -> Attributes:
    aws, service = mapping(segment.get("aws")), mapping(segment.get("service"))
    said = {
        "service.name": segment.get("name"),
        "service.version": service.get("version"),
        "host.id": mapping(aws.get("ec2")).get("instance_id"),
        "cloud.account.id": aws.get("account_id"),
    }
    return {key: value for key, value in said.items() if value}


XRAY = Foreign(_depth, xray_segments)
