"""Attributes that lie in columns, written as lists of OTLP/JSON; text of objects is taken apart."""

from __future__ import annotations

from tracemap.ingest.kernels.columnar import (
    ABSENT,
    ARRAY,
    ATTRIBUTE_WIDTH,
    BOOLEAN,
    FIRST,
    INTEGER,
    KEY,
    KEY_LENGTH,
    NUMBER,
    OBJECT,
    PIECE,
    SECOND,
    SORT,
    STRING,
    WORD_KEY,
    WORD_KEYED_VALUES,
    WORD_VALUE,
    WORD_VALUES,
    WORD_VALUES_END,
    between,
    put_word,
)
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
from tracemap.ingest.kernels.machine import apart, signed, step

_APOSTROPHE, _SMALL_X, _SMALL_U = 39, 120, 117
_HEX = 16


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
            length = (
                unescape(data, at, at + 2, extra, length) if data[at + 1] != _SMALL_U else length
            )
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
                    between(text, state)
                put_word(
                    data, WORD_KEYED_VALUES if byte == OPEN_OBJECT else WORD_VALUES, text, state
                )
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
            put_word(data, WORD_VALUES_END, text, state)
            keyed = signed(state[STACK + state[DEPTH]])
            if keyed:
                put(text, state, CLOSE_OBJECT)
            if at < end and data[at] == COMMA:
                at = space(data, at + 1, end)
        elif state[DEPTH] == 0:
            break
        else:
            if not keyed:
                between(text, state)
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
    between(text, state)
    put_word(data, WORD_KEY, text, state)
    _put_quoted(data, at, stop, text, extra, state)
    put_word(data, WORD_VALUE, text, state)
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
    between(text, state)
    put_word(data, WORD_KEY, text, state)
    start = attributes[row + KEY]
    put_string(data, start, start + attributes[row + KEY_LENGTH], text, state)
    put_word(data, WORD_VALUE, text, state)
    if sort == ARRAY:
        put_word(data, WORD_VALUES, text, state)
        for element in range(attributes[row + FIRST], attributes[row + SECOND]):
            between(text, state)
            _value(data, attributes, element * ATTRIBUTE_WIDTH, text, state)
        put_word(data, WORD_VALUES_END, text, state)
    else:
        _value(data, attributes, row, text, state)
    put(text, state, CLOSE_OBJECT)


@step
def attribute_list(
    data: Bytes, attributes: Ints, first: int, end: int, text: Bytes, extra: Bytes, state: Ints
) -> None:
    """Write the attributes of these numbers, inside a list that has been opened."""
    for number in range(first, end):
        _attribute(data, attributes, number, text, extra, state)
