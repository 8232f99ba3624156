"""Whole OTLP/JSON documents: wrappers, resources, scopes, other signals, bad records."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.json_attributes import attributes
from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    END_OF_OBJECT,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    element,
    fail,
    member,
    skip_value,
    space,
)
from tracemap.ingest.kernels.json_scopes import scopes
from tracemap.ingest.kernels.layout import (
    BAD_SYNTAX,
    ERROR,
    FIELD,
    FIRST_SAVED,
    FRAME_SIZE,
    FRAMES,
    FRAMES_MAX,
    KNOWN,
    LOGS,
    METRICS,
    NOT_OTLP,
    QUALITY,
    RECORD,
    RESOURCE,
    SAVED,
    SPANS,
    TEXT,
    TOO_DEEP,
    TRACE_PARTIAL,
    VALUE,
    WIDTH,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, inlined, kernel, load, step
from tracemap.ingest.kernels.names import (
    ATTRIBUTES,
    LOG_RECORDS,
    METRICS_FIELD,
    OLD_SCOPE_SPANS,
    RESOURCE_FIELD,
    RESOURCE_LOGS,
    RESOURCE_METRICS,
    RESOURCE_SPANS,
    SCOPE_LOGS,
    SCOPE_METRICS,
    SCOPE_SPANS,
    STATUS_FIELD,
)
from tracemap.ingest.kernels.rows import keep_resource, known_resource, note_counts, reject

_PARTIAL_START = np.uint64(int.from_bytes(b'"PARTIAL', "little"))

# Fields of a frame: an open array or object of the document.
_IS_OBJECT, _SEEN, _FIRST_ROW, _RESOURCE, _OLD_SCOPES, _PARTIAL = range(FRAME_SIZE)


@step
def _resource(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    resources: Ints,
    index: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read a resource, unless an equal one was read before; its row in VALUE."""
    apart()
    start = at
    stop = skip_value(data, at, end, state)
    if stop < 0:
        return -1
    state[VALUE] = known_resource(data, start, stop - start, resources, index, state)
    if state[VALUE] >= 0 or data[start] != OPEN_OBJECT:
        return stop
    written = state[TEXT]
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        if state[FIELD] == END_OF_OBJECT:
            break
        if state[FIELD] == ATTRIBUTES and data[at] == OPEN_ARRAY and state[TEXT] == written:
            at = attributes(data, at, end, text, extra, spans, -1, state, table)
        else:
            at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        first = False
    state[VALUE] = keep_resource(
        data, start, stop - start, text, written, extra, resources, index, state
    )
    return at


@step
def _count(data: Bytes, at: int, end: int, register: int, state: Ints) -> int:
    """Count the elements of the list that opens at `at`."""
    if data[at] != OPEN_ARRAY:
        return skip_value(data, at, end, state)
    first = True
    at += 1
    while True:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return -1
        if data[at] == CLOSE_ARRAY:
            return at + 1
        first = False
        state[register] += 1
        at = skip_value(data, at, end, state)
        if at < 0:
            return -1


@step
def _open(data: Bytes, at: int, frame: int, state: Ints) -> int:
    """Open the frame of the array or object at `at`."""
    if frame >= FRAMES + FRAME_SIZE * FRAMES_MAX:
        return fail(state, TOO_DEEP)
    state[frame + _IS_OBJECT] = data[at] == OPEN_OBJECT
    state[frame + _SEEN] = 0
    state[frame + _FIRST_ROW] = state[SPANS]
    state[frame + _RESOURCE] = -1
    state[frame + _OLD_SCOPES] = 0
    state[frame + _PARTIAL] = 0
    return at + 1


@step
def _is_partial(data: Bytes, at: int) -> bool:
    """Return whether the value at `at` is ``"PARTIAL"``: Tempo's word for a trace it cut."""
    return bool(load(data, at) == _PARTIAL_START and data[at + 8] == QUOTE)


