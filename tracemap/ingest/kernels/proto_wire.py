"""Steps through the protobuf wire format: tags, numbers, and how long things are."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.json_scan import fail
from tracemap.ingest.kernels.json_text import put_character
from tracemap.ingest.kernels.json_writer import utf8_length
from tracemap.ingest.kernels.layout import (
    BAD_PROTOBUF,
    DAMAGED,
    EXTRA,
    FIELD,
    VALUE,
    Bytes,
    Ints,
)
from tracemap.ingest.kernels.machine import apart, load, signed, step
from tracemap.ingest.kernels.strings import IN_EXTRA, head, pack

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

_HIGHS = np.uint64(0x8080808080808080)
_ONES = np.uint64(0x0101010101010101)
_REPLACEMENT = 0xFFFD


@step
def varint(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Read a number of up to ten bytes into VALUE and return the position behind it."""
    value = 0
    shift = 0
    while at < end and shift < 70:
        byte = signed(data[at])
        at += 1
        if shift < 64:
            value |= (byte & 0x7F) << shift
        if byte < 0x80:
            state[VALUE] = value
            return at
        shift += 7
    return fail(state, BAD_PROTOBUF)


@step
def field(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Read the next field: FIELD is its number * 8 + wire type, VALUE what it says.

    For a field of bytes VALUE is their number, and the position returned is that of the first
    one; for all others it is that behind the field. Groups are refused: OTLP never had any.
    """
    apart()
    tag = signed(data[at])
    if tag < 0x80:
        at += 1
    else:
        at = varint(data, at, end, state)
        if at < 0:
            return -1
        tag = state[VALUE]
    state[FIELD] = tag
    wire = tag & 7
    if wire == BYTES:
        if at < end and data[at] < 0x80:
            state[VALUE] = signed(data[at])
            at += 1
        else:
            at = varint(data, at, end, state)
        if at < 0 or state[VALUE] < 0 or state[VALUE] > end - at:
            return fail(state, BAD_PROTOBUF)
        return at
    if wire == VARINT:
        return varint(data, at, end, state)
    size = 8 if wire == FIXED64 else 4
    if (wire != FIXED64 and wire != FIXED32) or at + size > end or tag < 8:
        return fail(state, BAD_PROTOBUF)
    word = load(data, at)
    state[VALUE] = signed(word if wire == FIXED64 else head(word, 4))
    return at + size


@step
def after(at: int, state: Ints) -> int:
    """Return the position behind the field just read, whatever it is."""
    if at >= 0 and state[FIELD] & 7 == BYTES:
        return at + signed(state[VALUE])
    return at


@step
def _is_plain(data: Bytes, start: int, end: int) -> bool:
    """Return whether there is nothing but ASCII, and no zero byte."""
    while start < end:
        word = load(data, start)
        if end - start < 8:
            left = end - start
            word = head(word, left) | (_ONES << np.uint64(8 * left))
        if (word | (word - _ONES)) & _HIGHS:
            return False
        start += 8
    return True


@step
def _mended(data: Bytes, start: int, end: int, extra: Bytes, state: Ints) -> int:
    """Copy text to `extra`, with U+FFFD for what is no UTF-8 and for zero bytes."""
    apart()
    first = at = state[EXTRA]
    while start < end:
        length = utf8_length(data, start, end)
        if length == 0 or data[start] == 0:
            at = put_character(_REPLACEMENT, extra, at)
            if length == 0:
                state[DAMAGED] = 1
            start += 1
        else:
            for index in range(length):
                extra[at + index] = data[start + index]
            at += length
            start += length
    state[EXTRA] = at
    return pack(first, at - first, IN_EXTRA, 0)


@step
def text_reference(data: Bytes, start: int, end: int, extra: Bytes, state: Ints) -> int:
    """Return the reference to a piece of text, which is mended first if need be."""
    if _is_plain(data, start, end):
        return pack(start, end - start, 0, 0)
    return _mended(data, start, end, extra, state)
