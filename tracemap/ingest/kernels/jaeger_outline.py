"""Where the parts of a Jaeger span lie, and what its tags say."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.foreign_words import table_of
from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    END_OF_OBJECT,
    LOWER_T,
    NINE,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    ZERO,
    element,
    key_end,
    member,
    skip_value,
)
from tracemap.ingest.kernels.layout import (
    FIELD,
    HASH,
    KEY_CODES,
    KEY_HASHES,
    KEY_START,
    KEY_STOP,
    KNOWN,
    RESUME,
    VALUE,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, signed, step
from tracemap.ingest.kernels.strings import lookup

# Columns of a span's outline: spots (start, and end << 32) of its members, then what tags say.
(
    TRACE, SPAN, PARENT, NAME, REFERENCES, STARTED, LASTED, TAGS, LOGS, PROCESS_ID, PROCESS,
    TAG_MAP, SOURCE, SPANS, PROCESSES,
) = range(1, 16)  # fmt: skip
OWNER, KIND, STATUS, SCOPE, TRACE_STATE = range(16, 21)
OUTLINE = 21

# Members of tags, references and logs.
TAG_KEY, TAG_TYPE, TAG_VALUE, SORT, LOG_FIELDS, SERVICE = range(40, 46)

# Keys and words with a meaning.
(
    SPAN_KIND, ERROR_TAG, OTEL_STATUS, SCOPE_NAME, OLD_SCOPE_NAME, STATE_TAG, OTHER_OWN,
    HTTP_STATUS, OLD_HTTP_STATUS, INT64, FLOAT64, BOOL, EVENT, EXCEPTION_TYPE, ERROR_KIND,
    SERVICE_NAME, CHILD_OF, FOLLOWS_FROM, EXCEPTION, ERROR_EVENT,
) = range(1, 21)  # fmt: skip

TABLE = table_of(
    {
        "traceID": TRACE, "spanID": SPAN, "parentSpanID": PARENT, "operationName": NAME,
        "references": REFERENCES, "startTime": STARTED, "duration": LASTED, "tags": TAGS,
        "logs": LOGS, "processID": PROCESS_ID, "process": PROCESS, "tag": TAG_MAP,
        "_source": SOURCE, "spans": SPANS, "processes": PROCESSES, "key": TAG_KEY,
        "type": TAG_TYPE, "value": TAG_VALUE, "refType": SORT, "fields": LOG_FIELDS,
        "serviceName": SERVICE,
    },
    {
        "span.kind": SPAN_KIND, "error": ERROR_TAG, "otel.status_code": OTEL_STATUS,
        "otel.scope.name": SCOPE_NAME, "otel.library.name": OLD_SCOPE_NAME,
        "w3c.tracestate": STATE_TAG, "otel.status_description": OTHER_OWN,
        "otel.scope.version": OTHER_OWN, "otel.library.version": OTHER_OWN,
        "http.response.status_code": HTTP_STATUS, "http.status_code": OLD_HTTP_STATUS,
        "int64": INT64, "float64": FLOAT64, "bool": BOOL, "event": EVENT,
        "exception.type": EXCEPTION_TYPE, "error.kind": ERROR_KIND, "service.name": SERVICE_NAME,
        "CHILD_OF": CHILD_OF, "FOLLOWS_FROM": FOLLOWS_FROM, "exception": EXCEPTION,
    },
)  # fmt: skip

_SERVER = 2
_START_MASK = (1 << 32) - 1


@step
def spot_start(spot: int) -> int:
    """Return where a member's value starts."""
    return spot & _START_MASK


@step
def spot_end(spot: int) -> int:
    """Return where a member's value ends."""
    return spot >> 32


@step
def outline(data: Bytes, at: int, end: int, rows: Ints, row: int, state: Ints, table: Words) -> int:
    """Note where the members of the object at `at` lie; return the position behind it."""
    apart()
    for column in range(OUTLINE):
        rows[row + column] = 0
    if data[at] != OPEN_OBJECT:
        return -1
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        first = False
        field = state[FIELD]
        if field == END_OF_OBJECT:
            return at
        start = at
        at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        if 0 < field < OWNER:
            rows[row + field] = start | (at << 32)


