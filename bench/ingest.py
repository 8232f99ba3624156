"""How fast trace files become a database: spans/s of `tracemap ingest` and of other ways to read.

Half a million simulated spans (an hour of a busy shop) are written once as OTLP/JSON lines and once
as length-prefixed protobuf. Each measurement is a process of its own, so that its peak of memory is
its own too; kernels are compiled before, readers start cold. ``ratio`` says how many times as long
as `tracemap ingest` of the same file each one took.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.json
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from bench.__main__ import print_table
from bench.measuring import peak_mb
from tracemap import simulate
from tracemap.ingest import Source, open_source
from tracemap.intake import take_in
from tracemap.store import Store

SPANS = 500_000
_SPANS_PER_HOUR_AT_LOAD_1 = 184_000
_BLOCK_BYTES = 1 << 24

_VALUE = (
    "STRUCT(stringValue VARCHAR, intValue VARCHAR, doubleValue DOUBLE, boolValue BOOLEAN,"
    " arrayValue JSON, kvlistValue JSON, bytesValue VARCHAR)"
)
_ATTRIBUTES = f'STRUCT("key" VARCHAR, "value" {_VALUE})[]'
_SPAN = (
    "STRUCT(traceId VARCHAR, spanId VARCHAR, parentSpanId VARCHAR, traceState VARCHAR,"
    " flags UBIGINT, name VARCHAR, kind INTEGER, startTimeUnixNano UBIGINT,"
    f" endTimeUnixNano UBIGINT, attributes {_ATTRIBUTES},"
    f" events STRUCT(timeUnixNano UBIGINT, name VARCHAR, attributes {_ATTRIBUTES})[],"
    " links STRUCT(traceId VARCHAR, spanId VARCHAR)[],"
    " status STRUCT(code INTEGER, message VARCHAR))"
)
_RESOURCE_SPANS = (
    f"STRUCT(resource STRUCT(attributes {_ATTRIBUTES}),"
    f" scopeSpans STRUCT(scope STRUCT(name VARCHAR), spans {_SPAN}[])[])[]"
)
_UNNEST = """
    CREATE TABLE spans AS
    SELECT span.*, scope, resource FROM (
        SELECT resource, scoped.scope AS scope, unnest(scoped.spans) AS span FROM (
            SELECT one.resource AS resource, unnest(one.scopeSpans) AS scoped FROM (
                SELECT unnest(resourceSpans) AS one
                FROM read_json($path, format = 'newline_delimited', columns = {columns},
                               maximum_object_size = 268435456))))
