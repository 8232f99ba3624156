"""X-Ray, Datadog, Elastic, SkyWalking and printed spans: what is special about each."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import Link, SpanKind

from tests.ingest.writers import START_NS, attributes, batches, only_batch, only_span, wide
from tracemap.model import Kind, Quality, Status

TRACE = "0af7651916cd43dd8448eb211c80319c"


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def segment(**fields: object) -> dict[str, Any]:
    return {
        "name": "shop", "id": "b7ad6b7169203331", "trace_id": "1-0af76519-16cd43dd8448eb211c80319c",
        "start_time": START_NS / 1e9, "end_time": START_NS / 1e9 + 0.5, **fields,
    }  # fmt: skip


def test_xray_subsegments_are_spans_below_their_segment() -> None:
    """The trace id loses its version and dashes; calls have a namespace."""
    inner = {"id": "2", "name": "SQS", "namespace": "aws", "start_time": START_NS / 1e9,
             "end_time": START_NS / 1e9 + 0.1, "fault": True,
             "aws": {"operation": "SendMessage", "queue_url": "https://sqs/1/orders"}}  # fmt: skip
    found = {
        row["span_id"]: row
        for row in wide([only_batch(raw(segment(subsegments=[inner])))]).to_dicts()
    }
    top, below = found[0xB7AD6B7169203331], found[2]

    assert f"{top['trace_high']:016x}{top['trace_low']:016x}" == TRACE
    assert (below["parent_id"], below["kind"], below["status_code"]) == (
        top["span_id"], Kind.CLIENT, Status.ERROR,
    )  # fmt: skip
    assert below["service_name"] == "shop"
    assert abs(top["duration_ns"] - 500_000_000) < 1000


def test_xray_in_progress_has_no_end_and_inferred_segments_are_left_out() -> None:
    """What X-Ray made up for a database repeats the call to it; the daemon's headers are none."""
    running = segment(in_progress=True)
    del running["end_time"]
    row = only_span(b'{"format":"json","version":1}\n' + raw(running))

    assert row["duration_ns"] is None
    assert row["quality"] & Quality.END_MISSING
    made_up = segment(inferred=True, id="5")
    segments = [{"Id": "a", "Document": json.dumps(each)} for each in (segment(), made_up)]
    document = {"Traces": [{"Id": "1", "Segments": segments}]}
    assert only_batch(raw(document)).spans.height == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"fault": True}, Status.ERROR),
        ({"error": True, "namespace": "remote"}, Status.ERROR),
        ({"error": True, "http": {"request": {"client_ip": "1"}}}, Status.UNSET),
    ],
)
def test_an_xray_error_is_the_callers(fields: dict[str, Any], status: Status) -> None:
    """4xx is no error of the server, as in OpenTelemetry."""
    assert only_span(raw(segment(**fields)))["status_code"] == status


def dd_span(**fields: object) -> dict[str, Any]:
    return {
        "trace_id": int(TRACE[16:], 16), "span_id": 7, "parent_id": 0, "service": "shop",
        "name": "web.request", "resource": "GET /x", "type": "web", "start": START_NS,
        "duration": 5, "error": 0, "meta": {}, "metrics": {}, **fields,
    }  # fmt: skip


def test_datadogs_high_half_of_the_trace_id_holds_for_the_whole_trace() -> None:
    """It stands on the first span of a chunk only."""
    first = dd_span(meta={"_dd.p.tid": TRACE[:16], "env": "prod"})
    found = wide([only_batch(raw([[first, dd_span(span_id=8, parent_id=7, type="http")]]))])

    assert set(found["trace_high"]) == {int(TRACE[:16], 16)}
    assert sorted(found["kind"]) == [Kind.SERVER, Kind.CLIENT]
    assert sorted(found["parent_id"]) == [0, 7]


def test_datadogs_ids_are_decimal_also_in_strings() -> None:
    """64 bits do not fit a JavaScript number."""
    row = only_span(raw([[dd_span(trace_id="18446744073709551615", span_id="10")]]))

    assert (row["trace_low"], row["span_id"]) == (2**64 - 1, 10)


def test_datadogs_api_gives_iso_times() -> None:
    """Spans of a search: attributes inside data."""
    said = {
        "trace_id": TRACE, "span_id": "11", "service": "shop", "resource_name": "GET /x",
        "start_timestamp": "2026-03-03T09:40:00.000Z", "end_timestamp": "2026-03-03T09:40:00.012Z",
        "env": "prod", "custom": {"http": {"status_code": "200"}}, "status": "error",
    }  # fmt: skip
    row = only_span(raw({"data": [{"type": "spans", "id": "x", "attributes": said}]}))

    assert (row["duration_ns"], row["environment"], row["span_id"]) == (12_000_000, "prod", 11)
    assert (row["status_code"], row["http_status"]) == (Status.ERROR, 200)


def es_line(event: str = "transaction", **fields: object) -> bytes:
    return raw({event: {
        "trace_id": TRACE, "id": "1", "name": "GET /x", "type": "request",
        "timestamp": START_NS // 1000, "duration": 1.5, **fields,
    }})  # fmt: skip


