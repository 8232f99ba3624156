"""One span of OTLP protobuf into one row."""

from __future__ import annotations

from tracemap.ingest.kernels.ids import BAD as INVALID
from tracemap.ingest.kernels.ids import GOOD, raw_id
from tracemap.ingest.kernels.json_writer import end_object
from tracemap.ingest.kernels.layout import (
    BAD_ID,
    CODE_COLUMN,
    CURRENT_RESOURCE,
    DAMAGED,
    DROPPED_COUNTS,
    END,
    EXCEPTION_TYPE,
    FIELD,
    FLAGS,
    HIGH,
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
    QUALITY,
    RESOURCE,
    SPAN_ID,
    SPANS,
    START,
    STATUS,
    TEXT,
    TEXT_DAMAGED,
    TEXT_END,
    TEXT_START,
    TIME_INVALID,
    TRACE_HIGH,
    TRACE_LOW,
    TRACE_STATE,
    VALUE,
    VALUE_LENGTH,
    WIDTH,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, inlined, signed, step
from tracemap.ingest.kernels.proto_attributes import STRING, any_value, attribute, key_value
from tracemap.ingest.kernels.proto_wire import after, field, text_reference
from tracemap.ingest.kernels.rows import (
    clear_row,
    id_fault,
)
from tracemap.ingest.kernels.slots import known_key
from tracemap.ingest.kernels.strings import hash_bytes

# Number of the field * 8 + wire type (0 varint, 1 eight bytes, 2 bytes, 5 four bytes).
_TRACE_ID, _SPAN_ID, _TRACE_STATE, _PARENT_ID = 1 * 8 + 2, 2 * 8 + 2, 3 * 8 + 2, 4 * 8 + 2
_NAME, _KIND, _START, _END = 5 * 8 + 2, 6 * 8 + 0, 7 * 8 + 1, 8 * 8 + 1
_ATTRIBUTE, _EVENT, _LINK, _STATUS = 9 * 8 + 2, 11 * 8 + 2, 13 * 8 + 2, 15 * 8 + 2
_DROPPED_ATTRIBUTES, _DROPPED_EVENTS, _DROPPED_LINKS = 10 * 8, 12 * 8, 14 * 8
_FLAGS = 16 * 8 + 5
_STATUS_CODE = 3 * 8 + 0
_EVENT_NAME, _EVENT_ATTRIBUTE = 2 * 8 + 2, 3 * 8 + 2
_LINK_TRACE_ID, _LINK_SPAN_ID = 1 * 8 + 2, 2 * 8 + 2
_LOG_TIME = 1 * 8 + 1

_KINDS, _STATUSES = 6, 3
IS_LOG, IS_METRIC = -1, -2
"""Not spans but records of another signal: on the wire the three cannot be told apart sooner."""


@step
def _status(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return the code of a status message; -1 if it is broken."""
    code = 0
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        if state[FIELD] == _STATUS_CODE:
            code = state[VALUE]
        at = after(at, state)
    return code if 0 <= code < _STATUSES else 0


@step
def _link(data: Bytes, at: int, end: int, row: int, spans: Ints, links: Ints, state: Ints) -> int:
    apart()
    number = state[LINKS] * 4
    trace = span = 0
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        if state[FIELD] == _LINK_TRACE_ID:
            trace = raw_id(data, at, state[VALUE], 16, state)
            links[number + LINK_TRACE_HIGH] = state[HIGH]
            links[number + LINK_TRACE_LOW] = state[LOW]
        elif state[FIELD] == _LINK_SPAN_ID:
            span = raw_id(data, at, state[VALUE], 8, state)
            links[number + LINK_ID] = state[LOW]
        at = after(at, state)
    if trace == GOOD and span == GOOD:
        links[number + LINK_SPAN] = state[SPANS]
        state[LINKS] += 1
    else:
        spans[row + QUALITY] |= BAD_ID
    return at


@step
def _is_exception(data: Bytes, start: int, length: int) -> bool:
    return (
        length == 9
        and data[start] == 101
        and data[start + 1] == 120
        and data[start + 2] == 99
        and data[start + 8] == 110
    )


@inlined
def _exception_type(data: Bytes, at: int, end: int, extra: Bytes, state: Ints, table: Words) -> int:
    """Return the reference to the type of exception if the attribute is that; 0: it is not."""
    value = key_value(data, at, end, state)
    if value <= 0:
        return value
    start = state[KEY_START]
    length = state[KEY_STOP] - start
    code = known_key(data, start, length, hash_bytes(data, start, length), table)
    if code & CODE_COLUMN != EXCEPTION_TYPE:
        return 0
    start = any_value(data, value, value + state[VALUE_LENGTH], state)
    if start < 0 or state[FIELD] != STRING:
        return min(start, 0)
    return text_reference(data, start, start + state[VALUE], extra, state)


@inlined
def _event(
    data: Bytes, at: int, end: int, row: int, extra: Bytes, spans: Ints, state: Ints, table: Words
) -> int:
    """Read one event; the first exception gives the span its type of error."""
    exception = False
    kind = 0
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        stop = after(at, state)
        if state[FIELD] == _EVENT_NAME:
            exception = _is_exception(data, at, state[VALUE])
        elif state[FIELD] == _EVENT_ATTRIBUTE:
            found = _exception_type(data, at, stop, extra, state, table)
            if found < 0:
                return -1
            if found:
                kind = found
        at = stop
    if exception and spans[row + EXCEPTION_TYPE] == 0:
        spans[row + EXCEPTION_TYPE] = kind
    return at


@step
def _time(row: int, column: int, spans: Ints, state: Ints) -> int:
    spans[row + column] = state[VALUE]
    return TIME_INVALID if state[VALUE] < 0 else 0


@step
def _small_field(spans: Ints, row: int, state: Ints) -> None:
    """Take kind, flags or a count of what was dropped."""
    found = state[FIELD]
    value = state[VALUE]
    if found == _KIND:
        spans[row + KIND] = value if 0 <= value < _KINDS else 0
    elif found == _FLAGS:
        spans[row + FLAGS] = value & 0xFFFF
    elif found == _DROPPED_ATTRIBUTES or found == _DROPPED_EVENTS or found == _DROPPED_LINKS:
        if value:
            spans[row + QUALITY] |= DROPPED_COUNTS


@step
def span(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    doubles: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read the span in ``data[at:end]`` into the next row. VALUE: why it cannot be taken.

    0 if it can; `IS_LOG` or `IS_METRIC` if it is no span at all.
    """
    apart()
    row = state[SPANS] * WIDTH
    clear_row(spans, row, state)
    spans[row + RESOURCE] = state[CURRENT_RESOURCE]
    state[DAMAGED] = 0
    trace = identity = fault = 0
    timed = False
    while at < end:
        if data[at] == _ATTRIBUTE and data[at + 1] < 0x80 and at + 2 + data[at + 1] <= end:
            # As `field` would say; most fields of a span are this one.
            found = _ATTRIBUTE
            stop = at + 2 + signed(data[at + 1])
            at += 2
        else:
            at = field(data, at, end, state)
            if at < 0:
                return -1
            found = state[FIELD]
            stop = after(at, state)
        if found == _ATTRIBUTE:
            first = state[TEXT] == spans[row + TEXT_START]
            if attribute(data, at, stop, first, text, extra, spans, row, doubles, state, table) < 0:
                return -1
        elif found == _TRACE_ID:
            trace = raw_id(data, at, state[VALUE], 16, state)
            spans[row + TRACE_HIGH] = state[HIGH]
            spans[row + TRACE_LOW] = state[LOW]
        elif found == _SPAN_ID:
            identity = raw_id(data, at, state[VALUE], 8, state)
            spans[row + SPAN_ID] = state[LOW]
        elif found == _PARENT_ID:
            if raw_id(data, at, state[VALUE], 8, state) == INVALID:
                spans[row + QUALITY] |= BAD_ID
            spans[row + PARENT_ID] = state[LOW]
        elif found == _NAME:
            spans[row + NAME] = text_reference(data, at, stop, extra, state)
        elif found == _TRACE_STATE:
            spans[row + TRACE_STATE] = text_reference(data, at, stop, extra, state)
        elif found == _START or found == _END:
            timed = True
            fault |= _time(row, START if found == _START else END, spans, state)
        elif found == _EVENT:
            if _event(data, at, stop, row, extra, spans, state, table) < 0:
                return -1
        elif found == _LINK:
            if _link(data, at, stop, row, spans, links, state) < 0:
                return -1
        elif found == _STATUS:
            spans[row + STATUS] = _status(data, at, stop, state)
            if spans[row + STATUS] < 0:
                return -1
        elif found == _LOG_TIME:
            state[VALUE] = IS_LOG
            return end
        else:
            _small_field(spans, row, state)
        at = stop
    if state[TEXT] > spans[row + TEXT_START]:
        end_object(text, state)
    spans[row + TEXT_END] = state[TEXT]
    if state[DAMAGED]:
        spans[row + QUALITY] |= TEXT_DAMAGED
    ids = id_fault(trace, identity)
    if ids and not timed and trace != 0:
        state[VALUE] = IS_METRIC
    else:
        state[VALUE] = ids or fault
    return at
