from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tracemap.simulate import Failing, HeadSampling, Simulated, random_shop, run, shop
from tracemap.simulate.behaviours import retry_http
from tracemap.simulate.bulk import otlp_json, otlp_protobuf
from tracemap.simulate.export_order import MOST_SPANS
from tracemap.simulate.sdk import sdk_otlp_json

FAILING = Failing(service="catalog", ratio=0.2, start_minute=0, end_minute=1)
RUNS = [
    run(shop(), minutes=0.5, seed=1, faults=[FAILING]),
    run(random_shop(5), minutes=0.5, seed=2),
    run(shop(), minutes=0.5, seed=3, sampling=HeadSampling(0.3)),
    retry_http().positive,
]


@pytest.mark.parametrize("simulated", RUNS, ids=["shop", "random", "sampled", "retried"])
def test_bulk_json_is_what_the_sdk_writes_byte_for_byte(simulated: Simulated) -> None:
    """The fast path is a copy of the right one."""
    bulk = otlp_json(simulated.spans, simulated.catalogue).tobytes()

    assert bulk == sdk_otlp_json(simulated.spans, simulated.catalogue)


@pytest.mark.parametrize("simulated", RUNS, ids=["shop", "random", "sampled", "retried"])
def test_bulk_protobuf_holds_the_same_spans_as_bulk_json(simulated: Simulated) -> None:
    """Both formats, read by other code, say the same in the same order."""
    lines = otlp_json(simulated.spans, simulated.catalogue).tobytes().splitlines()
    messages = list(_messages(otlp_protobuf(simulated.spans, simulated.catalogue).tobytes()))

    assert [_plain_message(one) for one in messages] == [_plain_line(one) for one in lines]


def test_a_batch_holds_many_services_and_parts_of_many_traces() -> None:
    """As a Collector's batch does: nothing may rely on a trace being in one line."""
    simulated = run(shop(), minutes=1)
    lines = otlp_json(simulated.spans, simulated.catalogue).tobytes().splitlines()
    line = max(lines, key=len)
    spans = [span for _, _, span in _plain_line(line)]
    everywhere = simulated.spans["trace_low"].value_counts()

    assert len({resource for resource, _, _ in _plain_line(line)}) > 1
    assert len({span["trace"] for span in spans}) > 10
    assert len(spans) < MOST_SPANS
    assert everywhere["count"].sum() == sum(len(_plain_line(one)) for one in lines)


def test_no_batch_is_larger_than_a_collector_makes_it() -> None:
    """Under load a second's spans take several batches."""
    simulated = run(shop(), minutes=1, load=100)
    sizes = [
        line.count(b'"startTimeUnixNano"')
        for line in otlp_json(next(simulated.parts()), simulated.catalogue).tobytes().splitlines()
    ]

    assert max(sizes) == MOST_SPANS


def test_no_spans_make_an_empty_file() -> None:
    """Rather than an empty batch."""
    simulated = run(shop(), minutes=1)
    nothing = simulated.spans.head(0)

    assert otlp_json(nothing, simulated.catalogue).size == 0
    assert otlp_protobuf(nothing, simulated.catalogue).size == 0


def test_files_are_written_part_by_part_and_compressed_by_name(tmp_path: Path) -> None:
    """A long run never is in memory as a whole; gzip holds no name and no time."""
    simulated = run(shop(), minutes=1)
    plain, packed = tmp_path / "traces.jsonl", tmp_path / "traces.jsonl.gz"
    counts = {simulated.write_otlp_json(plain), simulated.write_otlp_json(packed)}
    simulated.write_otlp_protobuf(tmp_path / "traces.binpb")

    assert counts == {simulated.spans.height}
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.read_bytes()[3:8] == b"\x00\x00\x00\x00\x00"
    assert len(list(_messages((tmp_path / "traces.binpb").read_bytes()))) > 1


def test_a_span_takes_some_640_bytes_and_six_attributes() -> None:
    """Benchmarks mean what they say: spans as large as real ones."""
    simulated = run(shop(), minutes=1)
    size = otlp_json(simulated.spans, simulated.catalogue).size / simulated.spans.height
    attributes = pl.Series([len(one.attributes) for one in simulated.catalogue.descriptions])

    assert 550 < size < 750
    assert 5 < attributes.gather(simulated.spans["description_id"]).mean() < 8  # type: ignore[operator]


def _messages(content: bytes) -> Iterator[TracesData]:
    while content:
        (size,) = struct.unpack(">I", content[:4])
        yield TracesData.FromString(content[4 : 4 + size])
        content = content[4 + size :]


def _plain_line(line: bytes) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (_service(_json_attributes(resource["resource"])), scope["scope"]["name"], _json_span(span))
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def _json_span(span: dict[str, Any]) -> dict[str, Any]:
    return {
        "trace": span["traceId"],
        "span": span["spanId"],
        "state": span.get("traceState", ""),
        "parent": span.get("parentSpanId", ""),
        "flags": span["flags"],
        "name": span["name"],
        "kind": span["kind"],
        "times": (int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])),
        "attributes": _json_attributes(span),
        "links": [
            (link["traceId"], link["spanId"], link["flags"]) for link in span.get("links", [])
        ],
        "status": span["status"].get("code", 0),
    }


def _json_attributes(holder: dict[str, Any]) -> dict[str, str | int]:
    return {
        one["key"]: int(one["value"]["intValue"])
        if "intValue" in one["value"]
        else one["value"]["stringValue"]
        for one in holder["attributes"]
    }


def _plain_message(message: TracesData) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (_service(_message_attributes(resource.resource)), scope.scope.name, _message_span(span))
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _message_span(span: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "state": span.trace_state,
        "parent": span.parent_span_id.hex(),
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "times": (span.start_time_unix_nano, span.end_time_unix_nano),
        "attributes": _message_attributes(span),
        "links": [(link.trace_id.hex(), link.span_id.hex(), link.flags) for link in span.links],
        "status": span.status.code,
    }


def _message_attributes(holder: Any) -> dict[str, str | int]:  # noqa: ANN401
    return {
        one.key: one.value.int_value
        if one.value.WhichOneof("value") == "int_value"
        else one.value.string_value
        for one in holder.attributes
    }


def _service(attributes: dict[str, str | int]) -> str:
    return f"{attributes['service.name']} {attributes['service.instance.id']}"