def test_elastics_metadata_holds_for_the_lines_behind_it_over_any_block() -> None:
    """The service stands on a line of its own."""
    lines = []
    for number, name in enumerate(("one", "two"), 1):
        lines.append(raw({"metadata": {"service": {"name": name}}}))
        lines += [es_line(id=f"{number}{each}") for each in range(1, 9)]
    for block_bytes in (300, 1 << 20):
        found = wide(
            each
            for each in batches(b"\n".join(lines), block_bytes=block_bytes)
            if each.spans.height
        )
        assert found["service_name"].to_list() == ["one"] * 8 + ["two"] * 8


def test_elastics_sample_rate_is_a_weight_and_other_events_are_no_rejects() -> None:
    """A quarter of the traces was kept; errors and metrics are other signals."""
    batch = only_batch(es_line(sample_rate=0.25) + b'\n{"metricset":{"samples":{}}}\n{"error":{}}')

    assert batch.spans["weight"].to_list() == [4.0]
    assert batch.spans["duration_ns"].to_list() == [1_500_000]
    assert batch.rejects.height == 0


def test_elastics_spans_that_go_out_are_clients() -> None:
    """A span with a destination, a database or HTTP leaves its service."""
    context = {"destination": {"service": {"resource": "pay"}}, "http": {"status_code": 503}}
    row = only_span(es_line("span", context=context, outcome="failure"))

    assert (row["kind"], row["peer_name"], row["http_status"]) == (Kind.CLIENT, "pay", 503)
    assert row["status_code"] == Status.ERROR
    assert only_span(es_line("span"))["kind"] == Kind.INTERNAL


def sw_span(**fields: object) -> dict[str, Any]:
    return {
        "traceId": "t.1.1", "segmentId": "s1", "spanId": 0, "parentSpanId": -1, "refs": [],
        "serviceCode": "shop", "startTime": START_NS // 10**6, "endTime": START_NS // 10**6 + 5,
        "endpointName": "/x", "type": "Entry", "peer": "", "component": "Tomcat",
        "isError": False, "layer": "Http", "tags": [], "logs": [], **fields,
    }  # fmt: skip


def test_skywalkings_references_join_segments_and_link_traces() -> None:
    """The first reference into the same trace is the parent; others are links."""
    exit_ = sw_span(spanId=1, parentSpanId=0, type="Exit", peer="pay:80")
    same = {"traceId": "t.1.1", "parentSegmentId": "s1", "parentSpanId": 1, "type": "CROSS_PROCESS"}
    other = {**same, "traceId": "t.2.2"}
    entry = sw_span(segmentId="s2", serviceCode="pay", refs=[same, other])
    document = {"data": {"trace": {"spans": [sw_span(), exit_, entry]}}}
    batch = only_batch(raw(document))
    found = {(row["service_name"], row["kind"]): row for row in wide([batch]).to_dicts()}

    assert found["shop", Kind.CLIENT]["parent_id"] == found["shop", Kind.SERVER]["span_id"]
    assert found["pay", Kind.SERVER]["parent_id"] == found["shop", Kind.CLIENT]["span_id"]
    assert batch.links.height == 1
    assert found["shop", Kind.CLIENT]["peer_name"] == "pay"


def test_what_pythons_console_exporter_prints_is_read() -> None:
    """Written by the SDK itself."""
    printed = io.StringIO()
    provider = TracerProvider(resource=Resource({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=printed)))
    tracer = provider.get_tracer("lib")
    with tracer.start_as_current_span("outer", kind=SpanKind.SERVER) as outer:
        link = Link(outer.get_span_context())
        with tracer.start_as_current_span("inner", links=[link], attributes={"x": [1, 2]}) as inner:
            inner.record_exception(ValueError("no"))
    found = {row["name"]: row for row in wide(batches(printed.getvalue().encode())).to_dicts()}

    assert (
        found["inner"]["parent_id"] == found["outer"]["span_id"] == outer.get_span_context().span_id
    )
    assert found["outer"]["parent_id"] == 0
    assert (found["outer"]["kind"], found["outer"]["service_name"]) == (Kind.SERVER, "shop")
    assert attributes(found["inner"]["attributes"]) == {"x": [1, 2]}


def test_gos_stdouttrace_says_whether_a_parent_is_remote() -> None:
    """And its zeros are no parent."""

    def printed(parent: str, *, remote: bool) -> bytes:
        return json.dumps({
            "Name": "x", "SpanContext": {"TraceID": TRACE, "SpanID": "1"}, "SpanKind": 2,
            "Parent": {"TraceID": TRACE, "SpanID": parent, "Remote": remote},
            "StartTime": "2026-03-03T10:40:00.000000001+01:00", "EndTime": "2026-03-03T09:40:01Z",
            "Attributes": [{"Key": "n", "Value": {"Type": "INT64", "Value": 5}}],
            "Status": {"Code": "Error"}, "Resource": None,
            "InstrumentationLibrary": {"Name": "lib"},
        }, indent="\t").encode()  # fmt: skip

    row = only_span(printed("00000000000000aa", remote=True))
    assert (row["flags"] & 0x300, row["parent_id"]) == (0x300, 0xAA)
    assert row["duration_ns"] == 999_999_999
    assert (row["scope"], row["status_code"]) == ("lib", Status.ERROR)
    assert only_span(printed("0" * 16, remote=False))["parent_id"] == 0