@step
def word_at(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Return the code of the string at `at`; 0: unknown, or no string."""
    if data[at] != QUOTE or key_end(data, at, end, state) < 0:
        return 0
    return lookup(table, KEY_HASHES, KEY_CODES, np.uint64(state[HASH]))


@step
def read_tag(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Read the tag at `at`; return the position behind it, -1 if it is anything unusual.

    Registers: KEY_START and KEY_STOP say where its key lies, HASH what it means (0: nothing),
    KNOWN which type it has, VALUE where the value starts, and RESUME where that ends.
    """
    apart()
    key = stop = meaning = kind = value = value_end = 0
    if data[at] != OPEN_OBJECT:
        return -1
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        first = False
        field = state[FIELD]
        if field == END_OF_OBJECT:
            break
        start = at
        at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        if field == TAG_KEY:
            if data[start] != QUOTE:
                return -1
            key, stop = start + 1, at - 1
            meaning = word_at(data, start, end, state, table)
        elif field == TAG_TYPE:
            kind = word_at(data, start, end, state, table)
        elif field == TAG_VALUE:
            if data[start] == OPEN_OBJECT or data[start] == OPEN_ARRAY:
                return -1
            value, value_end = start, at
    if key == 0 or value == 0:
        return -1
    state[KEY_START] = key
    state[KEY_STOP] = stop
    state[HASH] = meaning
    state[KNOWN] = kind
    state[VALUE] = value
    state[RESUME] = value_end
    return at


@step
def is_true(data: Bytes, at: int, end: int) -> bool:
    """Return whether a value is ``true``, bare or as a string."""
    if data[at] == QUOTE:
        at += 1
        end -= 1
    return (
        end - at == 4
        and data[at] == LOWER_T
        and data[at + 1] == 114
        and data[at + 2] == 117
        and data[at + 3] == 101
    )


@step
def _kind(data: Bytes, at: int, end: int) -> int:
    """Return the number of a kind's name, in any case; 0: unknown."""
    if data[at] != QUOTE:
        return 0
    letter = signed(data[at + 1]) | 32
    last = signed(data[end - 2]) | 32
    size = end - at - 2
    if size == 8 and letter == 105 and last == 108:
        return 1
    if size == 6 and letter == 115 and last == 114:
        return _SERVER
    if size == 6 and letter == 99 and last == 116:
        return 3
    if size == 8 and letter == 112 and last == 114:
        return 4
    return 5 if size == 8 and letter == 99 and last == 114 else 0


@step
def _said_status(data: Bytes, at: int, end: int) -> int:
    """Return 1 for ``OK``, 2 for ``ERROR``, in any case; else 0."""
    if data[at] != QUOTE:
        return 0
    letter = signed(data[at + 1]) | 32
    if end - at == 4 and letter == 111 and signed(data[at + 2]) | 32 == 107:
        return 1
    last = signed(data[end - 2]) | 32
    return 2 if end - at == 7 and letter == 101 and last == 114 else 0


@step
def _small_number(data: Bytes, at: int, end: int) -> int:
    """Return a number of at most four digits, bare or as a string; -1: it is none."""
    if data[at] == QUOTE:
        at += 1
        end -= 1
    if at >= end or end - at > 4:
        return -1
    value = 0
    while at < end:
        if data[at] < ZERO or data[at] > NINE:
            return -1
        value = value * 10 + signed(data[at]) - ZERO
        at += 1
    return value


@step
def tags_say(data: Bytes, rows: Ints, row: int, state: Ints, table: Words) -> bool:
    """Note kind, status, scope and trace state of a span; False if a tag is unusual.

    The status is that of ``error``, else OpenTelemetry's own, else HTTP's: an error from 400 on,
    for servers from 500 on.
    """
    apart()
    spot = rows[row + TAGS]
    if spot == 0 or data[spot_start(spot)] != OPEN_ARRAY:
        return True
    at, end = spot_start(spot) + 1, spot_end(spot)
    failed = False
    said = 0
    status = old_status = -1
    scope = old_scope = 0
    first = True
    while True:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return False
        if data[at] == CLOSE_ARRAY:
            break
        first = False
        at = read_tag(data, at, end, state, table)
        if at < 0:
            return False
        meaning = state[HASH]
        if meaning == 0:
            continue
        value, stop = state[VALUE], state[RESUME]
        if meaning == SPAN_KIND:
            rows[row + KIND] = _kind(data, value, stop)
        elif meaning == ERROR_TAG:
            failed = is_true(data, value, stop)
        elif meaning == OTEL_STATUS:
            said = _said_status(data, value, stop)
        elif meaning == HTTP_STATUS:
            status = _small_number(data, value, stop)
        elif meaning == OLD_HTTP_STATUS:
            old_status = _small_number(data, value, stop)
        elif meaning == SCOPE_NAME or meaning == OLD_SCOPE_NAME or meaning == STATE_TAG:
            if data[value] != QUOTE:
                return False
            if meaning == STATE_TAG:
                rows[row + TRACE_STATE] = value | (stop << 32)
            elif meaning == SCOPE_NAME:
                scope = value | (stop << 32)
            else:
                old_scope = value | (stop << 32)
    if status < 0:
        status = old_status
    rows[row + SCOPE] = scope or old_scope
    least = 500 if rows[row + KIND] == _SERVER else 400
    rows[row + STATUS] = 2 if failed else said or (2 if status >= least else 0)
    return True
