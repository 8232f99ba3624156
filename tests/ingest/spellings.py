"""The same spans as other tools write them, one writer a format."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.ingest import tables
from tests.ingest.recorded import Json, Recorded, as_text, by_trace, lines_of, raw_of
from tests.ingest.vendor_spellings import (
    datadog,
    elastic_documents,
    elastic_intake,
    go_stdouttrace,
    python_console,
    skywalking,
    xray,
)
from tests.ingest.writers import as_json, framed, key_values
from tracemap.model import Kind


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
    return lines_of(as_json(otlp(trace)) for trace in by_trace(spans))


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
    return raw_of({"data": traces, "total": 0, "limit": 0, "offset": 0, "errors": None})


def jaeger_elasticsearch(spans: list[Recorded]) -> bytes:
    def document(span: Recorded) -> Json:
        made = _jaeger_span(span)
        tags = made.pop("tags")
        return {
            **made,
            "startTimeMillis": span.start_ns // 1_000_000,
            "tags": [{**each, "value": as_text(each["value"])} for each in tags],
            "process": _jaeger_process(span),
        }

    return lines_of(
        {"_index": "jaeger-span-2026-03-03", "_type": "_doc", "_source": document(span)}
        for span in spans
    )


def zipkin(spans: list[Recorded]) -> bytes:
    return raw_of([[_zipkin_span(span) for span in trace] for trace in by_trace(spans)])


def _zipkin_span(span: Recorded) -> Json:
    tags = {key: as_text(value) for key, value in span.attributes.items()}
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
    return raw_of(made)


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
    "clickhouse-json": Spelling(
        "clickhouse-json", lambda spans: tables.clickhouse_json(otlp(spans))
    ),
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
