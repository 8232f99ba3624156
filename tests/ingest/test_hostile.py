"""Values that nobody sends by mistake: each is taken or counted, none stops the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.ingest.writers import START_NS, as_json, attributes, batches, framed, json_line, traces
from tracemap.intake import take_in
from tracemap.model import Quality
from tracemap.pipeline import bring_up_to_date
from tracemap.store import Store

DEEP = 10_000
GOOD = json_line(traces({"trace": 99, "span": 99}))
ENCODINGS = ("json", "protobuf")


def encoded(data: TracesData, encoding: str) -> bytes:
    return json_line(data) if encoding == "json" else framed(data.SerializeToString())


def taken(raw: bytes) -> tuple[list[dict[str, Any]], list[tuple[str, int]]]:
    """Return the spans of a file with their names, and reason and number of its rejects."""
    found = batches(raw)
    rows: list[dict[str, Any]] = []
    for batch in found:
        names = batch.operations["name"]
        rows += [
            {**row, "name": names[row["operation_id"]]} for row in batch.spans.iter_rows(named=True)
        ]
    return rows, [
        row for batch in found for row in batch.rejects.select("reason", "records").rows()
    ]


def json_of(span: dict[str, Any], **changes: object) -> bytes:
    """Return a line with one span, some of its JSON fields set to anything."""
    made = as_json(traces(span))
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0].update(changes)
    return json.dumps(made).encode() + b"\n"


@pytest.mark.parametrize(
    "line",
    [
        b"[" * DEEP + b"]" * DEEP,
        b'{"resourceSpans":' * DEEP + b"1" + b"}" * DEEP,
        b'{"resourceSpans":[],"more":' + b"[" * DEEP + b"]" * DEEP + b"}",
        GOOD.strip()[:-1] + b',"more":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    ],
    ids=["arrays", "wrappers", "unknown", "behind spans"],
)
def test_json_ten_thousand_deep(line: bytes) -> None:
    """Nothing is read by recursion: the line is rejected, and the next one is read."""
    spans, rejects = taken(GOOD + line + b"\n" + GOOD)

    assert len(spans) == 2
    assert rejects == [("nested_too_deep", 1)]


def test_json_attribute_ten_thousand_deep() -> None:
    """It is rejected with its line, like anything else that deep."""
    value = b'{"arrayValue":{"values":[' * DEEP + b"{}" + b"]}}" * DEEP
    raw = json_of({}, attributes=[{"key": "a", "value": 0}]).replace(
        b'"value": 0', b'"value":' + value
    )
    spans, rejects = taken(raw + GOOD)

    assert (len(spans), sum(count for _, count in rejects)) == (1, 1)


def test_protobuf_attribute_ten_thousand_deep() -> None:
    """It is kept down to some depth; below that stands null."""
    value = b"\x0a\x01x"
    for _ in range(DEEP):
        value = _field(0x2A, _field(0x0A, value))
    attribute = _field(0x4A, _field(0x0A, b"a") + _field(0x12, value))
    span = traces({}).resource_spans[0].scope_spans[0].spans[0].SerializeToString() + attribute
    raw = _field(0x0A, _field(0x12, _field(0x12, span)))
    (only,), rejects = taken(framed(raw))

    assert not rejects
    assert only["attributes"].startswith('{"a":[[[')
    assert "null" in only["attributes"]


def _field(tag: int, content: bytes) -> bytes:
    size, length = len(content), bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([tag, *length, size]) + content


def test_attributes_that_are_given_twice() -> None:
    """The first list counts."""
    again = b'"attributes":[],"attributes":[{"key":"b"}],"events"'
    raw = json_of({"attributes": {"a": "1"}}).replace(b'"events"', again)
    (span,), rejects = taken(raw)

    assert not rejects
    assert attributes(span["attributes"]) == {"a": "1"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_attribute_of_ten_megabytes(encoding: str) -> None:
    """It is kept whole, also one that decides what the span means."""
    said = {"pad": "x" * 10_000_000, "http.route": "/" + "y" * 10_000_000, "é": "é" * 5_000_000}
    (span,), rejects = taken(encoded(traces({"attributes": said}), encoding))

    assert not rejects
    assert attributes(span["attributes"]) == said


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_zero_and_control_characters(encoding: str) -> None:
    """All of them come through in attributes; a database takes no zero byte in a name."""
    controls = "".join(map(chr, range(32))) + "\x7f"
    data = traces({"name": f"a{controls}b", "attributes": {f"k{controls}": controls}})
    (span,), rejects = taken(encoded(data, encoding))

    assert not rejects
    assert attributes(span["attributes"]) == {f"k{controls}": controls}
    assert span["name"] == f"a{controls}b".replace("\0", "\ufffd")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_that_is_no_utf_8(encoding: str) -> None:
    """What is no text becomes U+FFFD, in keys, values, names and URLs; the span is marked."""
    said = {"key~": "value~", "url.full": "http://me@h~/p~/1?q"}
    raw = encoded(traces({"name": "n~", "attributes": said}), encoding).replace(b"~", b"\xe9")
    (span,), rejects = taken(raw)

    assert not rejects
    assert span["name"] == "n\ufffd"
    assert attributes(span["attributes"])["key\ufffd"] == "value\ufffd"
    assert span["quality"] & Quality.TEXT_DAMAGED


@pytest.mark.parametrize(
    "time",
    [2**64 - 1, 2**63, 2**70, 10**400, -1, "-1", "1e30", "never", None, True, [1], {}],
    ids=lambda time: repr(time)[:25],
)
@pytest.mark.parametrize("field", ["startTimeUnixNano", "endTimeUnixNano"])
def test_times_that_are_none(time: object, field: str) -> None:
    """Either the span is taken with a duration that is no lie, or it is rejected and counted."""
    spans, rejects = taken(json_of({}, **{field: time}) + GOOD)

    assert len(spans) + sum(count for _, count in rejects) == 2
    assert all(span["duration_ns"] is None or span["duration_ns"] >= 0 for span in spans)


@pytest.mark.parametrize(("start", "end"), [(2**64 - 1, 5), (5, 2**64 - 1), (0, 0), (2**63, 2**63)])
def test_protobuf_times_that_are_none(start: int, end: int) -> None:
    """As in JSON."""
    spans, rejects = taken(encoded(traces({"start": start, "end": end}, {}), "protobuf"))

    assert len(spans) + sum(count for _, count in rejects) == 2
    assert all(span["duration_ns"] is None or span["duration_ns"] >= 0 for span in spans)


@pytest.mark.parametrize("size", [1, 7, 9, 15, 17, 64, 5000])
@pytest.mark.parametrize("field", ["trace_id", "span_id", "parent_span_id"])
def test_protobuf_ids_of_wrong_length(field: str, size: int) -> None:
    """A span without a good id is rejected, one with a bad parent is marked."""
    data = traces({}, {"parent": 1})
    setattr(data.resource_spans[0].scope_spans[0].spans[1], field, b"\x07" * size)
    spans, rejects = taken(encoded(data, "protobuf"))

    if field == "parent_span_id":
        assert spans[1]["quality"] & Quality.BAD_ID
        assert spans[1]["parent_id"] == 0
    else:
        assert (len(spans), rejects) == (1, [(f"{field}_invalid", 1)])


@pytest.mark.parametrize("size", [33, 47, 49, 64, 5000])
def test_json_ids_of_wrong_length(size: int) -> None:
    """No number of digits is taken for an id that is not one."""
    spans, rejects = taken(json_of({}, traceId="7" * size) + GOOD)

    assert (len(spans), rejects) == (1, [("trace_id_invalid", 1)])


def test_cycles_self_parents_and_twins(tmp_path: Path) -> None:
    """A span below itself, three in a ring, and two different ones with one id: facts are made."""
    hour_ns = 3_600_000_000_000
    spans: list[dict[str, Any]] = [
        {"span": 1, "parent": 1},
        *({"span": 2 + each, "parent": 2 + (each + 1) % 3} for each in range(3)),
        {"span": 9, "name": "one"},
        {"span": 9, "name": "other", "start": START_NS + hour_ns},
    ]
    source = tmp_path / "ring.pb"
    source.write_bytes(encoded(traces(*spans), "protobuf"))
    with Store.open(tmp_path / "t.duckdb", create=True) as store:
        (only,) = take_in(store, [str(source)])
        bring_up_to_date(store)

        assert only.appended
        assert (only.appended.spans, only.appended.duplicates) == (5, 1)
        assert not store.dirty_hours()
        assert store.facts("latency_facts").height
        twins = store.query("SELECT quality FROM stored_spans WHERE span_id = 9").item()
        assert twins & Quality.ID_CONFLICT
