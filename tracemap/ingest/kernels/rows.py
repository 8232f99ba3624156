"""Rows that both decoders write alike: new spans, rejects, and resources, equal ones once."""

from __future__ import annotations

from tracemap.ingest.kernels.ids import BAD as INVALID
from tracemap.ingest.kernels.ids import GOOD
from tracemap.ingest.kernels.layout import (
    BEFORE_LOGS,
    BEFORE_METRICS,
    BEFORE_SPANS,
    CURRENT_SCOPE,
    EXTRA,
    LOGS,
    METRICS,
    RECORD,
    REJECT_END,
    REJECT_REASON,
    REJECT_RECORD,
    REJECT_START,
    REJECTS,
    REJECTS_MAX,
    REJECTS_MORE,
    RESOURCE,
    RESOURCE_HASH,
    RESOURCE_INDEX_SIZE,
    RESOURCE_LENGTH,
    RESOURCE_START,
    RESOURCE_TEXT,
    RESOURCES,
    SCOPE,
    SPAN_ID_INVALID,
    SPAN_ID_MISSING,
    SPANS,
    TEXT,
    TEXT_END,
    TEXT_START,
    TRACE_ID_INVALID,
    TRACE_ID_MISSING,
    WIDTH,
    Bytes,
    Ints,
)
from tracemap.ingest.kernels.machine import apart, signed, step
from tracemap.ingest.kernels.strings import IN_EXTRA, copy_bytes, hash_bytes, pack, same_bytes

_INDEX_MASK = RESOURCE_INDEX_SIZE - 1


@step
def clear_row(spans: Ints, row: int, state: Ints) -> None:
    """Make the row at `row` a span of the current scope of which nothing else is known."""
    for column in range(WIDTH):
        spans[row + column] = 0
    spans[row + RESOURCE] = -1
    spans[row + SCOPE] = state[CURRENT_SCOPE]
    spans[row + TEXT_START] = state[TEXT]
    spans[row + TEXT_END] = state[TEXT]


@step
def id_fault(trace: int, span: int) -> int:
    """Return why a span with such ids cannot be taken; 0: it can."""
    if trace != GOOD:
        return TRACE_ID_INVALID if trace == INVALID else TRACE_ID_MISSING
    if span != GOOD:
        return SPAN_ID_INVALID if span == INVALID else SPAN_ID_MISSING
    return 0


@step
def note_counts(before: Ints, record: int, state: Ints) -> None:
    """Note what has been counted before a record: from that follows what the record gave."""
    before[record * 3 + BEFORE_SPANS] = state[SPANS]
    before[record * 3 + BEFORE_LOGS] = state[LOGS]
    before[record * 3 + BEFORE_METRICS] = state[METRICS]


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
    hashed = signed(hash_bytes(data, start, length))
    place = hashed & _INDEX_MASK
    while index[place] >= 0:
        row = signed(index[place])
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
    row = signed(state[RESOURCES])
    hashed = signed(hash_bytes(data, start, length))
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
