"""The same spans as other tools write them, one writer a format."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.ingest import tables
from tests.ingest.writers import as_json, framed, key_values
from tracemap.model import Kind

Json = Any


@dataclass(frozen=True)
class Recorded:
    """One span, whatever the format."""

    trace: str
    span: str
    parent: str
    name: str
    kind: Kind
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    scope: str
    failed: bool
    links: tuple[tuple[str, str], ...]
    flags: int

    @property
    def service(self) -> str:
        return str(self.resource["service.name"])

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns


def recorded(otlp_lines: bytes) -> list[Recorded]:
    """Return the spans in lines of OTLP/JSON."""
    found = []
    for line in otlp_lines.splitlines():
        for one in json.loads(line)["resourceSpans"]:
            resource = _plain(one["resource"]["attributes"])
            for scope in one["scopeSpans"]:
                found += [_recorded(each, resource, scope["scope"]) for each in scope["spans"]]
    return found


def _recorded(span: Json, resource: Mapping[str, Any], scope: Json) -> Recorded:
    return Recorded(
        trace=span["traceId"],
        span=span["spanId"],
        parent=span.get("parentSpanId", ""),
        name=span["name"],
        kind=Kind(span["kind"]),
        start_ns=int(span["startTimeUnixNano"]),
        end_ns=int(span["endTimeUnixNano"]),
        attributes=_plain(span.get("attributes", [])),
        resource=resource,
        scope=scope.get("name", ""),
        failed=span.get("status", {}).get("code", 0) == 2,
        links=tuple((each["traceId"], each["spanId"]) for each in span.get("links", [])),
        flags=span.get("flags", 0),
    )


def _plain(attributes: Iterable[Json]) -> dict[str, Any]:
    made = {}
    for each in attributes:
        ((kind, value),) = each["value"].items()
        made[each["key"]] = int(value) if kind == "intValue" else value
    return made


def by_trace(spans: Iterable[Recorded]) -> list[list[Recorded]]:
    traces: dict[str, list[Recorded]] = defaultdict(list)
    for span in spans:
        traces[span.trace].append(span)
    return list(traces.values())


def _raw(value: Json) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _lines(values: Iterable[Json]) -> bytes:
    return b"".join(_raw(value) + b"\n" for value in values)


def otlp(spans: list[Recorded]) -> TracesData:
    data = TracesData()
    groups: dict[tuple[Any, ...], list[Recorded]] = defaultdict(list)
    for span in spans:
        groups[(*span.resource.items(), span.scope)].append(span)
    for group in groups.values():
        resource_spans = data.resource_spans.add()
        resource_spans.resource.attributes.extend(key_values(group[0].resource))
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = group[0].scope
        for span in group:
            made = scope_spans.spans.add(
                trace_id=bytes.fromhex(span.trace),
                span_id=bytes.fromhex(span.span),
                parent_span_id=bytes.fromhex(span.parent),
                name=span.name,
                kind=int(span.kind),
                start_time_unix_nano=span.start_ns,
                end_time_unix_nano=span.end_ns,
                attributes=key_values(span.attributes),
                flags=span.flags,
            )
            made.status.code = 2 if span.failed else 0
            for trace, linked in span.links:
                made.links.add(trace_id=bytes.fromhex(trace), span_id=bytes.fromhex(linked))
    return data


def otlp_json(spans: list[Recorded]) -> bytes:
    return _lines(as_json(otlp(trace)) for trace in by_trace(spans))


def otlp_protobuf(spans: list[Recorded]) -> bytes:
    return framed(*(otlp(trace).SerializeToString() for trace in by_trace(spans)))


def _tag(key: str, value: Json) -> Json:
    kinds = {bool: "bool", int: "int64", float: "float64"}
    return {"key": key, "type": kinds.get(type(value), "string"), "value": value}


def _jaeger_span(span: Recorded) -> Json:
    tags = [_tag(key, value) for key, value in span.attributes.items()]
    tags += [_tag("span.kind", span.kind.name.lower()), _tag("otel.scope.name", span.scope)]
    if span.failed:
        tags += [_tag("error", True), _tag("otel.status_code", "ERROR")]  # noqa: FBT003
    own = [{"refType": "CHILD_OF", "traceID": span.trace, "spanID": span.parent}]
    linked = [
        {"refType": "FOLLOWS_FROM", "traceID": trace, "spanID": one} for trace, one in span.links
    ]
    return {
        "traceID": span.trace,
        "spanID": span.span,
        "flags": 1,
        "operationName": span.name,
        "references": (own if span.parent else []) + linked,
        "startTime": span.start_ns // 1000,
        "duration": span.duration_ns // 1000,
        "tags": tags,
        "logs": [],
        "warnings": None,
    }


def _jaeger_process(span: Recorded) -> Json:
    tags = [_tag(key, value) for key, value in span.resource.items() if key != "service.name"]
    return {"serviceName": span.service, "tags": tags}


def jaeger_json(spans: list[Recorded]) -> bytes:
    traces = []
    for trace in by_trace(spans):
        processes: dict[str, Json] = {}
        listed = []
        for span in trace:
            process = _jaeger_process(span)
            numbers = [number for number, known in processes.items() if known == process]
            number = numbers[0] if numbers else f"p{len(processes) + 1}"
            processes[number] = process
            listed.append({**_jaeger_span(span), "processID": number})
        traces.append(
            {"traceID": trace[0].trace, "spans": listed, "processes": processes, "warnings": None}
        )
    return _raw({"data": traces, "total": 0, "limit": 0, "offset": 0, "errors": None})


def jaeger_elasticsearch(spans: list[Recorded]) -> bytes:
    def document(span: Recorded) -> Json:
        made = _jaeger_span(span)
        tags = made.pop("tags")
        process = _jaeger_process(span)
        process["tag"] = {each["key"].replace(".", "@"): each["value"] for each in process["tags"]}
        process["tags"] = []
        return {
            **made,
            "startTimeMillis": span.start_ns // 1_000_000,
            "tags": [{**each, "value": _as_text(each["value"])} for each in tags],
            "process": process,
        }

    return _lines(
        {"_index": "jaeger-span-2026-03-03", "_type": "_doc", "_source": document(span)}
        for span in spans
    )


def _as_text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def zipkin(spans: list[Recorded]) -> bytes:
    return _raw([[_zipkin_span(span) for span in trace] for trace in by_trace(spans)])


def _zipkin_span(span: Recorded) -> Json:
    tags = {key: _as_text(value) for key, value in span.attributes.items()}
    if span.failed:
        tags |= {"error": "true", "otel.status_code": "ERROR"}
    made = {
        "traceId": span.trace,
        "parentId": span.parent,
        "id": span.span,
        "kind": span.kind.name,
        "name": span.name.lower(),
        "timestamp": span.start_ns // 1000,
        "duration": max(1, span.duration_ns // 1000),
        "localEndpoint": {"serviceName": span.service, "ipv4": "10.0.0.1"},
        "tags": tags,
    }
    absent = [] if span.parent else ["parentId"]
    absent += ["kind"] if span.kind is Kind.INTERNAL else []
    return {key: value for key, value in made.items() if key not in absent}


def zipkin_shared(spans: list[Recorded]) -> bytes:
    """As B3 does it: a server goes on with its client's id."""
    by_id = {span.span: span for span in spans}
    made = []
    for span in spans:
        one = _zipkin_span(span)
        parent = by_id.get(span.parent)
        if span.kind is Kind.SERVER and parent is not None and parent.kind is Kind.CLIENT:
            one |= {"id": parent.span, "shared": True}
            one.pop("parentId")
            if parent.parent:
                one["parentId"] = parent.parent
        elif parent is not None and parent.kind is Kind.SERVER and parent.parent in by_id:
            above = by_id[parent.parent]
            one["parentId"] = above.span if above.kind is Kind.CLIENT else span.parent
        made.append(one)
    return _raw(made)


