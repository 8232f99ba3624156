"""What producers write that is not quite OTLP/JSON, and what is taken from it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.ingest.writers import (
    START_NS,
    as_json,
    attributes,
    batches,
    only_batch,
    only_span,
    traces,
)
from tracemap.model import Quality

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def span(**fields: object) -> dict[str, Any]:
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "work",
        "kind": 2,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 5),
        **fields,
    }


def document(*spans: dict[str, Any], **fields: object) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    scope_spans = [{"scope": {"name": "lib"}, "spans": [*spans]}]
    return {"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans, **fields}]}


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def read(**fields: object) -> dict[str, Any]:
    return only_span(raw(document(span(**fields))))


@pytest.mark.parametrize(
    ("trace", "identity"),
    [
        (TRACE.upper(), SPAN.upper()),
        ("0x" + TRACE, "0x" + SPAN),
        (
            base64.b64encode(bytes.fromhex(TRACE)).decode(),
            base64.b64encode(bytes.fromhex(SPAN)).decode(),
        ),
        (
            base64.urlsafe_b64encode(bytes.fromhex(TRACE)).decode(),
            base64.urlsafe_b64encode(bytes.fromhex(SPAN)).decode(),
        ),
        (base64.b64decode(TRACE).hex(), base64.b64decode(SPAN).hex()),
    ],
)
def test_ids_are_found_in_every_spelling(trace: str, identity: str) -> None:
    """Hex in any case, base64 (Tempo, Python), and hex that was decoded as base64 on its way."""
    row = read(traceId=trace, spanId=identity)

    assert f"{row['trace_high']:016x}{row['trace_low']:016x}" == TRACE
    assert f"{row['span_id']:016x}" == SPAN


def test_short_hex_ids_are_padded() -> None:
    """Jaeger and Zipkin write 64-bit trace ids, and drop leading zeros."""
    row = read(traceId="abc", spanId="1")

    assert (row["trace_high"], row["trace_low"], row["span_id"]) == (0, 0xABC, 1)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"traceId": "0" * 32}, "trace_id_missing"),
        ({"traceId": ""}, "trace_id_missing"),
        ({"traceId": None}, "trace_id_missing"),
        ({"traceId": "xyz"}, "trace_id_invalid"),
        ({"traceId": TRACE + "00"}, "trace_id_invalid"),
        ({"spanId": "0" * 16}, "span_id_missing"),
        ({"spanId": "nope"}, "span_id_invalid"),
        ({"startTimeUnixNano": "yesterday"}, "time_invalid"),
        ({"startTimeUnixNano": str(2**64)}, "time_invalid"),
    ],
)
def test_a_span_that_cannot_be_stored_is_rejected_alone(
    fields: dict[str, Any], reason: str
) -> None:
    """Its neighbours in the same line are good."""
    other = {"spanId": "1", "name": "other", "links": [{"traceId": "2", "spanId": "2"}]}
    batch = only_batch(raw(document(span(**fields), span(**other))))

    assert batch.operations["name"].to_list() == ["other"]
    assert batch.links["span_id"].to_list() == [1]
    ((line, found, records, excerpt),) = batch.rejects.rows()
    assert (line, found, records) == (1, reason, 1)
    assert excerpt.startswith('{"traceId"')


@pytest.mark.parametrize(
    ("kind", "number"),
    [(3, 3), ("3", 3), ("SPAN_KIND_CLIENT", 3), ("CLIENT", 3), ("SPAN_KIND_MAGIC", 0), (17, 0)],
)
def test_kinds_are_numbers_or_names(kind: object, number: int) -> None:
    """The specification says numbers; protobuf's own JSON writes names."""
    row = read(kind=kind)

    assert row["kind"] == number
    assert bool(row["quality"] & 1048576) == (number == 0)


@pytest.mark.parametrize("code", [2, "2", "STATUS_CODE_ERROR"])
def test_a_status_is_a_number_or_a_name(code: object) -> None:
    """As kinds are."""
    assert read(status={"message": "no", "code": code})["status_code"] == 2


@pytest.mark.parametrize(
    ("time", "flagged"),
    [(START_NS, False), (str(START_NS), False), (1.7e18, True), ("1.7e18", True)],
)
def test_times_are_numbers_or_strings(time: object, *, flagged: bool) -> None:
    """A float has lost the last digits on the way: it is taken, and marked."""
    row = read(startTimeUnixNano=time)

    assert row["start_ns"] == START_NS
    assert bool(row["quality"] & 1024) == flagged


