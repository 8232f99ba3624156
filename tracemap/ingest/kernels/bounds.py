"""Where documents and fields end, in a block that may stop in the middle of one."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.layout import Bytes, Ints
from tracemap.ingest.kernels.machine import kernel, load, step, trailing_bytes

_QUOTE, _BACKSLASH, _NEWLINE = 34, 92, 10
_OPEN_ARRAY, _CLOSE_ARRAY, _OPEN_OBJECT, _CLOSE_OBJECT = 91, 93, 123, 125
_NEWLINES = np.uint64(0x0A0A0A0A0A0A0A0A)
_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)


@step
def _line_bounds(data: Bytes, size: int, bounds: Ints) -> int:
    found = 0
    start = 0
    at = 0
    while at < size:
        word = load(data, at) ^ _NEWLINES
        mask = (word - _ONES) & ~word & _HIGHS
        if mask == 0:
            at += 8
            continue
        at += trailing_bytes(mask)
        if at < size:
            bounds[2 * found] = start
            bounds[2 * found + 1] = at
            found += 1
            at += 1
            start = at
    if start < size:
        bounds[2 * found] = start
        bounds[2 * found + 1] = size
        found += 1
    return found


@kernel
def line_bounds(data: Bytes, size: int, bounds: Ints) -> int:
    """Find the lines among the first `size` bytes, their newlines not included.

    Returns:
        How many rows of `bounds` were filled.
    """
    return _line_bounds(data, size, bounds)


@kernel
def document_bounds(data: Bytes, size: int, bounds: Ints, ends: Ints) -> int:
    """Find the JSON documents among the first `size` bytes.

    A document is what lies between a bracket and the one that closes it. Anything else that is
    not white space counts as a document up to the end of its line.

    Returns:
        How many rows of `bounds` were filled; `ends[0]` tells where the next document starts.
    """
    found = 0
    at = 0
    start = -1
    depth = 0
    stray = False
    while at < size:
        byte = data[at]
        if stray:
            if byte == _NEWLINE:
                bounds[2 * found] = start
                bounds[2 * found + 1] = at
                found += 1
                start = -1
                stray = False
        elif byte == _QUOTE and depth > 0:
            at += 1
            while at < size and data[at] != _QUOTE:
                at += 2 if data[at] == _BACKSLASH else 1
        elif byte == _OPEN_ARRAY or byte == _OPEN_OBJECT:
            if depth == 0:
                start = at
            depth += 1
        elif byte == _CLOSE_ARRAY or byte == _CLOSE_OBJECT:
            depth -= 1
            if depth == 0:
                bounds[2 * found] = start
                bounds[2 * found + 1] = at + 1
                found += 1
                start = -1
            elif depth < 0:
                depth = 0
                start = at
                stray = True
        elif depth == 0 and byte > 32:
            start = at
            stray = True
        at += 1
    ends[0] = start if start >= 0 else size
    return found


@kernel
def element_bounds(data: Bytes, size: int, bounds: Ints, ends: Ints, wanted: int) -> int:
    """Find what is inside `wanted` brackets of JSON text, among the first `size` bytes.

    Those are the elements of a list that other lists or objects stand around. Plain values around
    or beside them are passed over.

    Args:
        data: The text; it starts outside of any string.
        size: How much of it there is.
        bounds: Gets where each element starts and ends.
        ends: Gets where the text goes on behind the last element that is whole, and how many
            brackets are open there; the second says how many are open where the text starts.
        wanted: How many brackets are open where an element starts.

    Returns:
        How many rows of `bounds` were filled.
    """
    depth = ends[1]
    found = 0
    at = 0
    start = -1
    while at < size:
        byte = data[at]
        if byte == _QUOTE:
            opened = at
            at += 1
            while at < size and data[at] != _QUOTE:
                at += 2 if data[at] == _BACKSLASH else 1
            if at >= size and start < 0:
                ends[0] = opened
                ends[1] = depth
                return found
        elif byte == _OPEN_ARRAY or byte == _OPEN_OBJECT:
            if depth == wanted:
                start = at
            depth += 1
        elif byte == _CLOSE_ARRAY or byte == _CLOSE_OBJECT:
            depth = max(0, depth - 1)
            if depth == wanted and start >= 0:
                bounds[2 * found] = start
                bounds[2 * found + 1] = at + 1
                found += 1
                start = -1
        at += 1
    ends[0] = start if start >= 0 else size
    ends[1] = wanted if start >= 0 else depth
    return found


@kernel
def field_bounds(data: Bytes, size: int, bounds: Ints, ends: Ints) -> int:
    """Find the top fields of a protobuf message among the first `size` bytes.

    Only fields of bytes can be told apart; at any other one the rest counts as one record, which
    the decoder will reject.

    Returns:
        How many rows of `bounds` were filled; `ends[0]` tells where the next field starts.
    """
    found = 0
    at = 0
    while at < size:
        start = at
        if data[at] & 0x87 != 2:
            bounds[2 * found] = start
            bounds[2 * found + 1] = size
            ends[0] = size
            return found + 1
        at += 1
        length = 0
        shift = 0
        while at < size and shift < 35 and data[at] & 0x80:
            length |= (int(data[at]) & 0x7F) << shift
            shift += 7
            at += 1
        if at >= size:
            ends[0] = start
            return found
        length |= int(data[at]) << shift
        at += 1
        if length > size - at:
            ends[0] = start
            return found
        at += length
        bounds[2 * found] = start
        bounds[2 * found + 1] = at
        found += 1
    ends[0] = size
    return found


@kernel
def span_id_count(data: Bytes, size: int) -> int:
    """Return how often ``spanId`` or ``span_id`` stands in JSON text: there are no more spans."""
    found = 0
    for at in range(size - 4):
        if data[at] == 112 and data[at + 1] == 97 and data[at + 2] == 110:
            if data[at + 3] == 73 or (data[at + 3] == 95 and data[at + 4] == 105):
                found += 1
    return found