def datadog(spans: list[Recorded]) -> bytes:
    traces = []
    for trace in by_trace(spans):
        listed = [_datadog_span(span) for span in trace]
        listed[0]["meta"]["_dd.p.tid"] = trace[0].trace[:16]
        traces.append(listed)
    return _raw(traces)


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
    return _lines(lines)


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
    return _raw({"took": 1, "hits": {"total": {}, "hits": [_elastic_hit(span) for span in spans]}})


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
    return _lines(traces)


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
        "tags": [{"key": key, "value": _as_text(each)} for key, each in span.attributes.items()],
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
    return _raw(
        {
            "Traces": [
                {
                    "Id": _xray_trace(trace),
                    "Segments": [
                        {"Id": each.span, "Document": _raw(_segment(each, below)).decode()}
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


@dataclass(frozen=True)
class Spelling:
    """One way to write spans.

    Attributes:
        format: Name in the registry.
        write: Writes them.
        precision_ns: How far a duration may be off.
        messages: Whether it says which spans are about messages, and links them.
    """

    format: str
    write: Callable[[list[Recorded]], bytes]
    precision_ns: int = 0
    messages: bool = True


SPELLINGS = {
    "otlp-json": Spelling("otlp-json", otlp_json),
    "otlp-protobuf": Spelling("otlp-protobuf", otlp_protobuf),
    "tempo-parquet": Spelling("tempo-parquet", lambda spans: tables.tempo(otlp(spans))),
    "clickhouse-parquet": Spelling(
        "clickhouse-parquet", lambda spans: tables.clickhouse_parquet(otlp(spans))
    ),
    "clickhouse-parquet, by otlp2parquet": Spelling(
        "clickhouse-parquet", lambda spans: tables.otlp2parquet(otlp(spans))
    ),
    "clickhouse-csv": Spelling("clickhouse-csv", lambda spans: tables.clickhouse_csv(otlp(spans))),
    "clickhouse-csv, with tabs": Spelling(
        "clickhouse-csv", lambda spans: tables.clickhouse_tsv(otlp(spans))
    ),
    "jaeger-json": Spelling("jaeger-json", jaeger_json, 1000),
    "jaeger-elasticsearch": Spelling("jaeger-elasticsearch", jaeger_elasticsearch, 1000),
    "zipkin": Spelling("zipkin", zipkin, 1000, messages=False),
    "zipkin, shared ids": Spelling("zipkin", zipkin_shared, 1000, messages=False),
    "datadog": Spelling("datadog", datadog),
    "elastic-intake": Spelling("elastic-intake", elastic_intake, 1000),
    "elastic-documents": Spelling("elastic-documents", elastic_documents, 1000, messages=False),
    "skywalking": Spelling("skywalking", skywalking, 1_000_000),
    "xray": Spelling("xray", xray, 1000, messages=False),
    "python-console": Spelling("python-console", python_console, 1000),
    "go-stdouttrace": Spelling("go-stdouttrace", go_stdouttrace),
}
"""How every format is written; tables in `tables`."""
