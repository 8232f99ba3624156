"""One span of OTLP/JSON into one row."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.ids import BAD as INVALID
from tracemap.ingest.kernels.ids import GOOD
from tracemap.ingest.kernels.json_attributes import attributes, key_value
from tracemap.ingest.kernels.json_fields import enumeration, identifier, integer, text_field
from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    END_OF_OBJECT,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    element,
    fail,
    member,
    rest_of_object,
    skip_value,
)
from tracemap.ingest.kernels.layout import (
    BAD,
    BAD_ID,
    BAD_SYNTAX,
    CODE_COLUMN,
    DROPPED_COUNTS,
    END,
    EXCEPTION_TYPE,
    FIELD,
    FLAGS,
    HASH,
    HIGH,
    INEXACT,
    KEY_START,
    KEY_STOP,
    KIND,
    LINK_ID,
    LINK_SPAN,
    LINK_TRACE_HIGH,
    LINK_TRACE_LOW,
    LINKS,
    LOW,
    NAME,
    PARENT_ID,
    PRECISION_LOST,
    QUALITY,
    RESUME,
    SPAN_ID,
    SPANS,
    START,
    STATUS,
    TEXT,
    TEXT_END,
    TIME_INVALID,
    TRACE_HIGH,
    TRACE_LOW,
    TRACE_STATE,
    VALUE,
    WIDTH,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, inlined, step
from tracemap.ingest.kernels.names import (
    ATTRIBUTES,
    CODE,
    DROPPED_COUNT,
    END_TIME,
    EVENTS,
    FLAGS_FIELD,
    KIND_FIELD,
    KIND_NAMES,
    LINKS_FIELD,
    NAME_FIELD,
    PARENT_SPAN_ID,
    SPAN_ID_FIELD,
    START_TIME,
    STATUS_FIELD,
    STATUS_NAMES,
    STRING_VALUE,
    TRACE_ID,
    TRACE_STATE_FIELD,
)
from tracemap.ingest.kernels.rows import clear_row, id_fault
from tracemap.ingest.kernels.slots import known_key
from tracemap.ingest.kernels.strings import IN_EXTRA, OFFSET_MASK, length_of

_KINDS, _STATUSES = 6, 3


@inlined
def _status(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Read the code of a status object into VALUE."""
    code = 0
    if data[at] != OPEN_OBJECT:
        state[VALUE] = 0
        return skip_value(data, at, end, state)
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0 or state[FIELD] == END_OF_OBJECT:
            state[VALUE] = code
            return at
        if state[FIELD] == CODE:
            at = enumeration(data, at, end, STATUS_NAMES, _STATUSES, state, table)
            code = state[VALUE]
        else:
            at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        first = False


@inlined
def _link(data: Bytes, at: int, end: int, row: int, links: Ints, state: Ints, table: Words) -> int:
    """Read one link; GOOD in VALUE if both its ids are."""
    trace = span = 0
    number = state[LINKS] * 4
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        if state[FIELD] == END_OF_OBJECT:
            break
        if state[FIELD] == TRACE_ID:
            at = identifier(data, at, end, 16, state)
            trace = state[VALUE]
            links[number + LINK_TRACE_HIGH] = state[HIGH]
            links[number + LINK_TRACE_LOW] = state[LOW]
        elif state[FIELD] == SPAN_ID_FIELD:
            at = identifier(data, at, end, 8, state)
            span = state[VALUE]
            links[number + LINK_ID] = state[LOW]
        else:
            at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        first = False
    links[number + LINK_SPAN] = state[SPANS]
    if trace == GOOD and span == GOOD:
        state[LINKS] += 1
        state[VALUE] = GOOD
    else:
        state[VALUE] = INVALID
    return at


@inlined
def _exception_type(data: Bytes, at: int, end: int, extra: Bytes, state: Ints, table: Words) -> int:
    """Read the string at `at`, tagged or not, into VALUE."""
    state[VALUE] = 0
    if data[at] == QUOTE:
        return text_field(data, at, end, extra, state)
    if data[at] != OPEN_OBJECT:
        return skip_value(data, at, end, state)
    at = member(data, at + 1, end, True, state, table)
    if at < 0 or state[FIELD] == END_OF_OBJECT:
        return at
    if state[FIELD] == STRING_VALUE:
        at = text_field(data, at, end, extra, state)
    else:
        at = skip_value(data, at, end, state)
    found = state[VALUE]
    if at >= 0:
        at = rest_of_object(data, at, end, False, state, table)
    state[VALUE] = found
    return at


@inlined
def _event_attributes(
    data: Bytes, at: int, end: int, extra: Bytes, state: Ints, table: Words
) -> int:
    """Read the type of exception among the attributes of an event into VALUE."""
    found = 0
    first = True
    at += 1
    while at >= 0:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return -1
        if data[at] == CLOSE_ARRAY:
            state[VALUE] = found
            return at + 1
        first = False
        at = key_value(data, at, end, state, table)
        if at < 0:
            return -1
        resume = state[RESUME]
        if at > 0:
            length = state[KEY_STOP] - state[KEY_START]
            hashed = np.uint64(state[HASH])
            code = known_key(data, state[KEY_START], length, hashed, table)
            if code & CODE_COLUMN == EXCEPTION_TYPE:
                at = _exception_type(data, at, end, extra, state, table)
                found = state[VALUE]
            else:
                at = skip_value(data, at, end, state)
        if resume:
            at = resume
        elif at >= 0:
            at = rest_of_object(data, at, end, False, state, table)
    return -1


