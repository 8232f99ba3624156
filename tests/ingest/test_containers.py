"""The same spans in every wrapping: compression, framing, documents, damage to any of them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import deque
from collections.abc import Callable

import polars as pl
import pytest
import zstandard

from tests.ingest.writers import as_json, batches, framed, json_line, traces, wide
from tracemap.ingest.streams import BrokenStreamError, unpacked

FIRST = traces({"trace": 1, "span": 1}, {"trace": 1, "span": 2, "parent": 1})
SECOND = traces({"trace": 2, "span": 3})
MESSAGES = (FIRST.SerializeToString(), SECOND.SerializeToString())
LINES = json_line(FIRST) + json_line(SECOND)
ZSTD = zstandard.ZstdCompressor()


def members(*parts: bytes) -> bytes:
    return b"".join(gzip.compress(part) for part in parts)


def frames(*parts: bytes) -> bytes:
    return b"".join(ZSTD.compress(part) for part in parts)


def pretty(indent: int = 2) -> bytes:
    return b"\n".join(json.dumps(as_json(data), indent=indent).encode() for data in (FIRST, SECOND))


WRAPPED: dict[str, bytes] = {
    "lines": LINES,
    "lines, the last one without its newline": LINES.rstrip(),
    "lines with a byte order mark, blanks and Windows ends": b"\xef\xbb\xbf\n\r\n"
    + LINES.replace(b"\n", b"\r\n"),
    "documents behind one another": LINES.replace(b"\n", b""),
    "documents over many lines": pretty(),
    "an array of documents": b"[\n" + LINES.strip().replace(b"\n", b",\n") + b"\n]\n",
    "gzip of one member": members(LINES),
    "gzip of many members, cut inside a line": members(LINES[:100], LINES[100:]),
    "gzip padded with zeros": members(LINES) + bytes(512),
    "zstd of one frame": frames(LINES),
    "zstd of many frames, cut inside a line": frames(LINES[:100], LINES[100:]),
    "zstd in gzip": members(frames(LINES)),
    "a bare message": b"".join(MESSAGES),
    "a bare message in gzip": members(b"".join(MESSAGES)),
    "framed messages": framed(*MESSAGES),
    "framed messages, each its own zstd frame": framed(*(frames(each) for each in MESSAGES)),
    "framed lines, each its own zstd frame": framed(
        frames(json_line(FIRST)), frames(json_line(SECOND))
    ),
    "framed JSON": framed(json_line(FIRST).strip(), json_line(SECOND).strip()),
    "framed messages in a stream of zstd frames": frames(
        framed(*MESSAGES)[:60], framed(*MESSAGES)[60:]
    ),
}


@pytest.mark.parametrize("wrapping", WRAPPED)
@pytest.mark.parametrize("block_bytes", [1, 150, 1 << 24])
def test_every_wrapping_holds_the_same_spans(wrapping: str, block_bytes: int) -> None:
    """A format is known by its content; names and endings say nothing."""
    found = batches(WRAPPED[wrapping], block_bytes=block_bytes)

    spans = wide(batch for batch in found if batch.spans.height)
    assert spans["span_id"].to_list() == [1, 2, 3]
    assert sum(batch.rejects.height for batch in found) == 0


CUT: dict[str, Callable[[], bytes]] = {
    "lines": lambda: LINES[:-20],
    "gzip": lambda: members(LINES)[:-20],
    "zstd": lambda: frames(json_line(FIRST), json_line(SECOND))[:-20],
    "message": lambda: b"".join(MESSAGES)[:-20],
    "framed": lambda: framed(*MESSAGES)[:-20],
    "framed, in the length": lambda: framed(*MESSAGES)[: len(MESSAGES[0]) + 6],
    "documents": lambda: pretty()[:-20],
}


@pytest.mark.parametrize("what", CUT)
def test_a_file_that_was_copied_while_it_grew_keeps_what_is_whole(what: str) -> None:
    """A live file ends anywhere; that costs its last record, and that one is counted once."""
    found = batches(CUT[what]())

    rejects = pl.concat(batch.rejects for batch in found)
    assert rejects["reason"].to_list() == ["truncated_tail"]
    if what != "gzip":
        assert sum(batch.spans.height for batch in found) == 2


def test_damaged_compression_keeps_what_came_before() -> None:
    """One flipped bit far in the file must not cost the hours before it."""
    good = gzip.compress(LINES)
    bad = bytearray(gzip.compress(LINES * 50))
    bad[len(bad) // 2] ^= 0xFF
    found = batches(good + bytes(bad))

    assert sum(batch.spans.height for batch in found) >= 3
    reasons = pl.concat(batch.rejects for batch in found)["reason"].to_list()
    assert "corrupt_compression" in reasons


def test_a_bomb_is_stopped() -> None:
    """A few kilobytes must not keep the machine busy for hours."""
    zeros = bytes(1 << 20)
    compressor = zlib.compressobj(9, wbits=31)
    inner = b"".join(compressor.compress(zeros) for _ in range(300)) + compressor.flush()
    for raw in (gzip.compress(inner, 9), frames(bytes(1 << 29))):
        with pytest.raises(BrokenStreamError, match="decompression_bomb"):
            deque(unpacked(iter([raw])), maxlen=0)


def test_layers_are_taken_off_to_a_bounded_depth() -> None:
    """A quine of a compressed file would otherwise be opened for ever."""
    raw = LINES
    for _ in range(9):
        raw = gzip.compress(raw)
    with pytest.raises(BrokenStreamError, match="nested_too_deep"):
        unpacked(iter([raw]))


def test_a_stream_in_small_pieces_is_the_same_stream() -> None:
    """Nothing may depend on how much the system reads at a time."""
    raw = members(LINES[:100], LINES[100:])
    pieces = iter([raw[at : at + 1] for at in range(len(raw))])

    assert b"".join(unpacked(pieces)) == LINES
