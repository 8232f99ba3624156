"""Both decoders, against the official encoders and each other, on random spans."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from tests.ingest.writers import (
    START_NS,
    attributes,
    batches,
    framed,
    json_line,
    traces,
    wide,
)
from tracemap.ingest import FORMATS, block
from tracemap.ingest.contents import open_contents
from tracemap.ingest.kernels import layout
from tracemap.ingest.kernels.machine import SLACK
from tracemap.ingest.resources import Resources
from tracemap.ingest.semconv import ATTRIBUTES, SECRETS, URLS
from tracemap.model import Batch

KNOWN_KEYS = sorted({key for keys in ATTRIBUTES.values() for key in keys} - {*URLS})
KEYS = st.sampled_from(KNOWN_KEYS) | st.text(min_size=1).filter(
    lambda key: key not in (*SECRETS, *URLS) and not key.startswith(("http.re", "rpc.", "db."))
)
SCALARS = (
    st.text()
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.sampled_from([0.5, 12.345, 1e300, 5e-324, -0.0, 0.1 + 0.2])
    | st.binary()
    | st.none()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
TIMES = st.integers(0, 2**63 - 1) | st.integers(START_NS, START_NS + 10**9)
SPAN_IDS = st.integers(1, 2**64 - 1)
TRACE_IDS = st.integers(1, 2**128 - 1)
SPANS = st.fixed_dictionaries(
    {
        "trace": TRACE_IDS,
        "span": SPAN_IDS,
        "parent": st.integers(0, 2**64 - 1),
        "name": st.text(),
        "kind": st.integers(0, 5),
        "start": TIMES,
        "end": TIMES,
        "attributes": st.dictionaries(KEYS, VALUES, max_size=5),
        "status": st.integers(0, 2),
        "flags": st.sampled_from([0, 1, 256, 257, 768, 769]),
        "state": st.sampled_from(["", "ot=th:8", "a=b,ot=rv:1;th:c", "x=ot=th:8"]),
        "links": st.lists(st.tuples(TRACE_IDS, SPAN_IDS), max_size=2),
        "exceptions": st.lists(st.text(min_size=1), max_size=2),
    }
)
FILES = st.tuples(
    st.lists(SPANS, min_size=1, max_size=4), st.dictionaries(KEYS, VALUES, max_size=3), st.text()
)
Spans = tuple[list[dict[str, Any]], dict[str, Any], str]


def expected(value: object) -> object:
    """Return an attribute's value as its JSON text reads back."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case list():
            return [expected(each) for each in value]
        case dict():
            return {key: expected(each) for key, each in value.items()}
    return value


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with attributes as canonical text: numbers may be spelled in two ways."""
    return frame.with_columns(
        pl.Series(
            name,
            [
                None if text is None else json.dumps(json.loads(text), sort_keys=True)
                for text in frame[name]
            ],
            dtype=pl.String,
        )
        for name in ("attributes", "attributes_of_resource")
    )


@given(FILES)
@settings(max_examples=150, deadline=None)
def test_protobuf_reads_back_what_was_written(file: Spans) -> None:
    """Ids, times, flags and attributes survive; the official encoder is the oracle."""
    spans, resource, scope = file
    raw = traces(*spans, resource=resource, scope=scope).SerializeToString()
    read = wide(batches(raw)).to_dicts()

    assert len(read) == len(spans)
    for row, span in zip(read, spans, strict=True):
        assert (row["trace_high"] << 64) | row["trace_low"] == span["trace"]
        assert (row["span_id"], row["parent_id"]) == (span["span"], span["parent"])
        assert (row["kind"], row["status_code"]) == (span["kind"], span["status"])
        assert (row["start_ns"], row["flags"]) == (span["start"], span["flags"])
        duration = span["end"] - span["start"]
        assert row["duration_ns"] == (duration if span["end"] and duration >= 0 else None)
        assert row["name"] == span["name"].replace("\0", "\ufffd")
        assert row["scope"] == scope.replace("\0", "\ufffd")
        assert attributes(row["attributes"]) == expected(span["attributes"])


@given(FILES)
@settings(max_examples=150, deadline=None)
def test_both_encodings_of_the_same_spans_give_the_same_batch(file: Spans) -> None:
    """What a user learns must not depend on how the Collector was told to write."""
    spans, resource, scope = file
    data = traces(*spans, resource=resource, scope=scope)
    one = batches(data.SerializeToString())
    other = batches(json_line(data))

    assert_frame_equal(readable(wide(one)), readable(wide(other)))
    assert_frame_equal(one[0].links, other[0].links)
    assert_frame_equal(one[0].operations, other[0].operations)


@given(st.lists(FILES, min_size=1, max_size=4), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_the_size_of_the_blocks_changes_nothing(files: list[Spans], block_bytes: int) -> None:
    """A record never depends on where the file was cut."""
    datas = [traces(*spans, resource=resource, scope=scope) for spans, resource, scope in files]
    messages = [data.SerializeToString() for data in datas]
    for raw in (b"".join(map(json_line, datas)), b"".join(messages), framed(*messages)):
        whole = wide(batches(raw))
        cut = wide(each for each in batches(raw, block_bytes=block_bytes) if each.spans.height)

        assert_frame_equal(readable(whole), readable(cut))


@given(
    st.lists(SPANS, min_size=1, max_size=3),
    st.sampled_from(["json", "protobuf", "framed"]),
    st.data(),
)
@settings(max_examples=300, deadline=None)
def test_damage_anywhere_is_accounted_for(
    spans: list[dict[str, Any]], encoding: str, data: st.DataObject
) -> None:
    """Whatever byte is changed or cut off: no crash, and lost spans are rejects."""
    good = traces({"trace": 7, "span": 7})
    bad = traces(*spans)
    messages = good.SerializeToString(), bad.SerializeToString()
    raw = {
        "json": json_line(good) + json_line(bad),
        "protobuf": b"".join(messages),
        "framed": framed(*messages),
    }[encoding]
    start = raw.index(bad.SerializeToString() if encoding != "json" else json_line(bad))
    damaged = bytearray(raw)
    if data.draw(st.booleans(), label="cut"):
        del damaged[data.draw(st.integers(start, len(raw) - 1), label="length") :]
    else:
        at = data.draw(st.integers(start, len(raw) - 1), label="at")
        damaged[at] = data.draw(st.integers(0, 255), label="byte")
    found = batches(bytes(damaged))

    read = sum(batch.spans.height for batch in found)
    lost = sum(int(batch.rejects["records"].sum()) for batch in found)
    skipped = sum(sum(batch.skipped.values()) for batch in found)
    assert read + lost + skipped >= 1
    assert (found[0].spans["span_id"] == 7).any()


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("start", [b"", b"\n\x20\x12\x1e\x12\x1c", b'{"resourceSpans":[{"scopeSp'])
def test_noise_is_refused_or_rejected(start: bytes, noise: bytes) -> None:
    """Bytes that mean nothing are noted, never an exception."""
    found = batches(start + noise)

    assert all(batch.spans.height == 0 or batch.spans["span_id"].min() for batch in found)


@pytest.mark.parametrize("name", ["otlp-json", "otlp-protobuf"])
@pytest.mark.parametrize("count", [1, 2, 98])
def test_memory_that_is_used_again_may_hold_anything(name: str, count: int) -> None:
    """What an earlier block left in it changes nothing; what was made of that block stays."""
    said = {"http.response.status_code": 503, "ratio": 1 / 3, "list": ["a", {"b": 2.5}], "t": "\n"}
    data = traces(
        *(
            {"trace": at, "span": at, "attributes": said, "links": [(at, 3)]}
            for at in range(1, count + 1)
        )
    )
    raw = json_line(data) if name == "otlp-json" else data.SerializeToString()
    (read,) = (each.blocks for each in FORMATS if each.name == name)
    assert read

    def decoded() -> Batch:
        (cut,) = read.cut(open_contents(iter([raw])), 1 << 24)
        return read.decode(cut, Resources())

    def columns(batch: Batch) -> list[list[object]]:
        frames = (batch.spans, batch.operations, batch.resources, batch.links, batch.rejects)
        return [column.to_list() for frame in frames for column in frame]

    first = decoded()
    expected = columns(first)
    assert {"spans", "links", "extra"} <= set(layout._KEPT.rows)
    for kept in layout._KEPT.rows.values():
        kept[:5000] = 0x5A5A5A5A5A5A5A5A

    assert len(first.spans) == count
    assert columns(first) == expected
    assert columns(decoded()) == expected


def test_memory_of_a_block_is_used_again_if_it_fits() -> None:
    """Not for one that is larger, nor for one that is far smaller."""
    block._spare.clear()
    first = block.padded(bytes(1000))
    for size, again in ((900, True), (100, False), (2000, False)):
        block.give_back(block.Block(first, np.empty((0, 2), np.int64), 1))
        second = block.padded(bytes(size))
        assert np.shares_memory(first, second) == again
        assert second.size == size + SLACK