def test_odd_times_are_kept_and_marked() -> None:
    """A span without an end is still running; one that ends before it starts has no duration."""
    assert read(endTimeUnixNano="0")["duration_ns"] is None
    assert read(endTimeUnixNano="0")["quality"] & 128
    assert read(endTimeUnixNano=str(START_NS - 1))["duration_ns"] is None
    assert read(endTimeUnixNano=str(START_NS - 1))["quality"] & 256
    assert read(endTimeUnixNano=str(START_NS))["duration_ns"] == 0
    assert read(startTimeUnixNano="17")["quality"] & 512


WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "batches": lambda inner: {"batches": inner["resourceSpans"]},
    "trace": lambda inner: {"trace": inner, "metrics": {"inspected": 1}, "status": "PARTIAL"},
    "result": lambda inner: {"result": inner},
    "a bare line": lambda inner: inner["resourceSpans"][0],
    "an array": lambda inner: [inner],
    "snake case": lambda inner: json.loads(
        json.dumps(inner)
        .replace("resourceSpans", "resource_spans")
        .replace("scopeSpans", "scope_spans")
        .replace("traceId", "trace_id")
        .replace("spanId", "span_id")
        .replace("startTimeUnixNano", "start_time_unix_nano")
        .replace("endTimeUnixNano", "end_time_unix_nano")
        .replace("stringValue", "string_value")
    ),
    "names before version 0.15": lambda inner: json.loads(
        json.dumps(inner)
        .replace("scopeSpans", "instrumentationLibrarySpans")
        .replace('"scope"', '"instrumentationLibrary"')
    ),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_and_old_names_are_seen_through(wrapper: str) -> None:
    """Tempo, Jaeger v3, the Java logging exporter and old SDKs each wrap differently."""
    row = only_span(raw(WRAPPERS[wrapper](document(span()))))

    assert (row["service_name"], row["scope"], row["span_id"]) == ("shop", "lib", int(SPAN, 16))


@pytest.mark.parametrize("status_first", [False, True])
def test_a_trace_that_tempo_cut_short_is_marked(*, status_first: bool) -> None:
    """Its version 2 API says PARTIAL; what is missing there must not count as not called."""
    answer = {"trace": document(span()), "status": "PARTIAL", "message": "too large"}
    order = sorted(answer) if status_first else list(answer)
    row = only_span(raw({key: answer[key] for key in order}))
    complete = only_span(raw({"trace": document(span()), "status": "COMPLETE"}))

    assert row["quality"] & Quality.TRACE_PARTIAL
    assert not complete["quality"] & Quality.TRACE_PARTIAL


def test_a_pretty_printed_document_and_several_behind_one_another_are_read() -> None:
    """Dumps made by hand, by ``jq`` and by APIs."""
    one, other = document(span()), document(span(spanId="1"))
    pretty = json.dumps(one, indent=2).encode() + b"\n" + json.dumps(other, indent=2).encode()

    assert sorted(only_batch(pretty).spans["span_id"]) == [1, int(SPAN, 16)]
    assert only_batch(raw(one) + raw(other)).spans.height == 2


def test_old_names_count_only_where_the_new_ones_are_empty() -> None:
    """A producer that writes both writes the same spans twice (Collector's rule)."""
    both = document(span())
    both["resourceSpans"][0]["instrumentationLibrarySpans"] = [{"spans": [span(spanId="9")]}]

    assert only_batch(raw(both)).spans["span_id"].to_list() == [int(SPAN, 16)]


