"""Spans that lie in columns, written as OTLP/JSON, which is then decoded like any other.

Text stands in one buffer, `data`, behind the `WORDS` the writing is made of; columns of integers
say where. So whatever a table can say is judged by the same rules as what a Collector wrote.
"""

from __future__ import annotations

from tracemap.ingest.kernels.json_scan import (
    BACKSLASH,
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    fail,
    plain_end,
    skip_value,
    space,
    string_end,
)
from tracemap.ingest.kernels.json_text import unescape
from tracemap.ingest.kernels.json_writer import (
    put,
    put_boolean,
    put_integer,
    put_null,
    put_piece,
    put_string,
)
from tracemap.ingest.kernels.layout import (
    ATTRIBUTE_NESTING_MAX,
    BAD_SYNTAX,
    DEPTH,
    STACK,
    TEXT,
    Bytes,
    Ints,
)
from tracemap.ingest.kernels.machine import apart, inlined, kernel, pointer, signed, step

# Columns of a span. Of what is text: where it starts, and its length.
(
    TRACE_ID, TRACE_ID_LENGTH, SPAN_ID, SPAN_ID_LENGTH, PARENT_ID, PARENT_ID_LENGTH,
    NAME, NAME_LENGTH, SCOPE, SCOPE_LENGTH, STATE, STATE_LENGTH,
    START, END, KIND, STATUS, DROPPED, RECORD, RESOURCE,
    ATTRIBUTES, ATTRIBUTES_END, EVENTS, EVENTS_END, LINKS, LINKS_END,
) = range(25)  # fmt: skip
SPAN_WIDTH = 25
# Columns of a resource, an event, a link.
RESOURCE_ATTRIBUTES, RESOURCE_ATTRIBUTES_END = range(2)
EVENT_NAME, EVENT_NAME_LENGTH, EVENT_ATTRIBUTES, EVENT_ATTRIBUTES_END = range(4)
LINK_TRACE, LINK_TRACE_LENGTH, LINK_SPAN, LINK_SPAN_LENGTH = range(4)
# Columns of an attribute: its key, and what FIRST and SECOND mean.
KEY, KEY_LENGTH, SORT, FIRST, SECOND = range(5)
ATTRIBUTE_WIDTH = 5
ABSENT, NULL, STRING, INTEGER, BOOLEAN, NUMBER, PIECE, ARRAY, OBJECT = range(9)
"""Of STRING (plain text), NUMBER (as it stands), PIECE (JSON of OTLP) and OBJECT (its members, JSON
or as ClickHouse writes maps) start and length, of ARRAY the rows of its elements; ABSENT is left
out."""

_APOSTROPHE, _SMALL_X = 39, 120
_HEX = 16

WORDS = bytearray()
"""What stands at the start of `data`."""


def _word(text: bytes) -> int:
    start = len(WORDS)
    WORDS.extend(text)
    return start << 8 | len(text)


_DOCUMENT = _word(b'{"resourceSpans":[')
_RESOURCE = _word(b'{"resource":{"attributes":[')
_SCOPE = _word(b']},"scopeSpans":[{"scope":{"name":')
_SPANS = _word(b'},"spans":[')
_RESOURCE_END = _word(b"]}]}")
_DOCUMENT_END = _word(b"]}\n")
_TRACE_ID = _word(b'{"traceId":')
_SPAN_ID = _word(b',"spanId":')
_PARENT_ID = _word(b',"parentSpanId":')
_STATE = _word(b',"traceState":')
_NAME = _word(b',"name":')
_KIND = _word(b',"kind":')
_START = _word(b',"startTimeUnixNano":')
_END = _word(b',"endTimeUnixNano":')
_DROPPED = _word(b',"droppedAttributesCount":')
_STATUS = _word(b',"status":{"code":')
_ATTRIBUTES = _word(b'},"attributes":[')
_EVENTS = _word(b'],"events":[')
_EVENT = _word(b'{"name":"exception","attributes":[')
_EVENT_END = _word(b"]}")
_LINKS = _word(b'],"links":[')
_SPAN_END = _word(b"]}")
_KEY = _word(b'{"key":')
_VALUE = _word(b',"value":')
_VALUES = _word(b'{"arrayValue":{"values":[')
_KEYED_VALUES = _word(b'{"kvlistValue":{"values":[')
_VALUES_END = _word(b"]}}")
_EXCEPTION = _word(b"exception")


