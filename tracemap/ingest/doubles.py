"""Doubles whose shortest decimal the decoder leaves to Python, written into the decoded text."""

from __future__ import annotations

import re
import struct

import numpy as np

from tracemap.ingest.kernels.layout import DOUBLES, SPANS, TEXT, TEXT_END, TEXT_START, Columns
from tracemap.ingest.kernels.machine import SLACK

_MARKED = re.compile(r'"\\u0000double:([0-9a-f]{16})"')


def unmarked(written: str) -> str:
    """Return the attributes of a resource with marked numbers as such."""
    if "\\u0000double:" not in written:
        return written
    return _MARKED.sub(lambda found: repr(struct.unpack(">d", bytes.fromhex(found[1]))[0]), written)


def with_doubles(columns: Columns) -> Columns:
    """Return the columns with the noted numbers written into the text of the attributes."""
    count = int(columns.registers[DOUBLES])
    if count == 0:
        return columns
    places = columns.doubles[:count, 0]
    values = columns.doubles[:count, 1].copy().view(np.float64).tolist()
    written = [repr(value).encode() for value in values]
    text = columns.text.data
    end = int(columns.registers[TEXT])
    cuts = [0, *places.tolist(), end]
    pieces: list[bytes | memoryview] = []
    for start, stop, number in zip(cuts[:-1], cuts[1:], [*written, b""], strict=True):
        pieces += (text[start:stop], number)
    longer = np.concatenate(([0], np.cumsum([len(number) for number in written])))
    rows = columns.spans[: columns.registers[SPANS]]
    for column in (TEXT_START, TEXT_END):
        # A number that belongs where a span's text ends cannot be: a bracket closes the text.
        rows[:, column] += longer[np.searchsorted(places, rows[:, column], side="left")]
    joined = np.frombuffer(b"".join([*pieces, bytes(SLACK)]), np.uint8)
    return columns._replace(text=joined)
