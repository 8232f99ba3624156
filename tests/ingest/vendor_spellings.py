"""The same spans as monitoring products and SDKs' consoles write them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.ingest.recorded import Json, Recorded, as_text, by_trace, lines_of, raw_of
from tracemap.model import Kind


def datadog(spans: list[Recorded]) -> bytes:
    traces = []
    for trace in by_trace(spans):
        listed = [_datadog_span(span) for span in trace]
        listed[0]["meta"]["_dd.p.tid"] = trace[0].trace[:16]
        traces.append(listed)
    return raw_of(traces)


def _datadog_span(span: Recorded) -> Json:
    strings = {key: each for key, each in span.attributes.items() if isinstance(each, str)}
    numbers = {key: each for key, each in span.attributes.items() if isinstance(each, int)}
    meta = {
        **strings,
        "span.kind": span.kind.name.lower(),
        "env": span.resource["deployment.environment.name"],
        "version": span.resource["service.version"],
    }
    return {
        "trace_id": int(span.trace[16:], 16),
        "span_id": int(span.span, 16),
        "parent_id": int(span.parent or "0", 16),
        "service": span.service,
        "name": "otel.span",
        "resource": span.name,
        "type": "web",
        "start": span.start_ns,
        "duration": span.duration_ns,
        "error": int(span.failed),
        "meta": meta,
        "metrics": numbers,
        "span_links": [
            {
                "trace_id": int(trace[16:], 16),
                "trace_id_high": int(trace[:16], 16),
                "span_id": int(linked, 16),
            }
            for trace, linked in span.links
        ],
    }


def elastic_intake(spans: list[Recorded]) -> bytes:
    lines: list[Json] = []
    for resource in {tuple(span.resource.items()): None for span in spans}:
        said = dict(resource)
        own = [span for span in spans if tuple(span.resource.items()) == resource]
        service = {
            "name": said["service.name"],
            "version": said["service.version"],
            "environment": said["deployment.environment.name"],
            "node": {"configured_name": said["service.instance.id"]},
        }
        lines.append({"metadata": {"service": service}})
        lines += [_elastic_event(span) for span in own]
    return lines_of(lines)


def _is_transaction(span: Recorded) -> bool:
    return not span.parent or span.kind in (Kind.SERVER, Kind.CONSUMER)


def _elastic_event(span: Recorded) -> Json:
    event = {
        "trace_id": span.trace,
        "id": span.span,
        "name": span.name,
        "type": "custom",
        "timestamp": span.start_ns // 1000,
        "duration": span.duration_ns / 1e6,
        "outcome": "failure" if span.failed else "success",
        "otel": {"span_kind": span.kind.name, "attributes": dict(span.attributes)},
        "links": [{"trace_id": trace, "span_id": linked} for trace, linked in span.links],
    }
    if span.parent:
        event["parent_id"] = span.parent
    return {"transaction" if _is_transaction(span) else "span": event}


def elastic_documents(spans: list[Recorded]) -> bytes:
    return raw_of(
        {"took": 1, "hits": {"total": {}, "hits": [_elastic_hit(span) for span in spans]}}
    )


def _elastic_hit(span: Recorded) -> Json:
    event = "transaction" if _is_transaction(span) else "span"
    said = span.attributes
    sort = {Kind.CONSUMER: "messaging", Kind.PRODUCER: "messaging"}.get(span.kind, "custom")
    own: dict[str, Any] = {
        "id": span.span, "name": span.name, "duration": {"us": span.duration_ns // 1000},
        "type": "db" if "db.system.name" in said else sort,
    }  # fmt: skip
    if span.kind is Kind.PRODUCER:
        own["action"] = "send"
    if span.kind is Kind.CLIENT:
        own |= {"subtype": said.get("db.system.name"), "destination": {"service": {}}}
        own["db"] = {"instance": said.get("db.namespace")}
    if "messaging.destination.name" in said:
        own["subtype"] = said["messaging.system"]
        own["message"] = {"queue": {"name": said["messaging.destination.name"]}}
    return {
        "_source": {
            "processor": {"event": event},
            "@timestamp": "2026-03-03T09:00:00.000Z",
            "timestamp": {"us": span.start_ns // 1000},
            "trace": {"id": span.trace},
            "parent": {"id": span.parent} if span.parent else {},
            "service": {
                "name": span.service, "environment": span.resource["deployment.environment.name"],
                "node": {"name": span.resource["service.instance.id"]},
            },
            "destination": {
                "address": said.get("server.address"), "port": said.get("server.port"),
            },
            "http": {"request": {"method": said.get("http.request.method")}},
            "url": {"full": said.get("url.full")},
            "event": {"outcome": "failure" if span.failed else "success"},
            event: own,
        }
    }  # fmt: skip


def skywalking(spans: list[Recorded]) -> bytes:
    places: dict[str, tuple[str, int]] = {}
    sizes: dict[str, int] = defaultdict(int)
    for span in spans:
        segment = f"{span.trace}.{span.resource['service.instance.id']}"
        places[span.span] = (segment, sizes[segment])
        sizes[segment] += 1
    traces = [
        {"data": {"trace": {"spans": [_skywalking_span(span, places) for span in trace]}}}
        for trace in by_trace(spans)
    ]
    return lines_of(traces)


def _skywalking_span(span: Recorded, places: Mapping[str, tuple[str, int]]) -> Json:
    segment, number = places[span.span]
    above, place = places.get(span.parent, ("", -1))
    sort = {
        Kind.SERVER: "Entry", Kind.CONSUMER: "Entry", Kind.CLIENT: "Exit", Kind.PRODUCER: "Exit",
    }  # fmt: skip
    references = [(span.trace, above, place)] if above and above != segment else []
    references += [(trace, *places[linked]) for trace, linked in span.links]
    queued = span.kind in (Kind.CONSUMER, Kind.PRODUCER)
    return {
        "traceId": f"{span.trace}.1.1",
        "segmentId": segment,
        "spanId": number,
        "parentSpanId": place if above == segment else -1,
        "refs": [
            {"traceId": f"{trace}.1.1", "parentSegmentId": one, "parentSpanId": at, "type": "X"}
            for trace, one, at in references
        ],
        "serviceCode": span.service,
        "serviceInstanceName": span.resource["service.instance.id"],
        "startTime": span.start_ns // 1_000_000,
        "endTime": span.start_ns // 1_000_000 + span.duration_ns // 1_000_000,
        "endpointName": span.name,
        "type": sort.get(span.kind, "Local"),
        "peer": "",
        "component": "Unknown",
        "isError": span.failed,
        "layer": "MQ" if queued else "Unknown",
        "tags": [{"key": key, "value": as_text(each)} for key, each in span.attributes.items()],
        "logs": [],
    }


def xray(spans: list[Recorded]) -> bytes:
    by_id = {span.span: span for span in spans}
    below: dict[str, list[Recorded]] = defaultdict(list)
    traces: dict[str, list[Recorded]] = defaultdict(list)
    for span in spans:
        above = by_id.get(span.parent)
        if above is not None and above.resource == span.resource:
            below[span.parent].append(span)
        else:
            traces[span.trace].append(span)
    return raw_of(
        {
            "Traces": [
                {
                    "Id": _xray_trace(trace),
                    "Segments": [
                        {"Id": each.span, "Document": raw_of(_segment(each, below)).decode()}
                        for each in tops
                    ],
                }
                for trace, tops in traces.items()
            ]
        }
    )


def _xray_trace(trace: str) -> str:
    return f"1-{trace[:8]}-{trace[8:]}"


def _segment(span: Recorded, below: Mapping[str, list[Recorded]], *, top: bool = True) -> Json:
    made: dict[str, Any] = {
        "id": span.span,
        "name": span.service if top else span.attributes.get("server.address", span.name),
        "start_time": span.start_ns / 1e9,
        "end_time": span.end_ns / 1e9,
        "metadata": {"default": dict(span.attributes)},
        "subsegments": [_segment(each, below, top=False) for each in below[span.span]],
    }
    if top:
        made |= {"trace_id": _xray_trace(span.trace), "parent_id": span.parent}
    if span.kind in (Kind.CLIENT, Kind.PRODUCER):
        made["namespace"] = "remote"
        if "db.system.name" in span.attributes:
            made["sql"] = {"database_type": span.attributes["db.system.name"]}
    if span.kind in (Kind.SERVER, Kind.CONSUMER):
        made["http"] = {"request": {"client_ip": "10.0.0.9"}}
    if span.failed:
        made["fault"] = True
    return made


def _iso(time_ns: int, digits: int) -> str:
    whole = datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{f'{time_ns % 10**9:09d}'[:digits]}Z"


def python_console(spans: list[Recorded]) -> bytes:
    def one(span: Recorded) -> Json:
        return {
            "name": span.name,
            "context": _python_context(span.trace, span.span),
            "kind": f"SpanKind.{span.kind.name}",
            "parent_id": f"0x{span.parent}" if span.parent else None,
            "start_time": _iso(span.start_ns, 6),
            "end_time": _iso(span.end_ns, 6),
            "status": {"status_code": "ERROR" if span.failed else "UNSET"},
            "attributes": dict(span.attributes),
            "events": [],
            "links": [
                {"context": _python_context(trace, linked), "attributes": {}}
                for trace, linked in span.links
            ],
            "resource": {"attributes": dict(span.resource), "schema_url": ""},
        }

    return b"".join(json.dumps(one(span), indent=4).encode() + b"\n" for span in spans)


def _python_context(trace: str, span: str) -> Json:
    return {"trace_id": f"0x{trace}", "span_id": f"0x{span}", "trace_state": "[]"}


def go_stdouttrace(spans: list[Recorded]) -> bytes:
    def context(trace: str, span: str, *, remote: bool = False) -> Json:
        flags = {"TraceFlags": "01", "TraceState": "", "Remote": remote}
        return {"TraceID": trace, "SpanID": span, **flags}

    def values(attributes: Mapping[str, Any]) -> Json:
        kinds = {int: "INT64", str: "STRING"}
        return [
            {"Key": key, "Value": {"Type": kinds[type(each)], "Value": each}}
            for key, each in attributes.items()
        ]

    def one(span: Recorded) -> Json:
        return {
            "Name": span.name,
            "SpanContext": context(span.trace, span.span),
            "Parent": context(
                span.trace if span.parent else "0" * 32,
                span.parent or "0" * 16,
                remote=bool(span.flags & 0x200),
            ),
            "SpanKind": int(span.kind),
            "StartTime": _iso(span.start_ns, 9),
            "EndTime": _iso(span.end_ns, 9),
            "Attributes": values(span.attributes),
            "Events": None,
            "Links": [{"SpanContext": context(*each), "Attributes": None} for each in span.links],
            "Status": {"Code": "Error" if span.failed else "Unset", "Description": ""},
            "DroppedAttributes": 0,
            "Resource": values(span.resource),
            "InstrumentationScope": {"Name": span.scope, "Version": ""},
        }

    return b"".join(json.dumps(one(span), indent="\t").encode() + b"\n" for span in spans)
