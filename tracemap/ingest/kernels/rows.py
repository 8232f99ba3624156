"""Rows other than spans: rejects, and resources, of which equal ones share a row."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.layout import (
    EXTRA,
    RECORD,
    REJECT_END,
    REJECT_REASON,
    REJECT_RECORD,
    REJECT_START,
    REJECTS,
    REJECTS_MAX,
    REJECTS_MORE,
    RESOURCE_HASH,
    RESOURCE_INDEX_SIZE,
    RESOURCE_LENGTH,
    RESOURCE_START,
    RESOURCE_TEXT,
    RESOURCES,
    TEXT,
    Bytes,
    Ints,
)
from tracemap.ingest.kernels.machine import apart, step
from tracemap.ingest.kernels.strings import IN_EXTRA, copy_bytes, hash_bytes, pack, same_bytes

_INDEX_MASK = RESOURCE_INDEX_SIZE - 1


@step
def reject(rejects: Ints, reason: int, start: int, end: int, state: Ints) -> None:
    """Note a rejected record; behind `REJECTS_MAX` of a block they are only counted."""
    apart()
    row = state[REJECTS]
    if row >= REJECTS_MAX:
        state[REJECTS_MORE] += 1
        return
    rejects[row * 4 + REJECT_RECORD] = state[RECORD]
    rejects[row * 4 + REJECT_REASON] = reason
    rejects[row * 4 + REJECT_START] = start
    rejects[row * 4 + REJECT_END] = end
    state[REJECTS] = row + 1


@step
def known_resource(
    data: Bytes, start: int, length: int, resources: Ints, index: Ints, state: Ints
) -> int:
    """Return the row of a resource that was written with the same bytes; -1: there is none."""
    apart()
    hashed = np.int64(hash_bytes(data, start, length))
    place = hashed & _INDEX_MASK
    while index[place] >= 0:
        row = index[place]
        if (
            resources[row * 4 + RESOURCE_HASH] == hashed
            and resources[row * 4 + RESOURCE_LENGTH] == length
        ):
            if same_bytes(data, start, data, resources[row * 4 + RESOURCE_START], length):
                return row
        place = (place + 1) & _INDEX_MASK
    return -1


@step
def keep_resource(
    data: Bytes,
    start: int,
    length: int,
    text: Bytes,
    written: int,
    extra: Bytes,
    resources: Ints,
    index: Ints,
    state: Ints,
) -> int:
    """Append a resource whose attributes stand at the end of `text`, from `written` on.

    They move to `extra`, so that `text` holds nothing but what spans say.
    """
    apart()
    at = state[EXTRA]
    size = state[TEXT] - written
    state[EXTRA] = copy_bytes(text, written, size, extra, at)
    state[TEXT] = written
    row = state[RESOURCES]
    hashed = np.int64(hash_bytes(data, start, length))
    resources[row * 4 + RESOURCE_HASH] = hashed
    resources[row * 4 + RESOURCE_START] = start
    resources[row * 4 + RESOURCE_LENGTH] = length
    resources[row * 4 + RESOURCE_TEXT] = pack(at, size, IN_EXTRA, 0)
    state[RESOURCES] = row + 1
    if row < RESOURCE_INDEX_SIZE // 2:
        place = hashed & _INDEX_MASK
        while index[place] >= 0:
            place = (place + 1) & _INDEX_MASK
        index[place] = row
    return row