"""


def run() -> list[dict[str, object]]:
    """Print one row for each way to read each file; return what is promised, and how it is."""
    rows = _rows()
    print_table(rows)
    print()
    return _promises(rows)


def _promises(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    took = {(str(row["file"]), str(row["way"])): float(str(row["s"])) for row in rows}
    ours_json, ours = took["json", "tracemap ingest"], took["protobuf", "tracemap ingest"]
    decoding = took["protobuf", "tracemap, decode only"]
    spans_a_second = next(row["spans/s"] for row in rows if row["file"] == "protobuf")
    return [
        {"of one run": figure, "is": value, "promised": promised}
        for figure, value, promised in (
            (
                "JSON to database: DuckDB's read_json takes times as long",
                took["json", "DuckDB read_json + unnest"] / ours_json,
                "12 or more",
            ),
            (
                "JSON to database: times as long as pyarrow.json parses",
                ours_json / took["json", "pyarrow.json, parse only"],
                "2 or less",
            ),
            (
                "protobuf to columns: upb's parse alone takes times as long",
                took["protobuf", "upb, parse only"] / decoding,
                "1 or more",
            ),
            (
                "protobuf to database: a Python loop over upb takes times as long",
                took["protobuf", "upb, Python loop"] / ours,
                "5 or more, or the next",
            ),
            ("protobuf to database: spans/s", spans_a_second, "400,000 or more"),
        )
    ]


def _rows() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        files = {"json": Path(folder, "spans.jsonl"), "protobuf": Path(folder, "spans.pb")}
        _in_a_process("write", *map(str, files.values()))
        for encoding, path in files.items():
            _in_a_process("tracemap ingest", str(path), f"{path}.warm")
            rows += [
                {"file": encoding, "way": way, **_measured(way, path)}
                for way in _WAYS
                if _WAYS[way][0] in (encoding, "any")
            ]
            ours = next(row for row in rows if row["file"] == encoding)
            for row in rows:
                if row["file"] == encoding:
                    row["ratio"] = float(str(row["s"])) / float(str(ours["s"]))
    return rows


def _measured(way: str, path: Path) -> dict[str, object]:
    found = json.loads(_in_a_process(way, str(path), f"{path}.{way.replace(' ', '-')}"))
    size_bytes = path.stat().st_size
    return {
        "s": found["s"],
        "CPU s": found["CPU s"],
        "spans/s": round(found["spans"] / found["s"]),
        "MB/s": round(size_bytes / found["s"] / 1e6),
        "peak MB": found["peak MB"],
        "bytes/span": round(found["size"] / found["spans"]),
    }


def _in_a_process(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.ingest", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _write(json_path: Path, protobuf_path: Path) -> None:
    load = SPANS / _SPANS_PER_HOUR_AT_LOAD_1
    simulated = simulate.run(simulate.shop(), minutes=60, load=load)
    simulated.write_otlp_json(json_path)
    simulated.write_otlp_protobuf(protobuf_path)


def _tracemap(path: Path, database: Path) -> int:
    with Store.open(database, create=True, threads=1) as store:  # as the command does
        return sum(taken.appended.spans for taken in take_in(store, [str(path)]) if taken.appended)


def _decoded(path: Path, _database: Path) -> int:
    with open_source(Source(str(path))) as reading:
        return sum(batch.spans.height for batch in reading.batches())


def _duckdb(path: Path, database: Path) -> int:
    columns = "{resourceSpans: '" + _RESOURCE_SPANS + "'}"
    with duckdb.connect(database) as connection:
        connection.execute(_UNNEST.format(columns=columns), {"path": str(path)})
        row = connection.execute("SELECT count(*) FROM spans").fetchone()
    return int(row[0]) if row else 0


def _arrow_schema() -> Any:  # noqa: ANN401  (pyarrow has no types)
    value = pa.struct(
        {
            "stringValue": pa.string(),
            "intValue": pa.string(),
            "doubleValue": pa.float64(),
            "boolValue": pa.bool_(),
        }
    )
    attributes = pa.list_(pa.struct({"key": pa.string(), "value": value}))
    span = pa.struct(
        {
            "traceId": pa.string(),
            "spanId": pa.string(),
            "parentSpanId": pa.string(),
            "traceState": pa.string(),
            "flags": pa.uint64(),
            "name": pa.string(),
            "kind": pa.int32(),
            "startTimeUnixNano": pa.string(),
            "endTimeUnixNano": pa.string(),
            "attributes": attributes,
            "links": pa.list_(pa.struct({"traceId": pa.string(), "spanId": pa.string()})),
            "status": pa.struct({"code": pa.int32()}),
        }
    )
    scoped = pa.struct({"scope": pa.struct({"name": pa.string()}), "spans": pa.list_(span)})
    one = pa.struct(
        {"resource": pa.struct({"attributes": attributes}), "scopeSpans": pa.list_(scoped)}
    )
    return pa.schema({"resourceSpans": pa.list_(one)})


def _pyarrow(path: Path, _database: Path) -> int:
    table = pyarrow.json.read_json(
        path,
        read_options=pyarrow.json.ReadOptions(block_size=_BLOCK_BYTES),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=_arrow_schema(), unexpected_field_behavior="ignore"
        ),
    )
    spans = 0
    for chunk in table["resourceSpans"].chunks:
        scoped = chunk.flatten().field("scopeSpans").flatten()
        spans += len(scoped.field("spans").flatten())
    return spans


def _messages(path: Path) -> Iterator[TracesData]:
    raw = path.read_bytes()
    at = 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "big")
        yield TracesData.FromString(raw[at + 4 : at + 4 + size])
        at += 4 + size


def _upb(path: Path, _database: Path) -> int:
    return sum(
        len(scoped.spans)
        for message in _messages(path)
        for one in message.resource_spans
        for scoped in one.scope_spans
    )


def _upb_loop(path: Path, _database: Path) -> int:
    columns: list[tuple[object, ...]] = []
    for message in _messages(path):
        for one in message.resource_spans:
            for scoped in one.scope_spans:
                for span in scoped.spans:
                    said = {each.key: each.value.string_value for each in span.attributes}
                    start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
                    ids = span.trace_id, span.span_id, span.parent_span_id
                    columns.append((*ids, span.name, span.kind, start_ns, end_ns, said))
    return len(columns)


_WAYS: dict[str, tuple[str, Callable[[Path, Path], int]]] = {
    "tracemap ingest": ("any", _tracemap),
    "tracemap, decode only": ("any", _decoded),
    "DuckDB read_json + unnest": ("json", _duckdb),
    "pyarrow.json, parse only": ("json", _pyarrow),
    "upb, parse only": ("protobuf", _upb),
    "upb, Python loop": ("protobuf", _upb_loop),
}


def _measure(way: str, path: Path, database: Path) -> dict[str, float]:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    spans = _WAYS[way][1](path, database)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - begun_cpu
    size = database.stat().st_size if database.exists() else 0
    found = {"spans": spans, "s": seconds, "CPU s": cpu_seconds, "peak MB": peak_mb()}
    return {**found, "size": size}


if __name__ == "__main__":
    if sys.argv[1] == "write":
        _write(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        print(json.dumps(_measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
