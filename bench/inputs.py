"""Inputs at the edge of what people have: long lines, wide traces, many small files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tracemap import simulate

SPANS_PER_HOUR_AT_LOAD_1 = 184_000
TRACE_SPANS = 100_000
TRACE_FILES = 1_000
LINE_BYTES = 200_000_000
_BUSY = 500_000 / SPANS_PER_HOUR_AT_LOAD_1
_START_NS = 1_772_530_800_000_000_000


def write_long_file(folder: Path, spans: int) -> None:
    """Write one file of protobuf with about so many spans, half a million an hour."""
    minutes = 60 * spans / (_BUSY * SPANS_PER_HOUR_AT_LOAD_1)
    run = simulate.run(simulate.shop(), minutes=minutes, load=_BUSY)
    run.write_otlp_protobuf(folder / "spans.pb")


def write_long_line(folder: Path) -> None:
    """Write one document of 200 MB without a newline."""
    source = folder.parent / "spans.jsonl"
    simulate.run(simulate.shop(), minutes=40, load=_BUSY).write_otlp_json(source)
    with source.open("rb") as lines, (folder / "line.json").open("wb") as file:
        size = file.write(b'{"resourceSpans":[')
        for line in lines:
            start, end = line.index(b"[") + 1, line.rindex(b"]")
            size += file.write((b"," if size > LINE_BYTES // 10**7 else b"") + line[start:end])
            if size > LINE_BYTES:
                break
        file.write(b"]}")
    source.unlink()


def write_wide_trace(folder: Path) -> None:
    """Write one trace of 100,000 spans in one file."""
    (folder / "trace.json").write_text(_document(range(TRACE_SPANS)), encoding="utf-8")


def write_scattered_trace(folder: Path) -> None:
    """Write one trace of 100,000 spans, scattered over 1,000 files."""
    for number in range(TRACE_FILES):
        part = range(number, TRACE_SPANS, TRACE_FILES)
        (folder / f"{number:04}.json").write_text(_document(part), encoding="utf-8")


def _document(numbers: range) -> str:
    """Return these spans of the wide trace: each one is called by the one of half its number."""
    by_service: dict[str, list[dict[str, Any]]] = {}
    for number in numbers:
        depth = (number + 1).bit_length()
        span = {
            "traceId": f"{7:032x}",
            "spanId": f"{number + 1:016x}",
            "parentSpanId": f"{(number + 1) // 2:016x}" if number else "",
            "name": f"step {number % 50}",
            "kind": 2 if depth % 2 else 3,
            "startTimeUnixNano": str(_START_NS + depth * 1_000_000 + number),
            "endTimeUnixNano": str(_START_NS + 100_000_000 - depth * 1_000_000 + number),
            "attributes": [{"key": "http.request.method", "value": {"stringValue": "GET"}}],
        }
        by_service.setdefault(f"service-{depth // 2}", []).append(span)
    resource_spans = [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]},
            "scopeSpans": [{"spans": spans}],
        }
        for name, spans in by_service.items()
    ]
    return json.dumps({"resourceSpans": resource_spans})


def write_small_files(folder: Path, files: int) -> None:
    """Write files of 1 to 50 spans: JSON, protobuf and gzipped JSON by turns."""
    source = folder.parent / "spans"
    hours = files * 26 / (_BUSY * SPANS_PER_HOUR_AT_LOAD_1)
    run = simulate.run(simulate.shop(), minutes=60 * hours, load=_BUSY)
    run.write_otlp_json(source)
    pieces = _json_pieces(source)
    for number, (head, spans) in enumerate(islice(pieces, files)):
        if number % 3 == 1:
            name, content = "pb", _protobuf(head, spans)
        else:
            document = {"resourceSpans": [{**head, "scopeSpans": [{"spans": spans}]}]}
            name, content = "json", json.dumps(document, separators=(",", ":")).encode()
            if number % 3 == 2:
                name, content = "json.gz", gzip.compress(content, 1, mtime=0)
        (folder / f"{number:06}.{name}").write_bytes(content)
    source.unlink()


def _json_pieces(source: Path) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield resource and spans, 1 to 50 at a time."""
    size = 0
    with source.open("rb") as lines:
        for line in lines:
            for one in json.loads(line)["resourceSpans"]:
                spans = [span for each in one["scopeSpans"] for span in each["spans"]]
                while spans:
                    size = size % 50 + 1
                    yield {"resource": one["resource"]}, spans[:size]
                    del spans[:size]


def _protobuf(head: dict[str, Any], spans: list[dict[str, Any]]) -> bytes:
    data = TracesData()
    made = data.resource_spans.add()
    _attributes(made.resource.attributes, head["resource"]["attributes"])
    scope = made.scope_spans.add()
    for span in spans:
        one = scope.spans.add()
        one.trace_id = bytes.fromhex(span["traceId"])
        one.span_id = bytes.fromhex(span["spanId"])
        one.parent_span_id = bytes.fromhex(span.get("parentSpanId", ""))
        one.name, one.kind = span["name"], span["kind"]
        one.start_time_unix_nano = int(span["startTimeUnixNano"])
        one.end_time_unix_nano = int(span["endTimeUnixNano"])
        one.status.code = span.get("status", {}).get("code", 0)
        _attributes(one.attributes, span["attributes"])
    return bytes(data.SerializeToString())


def _attributes(target: Any, said: list[dict[str, Any]]) -> None:  # noqa: ANN401
    for each in said:
        made = target.add(key=each["key"])
        value = each["value"]
        if "intValue" in value:
            made.value.int_value = int(value["intValue"])
        elif "boolValue" in value:
            made.value.bool_value = value["boolValue"]
        elif "doubleValue" in value:
            made.value.double_value = float(value["doubleValue"])
        else:
            made.value.string_value = value.get("stringValue", "")