@inlined
def _close(
    data: Bytes,
    end: int,
    frame: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    rejects: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Give the spans of an object their resource; old names count only if new ones gave none.

    The spans of a trace that its back end says is not complete are marked.
    """
    first_row = state[frame + _FIRST_ROW]
    old = state[frame + _OLD_SCOPES]
    if old and state[SPANS] == first_row:
        done = scopes(data, old, end, text, extra, spans, links, rejects, state, table)
        if done < 0:
            return -1
    if state[frame + _RESOURCE] >= 0:
        for row in range(first_row * WIDTH, state[SPANS] * WIDTH, WIDTH):
            if spans[row + RESOURCE] < 0:
                spans[row + RESOURCE] = state[frame + _RESOURCE]
    if state[frame + _PARTIAL]:
        for row in range(first_row * WIDTH, state[SPANS] * WIDTH, WIDTH):
            spans[row + QUALITY] |= TRACE_PARTIAL
    return 0


@step
def _is_wrapper(field: int) -> bool:
    return (
        field == RESOURCE_SPANS
        or field == RESOURCE_LOGS
        or field == SCOPE_LOGS
        or field == RESOURCE_METRICS
        or field == SCOPE_METRICS
    )


@inlined
def _document(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    resources: Ints,
    rejects: Ints,
    index: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read the document at `at`: any nesting of arrays and of objects with fields OTLP knows."""
    if data[at] != OPEN_OBJECT and data[at] != OPEN_ARRAY:
        return fail(state, BAD_SYNTAX)
    frame = FRAMES
    at = _open(data, at, frame, state)
    while frame >= FRAMES and at >= 0:
        if state[frame + _IS_OBJECT]:
            at = member(data, at, end, state[frame + _SEEN] == 0, state, table)
            if at < 0:
                return -1
            field = state[FIELD]
            if field == END_OF_OBJECT:
                if state[frame + _SEEN] == 0:
                    state[KNOWN] = 1
                done = _close(data, end, frame, text, extra, spans, links, rejects, state, table)
                if done < 0:
                    return -1
                frame -= FRAME_SIZE
                continue
        else:
            at = element(data, at, end, state[frame + _SEEN] == 0, CLOSE_ARRAY, state)
            if at < 0:
                return -1
            if data[at] == CLOSE_ARRAY:
                frame -= FRAME_SIZE
                at += 1
                continue
            field = RESOURCE_SPANS
        state[frame + _SEEN] = 1
        nested = data[at] == OPEN_OBJECT or data[at] == OPEN_ARRAY
        if nested and _is_wrapper(field):
            state[KNOWN] |= state[frame + _IS_OBJECT]
            frame += FRAME_SIZE
            at = _open(data, at, frame, state)
        elif field == RESOURCE_FIELD:
            at = _resource(data, at, end, text, extra, spans, resources, index, state, table)
            state[frame + _RESOURCE] = state[VALUE]
        elif field == SCOPE_SPANS:
            state[KNOWN] = 1
            at = scopes(data, at, end, text, extra, spans, links, rejects, state, table)
        elif field == LOG_RECORDS:
            at = _count(data, at, end, LOGS, state)
        elif field == METRICS_FIELD:
            at = _count(data, at, end, METRICS, state)
        else:
            if field == OLD_SCOPE_SPANS:
                state[KNOWN] = 1
                state[frame + _OLD_SCOPES] = at
            elif field == STATUS_FIELD and _is_partial(data, at):
                state[frame + _PARTIAL] = 1
            at = skip_value(data, at, end, state)
    return at


@inlined
def _records(
    data: Bytes,
    bounds: Ints,
    count: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    resources: Ints,
    rejects: Ints,
    index: Ints,
    before: Ints,
    state: Ints,
    table: Words,
) -> None:
    for record in range(count):
        note_counts(before, record, state)
        end = bounds[2 * record + 1]
        at = space(data, bounds[2 * record], end)
        if at >= end:
            continue
        start = at
        state[RECORD] = record
        for counter in range(SAVED):
            state[FIRST_SAVED + counter] = state[counter]
        while 0 <= at < end:
            state[KNOWN] = 0
            at = _document(
                data, at, end, text, extra, spans, links, resources, rejects, index, state, table
            )
            if at >= 0:
                at = space(data, at, end)
                if state[KNOWN] == 0:
                    at = fail(state, NOT_OTLP)
        if at < 0:
            for counter in range(SAVED):
                state[counter] = state[FIRST_SAVED + counter]
            reject(rejects, state[ERROR], start, end, state)


@kernel
def decode_json(
    data: Bytes,
    bounds: Ints,
    records: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    resources: Ints,
    rejects: Ints,
    index: Ints,
    before: Ints,
    state: Ints,
    table: Words,
) -> None:
    """Read every record of a block: record `i` is ``data[bounds[i, 0]:bounds[i, 1]]``.

    A record holds one document or several behind one another. One that is not valid is rejected
    as a whole: nothing of it stays, and the next one is read.
    """
    _records(
        data,
        bounds,
        records,
        text,
        extra,
        spans,
        links,
        resources,
        rejects,
        index,
        before,
        state,
        table,
    )
