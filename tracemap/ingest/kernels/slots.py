"""Known attribute keys: what is noted in the span's row, what is left out or trimmed."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.layout import (
    CODE_COLUMN,
    CODE_DROP,
    CODE_PREFIX,
    CODE_RANK_SHIFT,
    KEY_CODES,
    KEY_HASHES,
    PREFIXES,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, signed, step
from tracemap.ingest.kernels.strings import RANK_SHIFT, copy_bytes, hash_bytes, lookup, pack

_SLASH, _QUESTION, _HASH, _AT, _COLON = 47, 63, 35, 64, 58


@step
def _has_dropped_prefix(data: Bytes, start: int, length: int, table: Words) -> bool:
    entry = PREFIXES
    while table[entry] != 0:
        size = signed(table[entry])
        if length > size and hash_bytes(data, start, size) == table[entry + 1]:
            return True
        entry += 2
    return False


@step
def known_key(data: Bytes, start: int, length: int, hashed: np.uint64, table: Words) -> int:
    """Return the code of an attribute key; 0: nothing is known about it."""
    apart()
    code = lookup(table, KEY_HASHES, KEY_CODES, hashed)
    if code == 0 and length > 8:
        first = lookup(table, KEY_HASHES, KEY_CODES, hash_bytes(data, start, 8))
        if first & CODE_PREFIX and _has_dropped_prefix(data, start, length, table):
            return CODE_DROP
    return code & ~CODE_PREFIX


@step
def note_reference(spans: Ints, row: int, code: int, reference: int) -> None:
    """Note a value in the span's row, unless a key of smaller rank has given one already."""
    column = code & CODE_COLUMN
    if row < 0 or column == 0 or reference == 0:
        return
    rank = (code >> CODE_RANK_SHIFT) & 31
    noted = spans[row + column]
    if noted == 0 or (noted >> RANK_SHIFT) > rank:
        spans[row + column] = reference | (rank << RANK_SHIFT)


@step
def note_value(spans: Ints, row: int, code: int, start: int, length: int, place: int) -> None:
    """Note the value that stands in ``[start, start + length)`` of the buffer `place`."""
    note_reference(spans, row, code, pack(start, length, place, 0))


@step
def url_end(data: Bytes, start: int, end: int) -> int:
    """Return where a URL's query or fragment starts; `end` if it has none.

    A question mark may be written as an escape in JSON.
    """
    for at in range(start, end):
        byte = data[at]
        if byte == _QUESTION or byte == _HASH:
            return at
        if byte == 92 and at + 6 <= end and data[at + 1] == 117 and data[at + 4] == 51:
            if data[at + 2] == 48 and data[at + 3] == 48 and data[at + 5] | 32 == 102:
                return at
            if data[at + 2] == 48 and data[at + 3] == 48 and data[at + 5] == 51:
                return at
        if byte == 92 and at + 6 <= end and data[at + 1] == 117 and data[at + 4] == 50:
            if data[at + 2] == 48 and data[at + 3] == 48 and data[at + 5] == 51:
                return at
    return end


@step
def authority(data: Bytes, start: int, end: int) -> int:
    """Return where a URL's host (or user) starts; -1 if it has none."""
    for at in range(start, min(end, start + 40)):
        if data[at] == _COLON and at + 3 <= end:
            if data[at + 1] == _SLASH and data[at + 2] == _SLASH:
                return at + 3
            if at + 5 <= end and data[at + 1] == 92 and data[at + 3] == 92:
                return at + 5
            return -1
    return -1


@step
def host_start(data: Bytes, start: int, end: int) -> int:
    """Return where the host starts, behind ``user:password@`` if there is one."""
    host = start
    for at in range(start, end):
        if data[at] == _AT:
            host = at + 1
        elif data[at] == _SLASH:
            break
    return host


@step
def clean_url(data: Bytes, start: int, end: int, extra: Bytes, at: int) -> int:
    """Copy a URL that has ``user:password@`` without it to `extra`; return where the copy ends."""
    user = authority(data, start, end)
    if user < 0:
        return at
    host = host_start(data, user, end)
    if host == user:
        return at
    middle = copy_bytes(data, start, user - start, extra, at)
    return copy_bytes(data, host, end - host, extra, middle)