@step
def _is_exception(data: Bytes, reference: int) -> bool:
    start = reference & OFFSET_MASK
    return (
        length_of(reference) == 9
        and reference & IN_EXTRA == 0
        and data[start] == 101
        and data[start + 1] == 120
        and data[start + 2] == 99
        and data[start + 8] == 110
    )


@inlined
def _event(
    data: Bytes, at: int, end: int, row: int, extra: Bytes, spans: Ints, state: Ints, table: Words
) -> int:
    """Read one event; the first exception gives the span its type of error."""
    name = kind = 0
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        if state[FIELD] == END_OF_OBJECT:
            break
        if state[FIELD] == NAME_FIELD:
            at = text_field(data, at, end, extra, state)
            name = state[VALUE]
        elif state[FIELD] == ATTRIBUTES and data[at] == OPEN_ARRAY:
            at = _event_attributes(data, at, end, extra, state, table)
            kind = state[VALUE]
        else:
            at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        first = False
    if spans[row + EXCEPTION_TYPE] == 0 and _is_exception(data, name):
        spans[row + EXCEPTION_TYPE] = kind
    return at


@step
def _parts(
    data: Bytes,
    at: int,
    end: int,
    row: int,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read the list of events or links (FIELD says which) that opens at `at`."""
    apart()
    field = state[FIELD]
    if data[at] != OPEN_ARRAY:
        return skip_value(data, at, end, state)
    first = True
    at += 1
    while at >= 0:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return -1
        if data[at] == CLOSE_ARRAY:
            return at + 1
        first = False
        if data[at] != OPEN_OBJECT:
            at = skip_value(data, at, end, state)
        elif field == EVENTS:
            at = _event(data, at, end, row, extra, spans, state, table)
        else:
            at = _link(data, at, end, row, links, state, table)
            if state[VALUE] != GOOD:
                spans[row + QUALITY] |= BAD_ID
    return -1


@inlined
def _identity(
    data: Bytes, at: int, end: int, field: int, spans: Ints, row: int, state: Ints
) -> int:
    """Read one of the three ids of a span; VALUE says whether it is good."""
    at = identifier(data, at, end, 16 if field == TRACE_ID else 8, state)
    if field == TRACE_ID:
        spans[row + TRACE_HIGH] = state[HIGH]
        spans[row + TRACE_LOW] = state[LOW]
    elif field == SPAN_ID_FIELD:
        spans[row + SPAN_ID] = state[LOW]
    else:
        spans[row + PARENT_ID] = state[LOW]
        if state[VALUE] == INVALID:
            spans[row + QUALITY] |= BAD_ID
    return at


@inlined
def _number(
    data: Bytes, at: int, end: int, field: int, spans: Ints, row: int, state: Ints, table: Words
) -> int:
    """Read a time, the kind, the flags or a count of what was dropped."""
    if field == KIND_FIELD:
        at = enumeration(data, at, end, KIND_NAMES, _KINDS, state, table)
        spans[row + KIND] = state[VALUE]
        state[BAD] = 0
        return at
    at = integer(data, at, end, state)
    if field == START_TIME:
        spans[row + START] = state[VALUE]
    elif field == END_TIME:
        spans[row + END] = state[VALUE]
    else:
        state[BAD] = 0
        if field == FLAGS_FIELD:
            spans[row + FLAGS] = state[VALUE] & 0xFFFF
        elif state[VALUE] > 0:
            spans[row + QUALITY] |= DROPPED_COUNTS
        return at
    if state[VALUE] < 0:  # the fields have no sign: readers of columns write it for what is no time
        state[BAD] = 1
    if state[INEXACT]:
        spans[row + QUALITY] |= PRECISION_LOST
    return at


@step
def span(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read the span at `at` into the next row. VALUE: why it cannot be taken, 0 if it can."""
    apart()
    row = state[SPANS] * WIDTH
    clear_row(spans, row, state)
    written = state[TEXT]
    trace = identity = fault = 0
    first = True
    if data[at] != OPEN_OBJECT:
        return fail(state, BAD_SYNTAX)
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        first = False
        field = state[FIELD]
        if field == END_OF_OBJECT:
            break
        if TRACE_ID <= field <= PARENT_SPAN_ID:
            at = _identity(data, at, end, field, spans, row, state)
            if field == TRACE_ID:
                trace = state[VALUE]
            elif field == SPAN_ID_FIELD:
                identity = state[VALUE]
        elif field == NAME_FIELD or field == TRACE_STATE_FIELD:
            at = text_field(data, at, end, extra, state)
            spans[row + (NAME if field == NAME_FIELD else TRACE_STATE)] = state[VALUE]
        elif KIND_FIELD <= field <= END_TIME or field == FLAGS_FIELD or field == DROPPED_COUNT:
            at = _number(data, at, end, field, spans, row, state, table)
            if state[BAD]:
                fault = TIME_INVALID
        elif field == ATTRIBUTES and data[at] == OPEN_ARRAY and state[TEXT] == written:
            at = attributes(data, at, end, text, extra, spans, row, state, table)
            spans[row + TEXT_END] = state[TEXT]
        elif field == EVENTS or field == LINKS_FIELD:
            at = _parts(data, at, end, row, extra, spans, links, state, table)
        elif field == STATUS_FIELD:
            at = _status(data, at, end, state, table)
            spans[row + STATUS] = state[VALUE]
        else:
            at = skip_value(data, at, end, state)
        if at < 0:
            return -1
    ids = id_fault(trace, identity)
    state[VALUE] = ids or fault
    return at