def reversed_keys(value: object) -> object:
    """Return the value with the members of all its objects in the opposite order."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(each) for each in value] if isinstance(value, list) else value


def test_the_order_of_keys_means_nothing() -> None:
    """Spans may stand before their scope and resource, values before their keys."""
    data = traces(
        {
            "attributes": {"http.route": "/x", "n": 5, "deep": {"a": [1, {"b": 2.5}]}},
            "exceptions": ["Boom"],
            "links": [(3, 4)],
        },
        resource={"service.name": "shop"},
        scope="lib",
    )
    forward = only_span(raw(as_json(data)))

    assert only_span(raw(reversed_keys(as_json(data)))) == forward
    assert attributes(forward["attributes"])["deep"] == {"a": [1, {"b": 2.5}]}


def test_unknown_fields_are_ignored_at_any_depth() -> None:
    """The specification demands it; newer producers will write more than we know."""
    new = {"deep": [[{"x": [1, "}", {"y": None}]}]], "traceId": '\\"'}
    row = only_span(raw(document(span(future=new, status={"future": new}), future=new)))

    assert row["name"] == "work"


def test_nesting_without_end_costs_one_line() -> None:
    """A hostile line must not exhaust the stack."""
    deep = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    batch = only_batch(deep + b"\n" + raw(document(span())))

    assert batch.spans.height == 1
    assert batch.rejects["reason"].to_list() == ["nested_too_deep"]


def test_values_nested_beyond_sense_become_null() -> None:
    """The span is worth more than the hundredth level of one of its attributes."""
    value: dict[str, Any] = {"intValue": 1}
    for _ in range(100):
        value = {"arrayValue": {"values": [value]}}
    number = {"key": "n", "value": {"intValue": 1}}
    row = read(attributes=[{"key": "deep", "value": value}, number])

    read_back = attributes(row["attributes"])
    assert read_back["n"] == 1
    for _ in range(64):
        (read_back["deep"],) = read_back["deep"]
    assert read_back["deep"] is None


def test_a_bad_line_costs_all_of_that_line_and_nothing_else() -> None:
    """Half a line is no evidence of anything; its spans are counted as lost."""
    good = raw(document(span()))
    bad = raw(document(span(spanId="1"), span(spanId="2")))[:-3] + b"}"
    batch = only_batch(b"\n".join([good, bad, b"nonsense", b'{"some":"json"}', b"", good]))

    assert batch.spans.height == 2
    assert [row[:3] for row in batch.rejects.rows()] == [
        (2, "bad_json", 2),
        (3, "bad_json", 1),
        (4, "not_otlp", 1),
    ]


def test_other_signals_are_counted_and_left() -> None:
    """Collectors write logs and metrics into the same file."""
    logs: object = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{}, {"body": {}}]}]}]}
    metrics: object = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m"}]}]}]}
    batch = only_batch(b"\n".join(map(raw, [logs, metrics, document(span())])))

    assert batch.spans.height == 1
    assert batch.skipped == {"logs": 2, "metrics": 1}
    assert batch.rejects.height == 0


def test_escapes_are_undone_in_names_and_kept_in_attributes() -> None:
    """A name is text; attributes stay JSON. Half a surrogate pair is no character at all."""
    text = r"caf\u00e9 \ud83d\ude00 \/ \" \n \ud800"
    line = raw(
        document(span(name="NAME", attributes=[{"key": "a", "value": {"stringValue": "X"}}]))
    )
    row = only_span(line.replace(b"NAME", text.encode()).replace(b'"X"', f'"{text}"'.encode()))

    assert row["name"] == 'café 😀 / " \n \ufffd'
    assert attributes(row["attributes"]) == {"a": row["name"]}


def test_bytes_that_are_no_text_are_replaced() -> None:
    """One broken byte in one name is no reason to lose a line."""
    row = only_span(raw(document(span(name="NAME"))).replace(b"NAME", b"caf\xe9 \xff"))

    assert row["name"] == "caf\ufffd \ufffd"
    assert row["quality"] & Quality.TEXT_DAMAGED
    assert not read(name="caf\u00e9")["quality"] & Quality.TEXT_DAMAGED


def test_flags_dropped_counts_and_sampling_are_noted() -> None:
    """They tell how complete a trace is, and how many spans one stands for."""
    row = read(flags=768, droppedLinksCount=2, traceState="x=1,ot=rv:00;th:c")

    assert row["flags"] == 768
    assert row["quality"] & 524288
    assert row["weight"] == 4.0
    assert not row["quality"] & 262144
    assert read()["quality"] & 262144


def test_many_bad_spans_are_counted_but_not_all_kept() -> None:
    """A million bad lines must not make a million rows of rejects."""
    batch = only_batch(raw(document(*[span(spanId="") for _ in range(2500)])))

    assert int(batch.rejects["records"].sum()) == 2500
    assert batch.rejects.height <= 1001


def test_the_lines_of_rejects_are_those_of_the_file() -> None:
    """They are what an editor shows, whatever the size of the blocks."""
    lines = [raw(document(span())) if n % 3 else b"bad" for n in range(1, 31)]
    found = batches(b"\n".join(lines), block_bytes=500)

    rejected = [line for batch in found for line in batch.rejects["line"].to_list()]
    assert rejected == [n for n in range(1, 31) if n % 3 == 0]