@step
def _put(data: Bytes, word: int, text: Bytes, state: Ints) -> None:
    put_piece(data, word >> 8, word & 255, text, state)


@step
def _between(text: Bytes, state: Ints) -> None:
    """Write a comma unless a list has just been opened."""
    if text[state[TEXT] - 1] != OPEN_ARRAY:
        put(text, state, COMMA)


@step
def _digit(value: int) -> int:
    return value + 48 if value < 10 else value + 87


@step
def _put_id(data: Bytes, start: int, length: int, raw: bool, text: Bytes, state: Ints) -> None:
    """Write an id: as it stands if it is text, else in hex."""
    apart()
    if not raw:
        put_string(data, start, start + length, text, state)
        return
    put(text, state, QUOTE)
    for at in range(start, start + length):
        byte = signed(data[at])
        put(text, state, _digit(byte >> 4))
        put(text, state, _digit(byte & 15))
    put(text, state, QUOTE)


@step
def _quoted_end(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return where the string ends that opens at `at`, with either sort of quotes."""
    apart()
    quote = data[at]
    if quote == QUOTE:
        return string_end(data, at + 1, end, state)
    at += 1
    while at < end and data[at] != quote:
        at += 2 if data[at] == BACKSLASH else 1
    return at if at < end else fail(state, BAD_SYNTAX)


@step
def _hex_digit(byte: int) -> int:
    if 48 <= byte <= 57:
        return byte - 48
    lower = byte | 32
    return lower - 87 if 97 <= lower <= 102 else -1


@step
def _put_quoted(data: Bytes, at: int, end: int, text: Bytes, extra: Bytes, state: Ints) -> None:
    """Write the string between the quotes at `at` and `end` as one of JSON."""
    apart()
    if data[at] == QUOTE:
        put_piece(data, at, end + 1 - at, text, state)
        return
    length = 0
    at += 1
    while at < end:
        byte = signed(data[at])
        if byte == BACKSLASH and data[at + 1] == _SMALL_X and at + 3 < end:
            high = _hex_digit(signed(data[at + 2]))
            low = _hex_digit(signed(data[at + 3]))
            if high >= 0 and low >= 0:
                extra[length] = high * _HEX + low
                length += 1
                at += 4
                continue
        if byte == BACKSLASH:
            length = unescape(data, at, at + 2, extra, length) if data[at + 1] != 117 else length
            at += 2
        else:
            extra[length] = byte
            length += 1
            at += 1
    put_string(extra, 0, length, text, state)


@step
def _scalar(data: Bytes, at: int, end: int, text: Bytes, extra: Bytes, state: Ints) -> int:
    """Write the string, number or literal at `at` and return the position behind it."""
    if data[at] == QUOTE or data[at] == _APOSTROPHE:
        stop = _quoted_end(data, at, end, state)
        if stop < 0:
            return -1
        _put_quoted(data, at, stop, text, extra, state)
        return stop + 1
    stop = plain_end(data, at, end, state)
    if stop >= 0:
        put_piece(data, at, stop - at, text, state)
    return stop


@step
def _members(data: Bytes, at: int, end: int, text: Bytes, extra: Bytes, state: Ints) -> int:
    """Write the members of the object at `at` as a list of attributes.

    Returns:
        The position behind it; -1: it is none, and nothing has been written.
    """
    apart()
    before = state[TEXT]
    state[DEPTH] = 0
    at = space(data, at, end)
    while at < end:
        byte = data[at]
        keyed = signed(state[STACK + state[DEPTH]])
        if byte == OPEN_OBJECT or byte == OPEN_ARRAY:
            if state[DEPTH] == 0:
                if byte == OPEN_ARRAY:
                    break
            else:
                if not keyed:
                    _between(text, state)
                _put(data, _KEYED_VALUES if byte == OPEN_OBJECT else _VALUES, text, state)
            state[DEPTH] += 1
            if state[DEPTH] > ATTRIBUTE_NESTING_MAX:
                break
            keyed = 1 if byte == OPEN_OBJECT else 0
            state[STACK + state[DEPTH]] = keyed
            at = space(data, at + 1, end)
        elif byte == CLOSE_OBJECT or byte == CLOSE_ARRAY:
            if state[DEPTH] == 0 or keyed != (byte == CLOSE_OBJECT):
                break
            state[DEPTH] -= 1
            at = space(data, at + 1, end)
            if state[DEPTH] == 0:
                return at
            _put(data, _VALUES_END, text, state)
            keyed = signed(state[STACK + state[DEPTH]])
            if keyed:
                put(text, state, CLOSE_OBJECT)
            if at < end and data[at] == COMMA:
                at = space(data, at + 1, end)
        elif state[DEPTH] == 0:
            break
        else:
            if not keyed:
                _between(text, state)
            at = _scalar(data, at, end, text, extra, state)
            if at < 0:
                break
            at = space(data, at, end)
            if keyed:
                put(text, state, CLOSE_OBJECT)
            if at < end and data[at] == COMMA:
                at = space(data, at + 1, end)
        if keyed and at < end and data[at] != CLOSE_OBJECT:
            at = _member_key(data, at, end, text, extra, state)
            if at < 0:
                break
    state[TEXT] = before
    return -1


@step
def _member_key(data: Bytes, at: int, end: int, text: Bytes, extra: Bytes, state: Ints) -> int:
    """Begin the member whose key stands at `at`; return where its value starts, -1 if nowhere."""
    if data[at] != QUOTE and data[at] != _APOSTROPHE:
        return -1
    stop = _quoted_end(data, at, end, state)
    if stop < 0:
        return -1
    _between(text, state)
    _put(data, _KEY, text, state)
    _put_quoted(data, at, stop, text, extra, state)
    _put(data, _VALUE, text, state)
    at = space(data, stop + 1, end)
    if at >= end or data[at] != COLON:
        return -1
    at = space(data, at + 1, end)
    return at if at < end else -1


@step
def _is_json(data: Bytes, start: int, end: int, state: Ints) -> bool:
    return bool(skip_value(data, start, end, state) == end)


@step
def _value(data: Bytes, attributes: Ints, row: int, text: Bytes, state: Ints) -> None:
    """Write the value of an attribute that is no list."""
    apart()
    sort = attributes[row + SORT]
    first = attributes[row + FIRST]
    second = attributes[row + SECOND]
    if sort == STRING:
        put_string(data, first, first + second, text, state)
    elif sort == INTEGER:
        put_integer(first, text, state)
    elif sort == BOOLEAN:
        put_boolean(first, text, state)
    elif sort == NUMBER or (sort == PIECE and _is_json(data, first, first + second, state)):
        put_piece(data, first, second, text, state)
    else:
        put_null(text, state)


@step
def _attribute(
    data: Bytes, attributes: Ints, number: int, text: Bytes, extra: Bytes, state: Ints
) -> None:
    apart()
    row = number * ATTRIBUTE_WIDTH
    sort = attributes[row + SORT]
    if sort == ABSENT:
        return
    if sort == OBJECT:
        start = attributes[row + FIRST]
        _members(data, start, start + attributes[row + SECOND], text, extra, state)
        return
    _between(text, state)
    _put(data, _KEY, text, state)
    start = attributes[row + KEY]
    put_string(data, start, start + attributes[row + KEY_LENGTH], text, state)
    _put(data, _VALUE, text, state)
    if sort == ARRAY:
        _put(data, _VALUES, text, state)
        for element in range(attributes[row + FIRST], attributes[row + SECOND]):
            _between(text, state)
            _value(data, attributes, element * ATTRIBUTE_WIDTH, text, state)
        _put(data, _VALUES_END, text, state)
    else:
        _value(data, attributes, row, text, state)
    put(text, state, CLOSE_OBJECT)


@step
def _list(
    data: Bytes, attributes: Ints, first: int, end: int, text: Bytes, extra: Bytes, state: Ints
) -> None:
    for number in range(first, end):
        _attribute(data, attributes, number, text, extra, state)


@step
def _is_exception(data: Bytes, start: int, length: int) -> bool:
    if length != 9:
        return False
    for index in range(9):
        if data[start + index] != data[(_EXCEPTION >> 8) + index]:
            return False
    return True


@step
def _events(
    data: Bytes, events: Ints, first: int, end: int, attributes: Ints, text: Bytes, extra: Bytes,
    state: Ints,
) -> None:  # fmt: skip
    """Write the exceptions among the events: nothing else is kept of them."""
    apart()
    for number in range(first, end):
        row = number * 4
        if _is_exception(data, events[row + EVENT_NAME], events[row + EVENT_NAME_LENGTH]):
            _between(text, state)
            _put(data, _EVENT, text, state)
            start = events[row + EVENT_ATTRIBUTES]
            _list(data, attributes, start, events[row + EVENT_ATTRIBUTES_END], text, extra, state)
            _put(data, _EVENT_END, text, state)


@step
def _links(
    data: Bytes, links: Ints, first: int, end: int, raw: bool, text: Bytes, state: Ints
) -> None:
    apart()
    for number in range(first, end):
        row = number * 4
        _between(text, state)
        _put(data, _TRACE_ID, text, state)
        _put_id(data, links[row + LINK_TRACE], links[row + LINK_TRACE_LENGTH], raw, text, state)
        _put(data, _SPAN_ID, text, state)
        _put_id(data, links[row + LINK_SPAN], links[row + LINK_SPAN_LENGTH], raw, text, state)
        put(text, state, CLOSE_OBJECT)


@step
def _number(data: Bytes, word: int, value: int, text: Bytes, state: Ints) -> None:
    _put(data, word, text, state)
    put_integer(value, text, state)


@step
def _span(data: Bytes, spans: Ints, row: int, raw: bool, text: Bytes, state: Ints) -> None:
    """Write what is a span's own, up to its list of attributes."""
    apart()
    _put(data, _TRACE_ID, text, state)
    _put_id(data, spans[row + TRACE_ID], spans[row + TRACE_ID_LENGTH], raw, text, state)
    _put(data, _SPAN_ID, text, state)
    _put_id(data, spans[row + SPAN_ID], spans[row + SPAN_ID_LENGTH], raw, text, state)
    if spans[row + PARENT_ID_LENGTH]:
        _put(data, _PARENT_ID, text, state)
        _put_id(data, spans[row + PARENT_ID], spans[row + PARENT_ID_LENGTH], raw, text, state)
    if spans[row + STATE_LENGTH]:
        start = spans[row + STATE]
        _put(data, _STATE, text, state)
        put_string(data, start, start + spans[row + STATE_LENGTH], text, state)
    start = spans[row + NAME]
    _put(data, _NAME, text, state)
    put_string(data, start, start + spans[row + NAME_LENGTH], text, state)
    _number(data, _KIND, spans[row + KIND], text, state)
    _number(data, _START, spans[row + START], text, state)
    _number(data, _END, spans[row + END], text, state)
    if spans[row + DROPPED]:
        _number(data, _DROPPED, spans[row + DROPPED], text, state)
    _number(data, _STATUS, spans[row + STATUS], text, state)
    _put(data, _ATTRIBUTES, text, state)


@step
def _same_text(data: Bytes, spans: Ints, one: int, other: int) -> bool:
    if spans[one + SCOPE_LENGTH] != spans[other + SCOPE_LENGTH]:
        return False
    for index in range(spans[one + SCOPE_LENGTH]):
        if data[spans[one + SCOPE] + index] != data[spans[other + SCOPE] + index]:
            return False
    return True


@inlined
def _all(
    data: Bytes, spans: Ints, count: int, resources: Ints, attributes: Ints, events: Ints,
    links: Ints, raw: bool, text: Bytes, extra: Bytes, bounds: Ints, state: Ints,
) -> int:  # fmt: skip
    records = 0
    for number in range(count):
        row = number * SPAN_WIDTH
        resource = spans[row + RESOURCE]
        opens = number == 0 or spans[row - SPAN_WIDTH + RECORD] != spans[row + RECORD]
        if opens:
            bounds[2 * records] = state[TEXT]
            _put(data, _DOCUMENT, text, state)
        if (
            opens
            or spans[row - SPAN_WIDTH + RESOURCE] != resource
            or not _same_text(data, spans, row - SPAN_WIDTH, row)
        ):
            if not opens:
                _put(data, _RESOURCE_END, text, state)
            _between(text, state)
            _put(data, _RESOURCE, text, state)
            first = resources[2 * resource + RESOURCE_ATTRIBUTES]
            end = resources[2 * resource + RESOURCE_ATTRIBUTES_END]
            _list(data, attributes, first, end, text, extra, state)
            _put(data, _SCOPE, text, state)
            start = spans[row + SCOPE]
            put_string(data, start, start + spans[row + SCOPE_LENGTH], text, state)
            _put(data, _SPANS, text, state)
        _between(text, state)
        _span(data, spans, row, raw, text, state)
        first = spans[row + ATTRIBUTES]
        _list(data, attributes, first, spans[row + ATTRIBUTES_END], text, extra, state)
        _put(data, _EVENTS, text, state)
        first = spans[row + EVENTS]
        _events(data, events, first, spans[row + EVENTS_END], attributes, text, extra, state)
        _put(data, _LINKS, text, state)
        _links(data, links, spans[row + LINKS], spans[row + LINKS_END], raw, text, state)
        _put(data, _SPAN_END, text, state)
        after = row + SPAN_WIDTH
        if number + 1 == count or spans[after + RECORD] != spans[row + RECORD]:
            _put(data, _RESOURCE_END, text, state)
            _put(data, _DOCUMENT_END, text, state)
            bounds[2 * records + 1] = state[TEXT] - 1
            records += 1
    return records


@kernel
def write_spans(
    data: Bytes, spans: Ints, resources: Ints, attributes: Ints, events: Ints, links: Ints,
    raw: bool, text: Bytes, extra: Bytes, bounds: Ints, state: Ints,
) -> int:  # fmt: skip
    """Write spans as one OTLP/JSON document a record; return how many there are.

    Args:
        data: `WORDS`, and all text that the columns refer to.
        spans: One row a span, those of a record behind one another, of width `SPAN_WIDTH`.
        resources: One row a resource.
        attributes: One row an attribute or element of a list.
        events: One row an event.
        links: One row a link.
        raw: Ids are bytes, not text.
        text: Gets the documents.
        extra: Has room for the longest string.
        bounds: Gets where each document starts and ends.
        state: Registers of a decoder; TEXT says how much has been written.
    """
    return _all(
        pointer(data),
        pointer(spans),
        spans.shape[0],
        pointer(resources),
        pointer(attributes),
        pointer(events),
        pointer(links),
        raw,
        pointer(text),
        pointer(extra),
        pointer(bounds),
        pointer(state),
    )
