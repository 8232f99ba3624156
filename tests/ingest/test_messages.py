"""Streams of messages with their length before each, damaged in every place."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import zstandard
from hypothesis import given, settings

from tests.ingest.writers import batches, framed, json_line, traces
from tracemap.ingest.messages import Messages
from tracemap.ingest.streams import BrokenStreamError, Budget

CONTENTS = [f"message {number} ".encode() * 20 for number in range(6)]
COMPRESSOR = zstandard.ZstdCompressor(write_checksum=True)
FRAMES = [COMPRESSOR.compress(each) for each in CONTENTS]


def read(raw: bytes, step: int = 1 << 20) -> tuple[list[bytes], dict[int, str]]:
    """Return the messages and the lost ones, the tail among them."""
    found = Messages((raw[at : at + step] for at in range(0, len(raw), step)), Budget(len(raw)))
    messages: list[bytes] = []
    try:
        messages.extend(found)
    except BrokenStreamError as error:
        found.lost[len(messages) + 1] = error.reason
    return [each for each in messages if each], found.lost


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_damaged_frame_costs_itself_only(step: int) -> None:
    """One flipped bit used to cost the rest of the file."""
    raw = bytearray(framed(*FRAMES))
    raw[len(framed(*FRAMES[:2])) + 4 + 12] ^= 0xFF

    messages, lost = read(bytes(raw), step)
    assert messages == CONTENTS[:2] + CONTENTS[3:]
    assert list(lost) == [3]


@pytest.mark.parametrize("step", [1, 1 << 20])
@pytest.mark.parametrize("length", [0, 3, 70, 100, 1000, 1 << 28, 1 << 31])
def test_a_wrong_length_costs_its_frame_only(length: int, step: int) -> None:
    """The next frame is found by its magic number."""
    at = len(framed(*FRAMES[:2]))
    raw = bytearray(framed(*FRAMES))
    raw[at : at + 4] = length.to_bytes(4, "big")

    messages, lost = read(bytes(raw), step)
    assert messages == CONTENTS[:2] + CONTENTS[3:]
    assert set(lost) <= {3, 4}


def test_a_damaged_message_without_compression_ends_where_its_length_says() -> None:
    """The records behind it are read, it is rejected by its number."""
    lines = [json_line(traces({"trace": number, "span": number})) for number in (1, 2, 3)]
    frames = [COMPRESSOR.compress(each) for each in lines]
    damaged = frames[1][:-6] + bytes(6)
    found = batches(framed(frames[0], damaged, frames[2]))

    assert sum(batch.spans.height for batch in found) == 2
    rejects = [row for batch in found for row in batch.rejects.select("line", "reason").rows()]
    assert rejects == [(2, "corrupt_compression")]


def test_a_file_whose_first_frame_is_damaged_is_read() -> None:
    """What the file is, the next frame tells."""
    frames = [COMPRESSOR.compress(json_line(traces({"span": at}))) for at in (1, 2)]
    found = batches(framed(frames[0][:-6] + bytes(6), frames[1]))

    assert sum(batch.spans.height for batch in found) == 1
    assert [reason for batch in found for reason in batch.rejects["reason"]] == [
        "corrupt_compression"
    ]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_in_one_place_costs_little(data: st.DataObject) -> None:
    """Whatever byte is changed, at most the frame it is in and its neighbour are lost."""
    raw = bytearray(framed(*FRAMES))
    at = data.draw(st.integers(8, len(raw) - 1), label="at")
    raw[at] ^= data.draw(st.integers(1, 255), label="bits")
    messages, lost = read(bytes(raw), data.draw(st.sampled_from([5, 64, 1 << 20]), label="step"))

    assert len(messages) >= len(FRAMES) - 2
    assert set(messages) <= set(CONTENTS)
    assert len(messages) == len(FRAMES) or lost
