"""Steps through JSON text: strings, numbers, keys, and what can be skipped.

Every function takes a position and returns one, or -1 after noting why in ``state[ERROR]``. No
function recurses: what nests is followed with a counter or a stack in `state`.
"""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.layout import (
    BAD_SYNTAX,
    CUT_SHORT,
    ERROR,
    ESCAPED,
    FIELD,
    FIELD_CODES,
    FIELD_HASHES,
    HASH,
    NESTING_MAX,
    TOO_DEEP,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, load, signed, step, trailing_bytes
from tracemap.ingest.kernels.strings import hash_bytes, lookup

QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 123, 125, 91, 93
MINUS, PLUS, DOT, ZERO, NINE = 45, 43, 46, 48, 57
LOWER_N, LOWER_T, LOWER_F, LOWER_U = 110, 116, 102, 117

LONE_SURROGATE = 2
END_OF_OBJECT = -1

_ONES = np.uint64(0x0101010101010101)
_HIGHS = np.uint64(0x8080808080808080)
_QUOTES = np.uint64(0x2222222222222222)
_BACKSLASHES = np.uint64(0x5C5C5C5C5C5C5C5C)
_SPACES = np.uint64(0x2020202020202020)


@step
def fail(state: Ints, reason: int) -> int:
    """Note why a record cannot be read, and return the position that says so."""
    state[ERROR] = reason
    return -1


@step
def stops(word: np.uint64) -> np.uint64:
    """Return a mask whose lowest set bit marks the first quote, backslash or control byte."""
    quote = word ^ _QUOTES
    backslash = word ^ _BACKSLASHES
    found = (quote - _ONES) & ~quote
    found |= (backslash - _ONES) & ~backslash
    found |= (word - _SPACES) & ~word
    return found & _HIGHS


@step
def space(data: Bytes, at: int, end: int) -> int:
    """Return the first position from `at` on that is not white space, at most `end`."""
    while at < end and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


@step
def hex_value(byte: int) -> int:
    """Return what a hex digit stands for; -1 if it is none."""
    if ZERO <= byte <= NINE:
        return byte - ZERO
    lower = byte | 32
    if 97 <= lower <= LOWER_F:
        return lower - 87
    return -1


@step
def hex_four(data: Bytes, at: int) -> int:
    """Return the number that four hex digits make; -1 if they are none."""
    value = 0
    for index in range(at, at + 4):
        digit = hex_value(signed(data[index]))
        if digit < 0:
            return -1
        value = value * 16 + digit
    return value


@step
def escape_end(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return the position behind the escape whose backslash stands at `at`."""
    apart()
    if at + 1 >= end:
        return fail(state, CUT_SHORT)
    byte = data[at + 1]
    if byte in (QUOTE, BACKSLASH, 47, 98, LOWER_F, LOWER_N, 114, LOWER_T):
        return at + 2
    if byte != LOWER_U:
        return fail(state, BAD_SYNTAX)
    if at + 6 > end:
        return fail(state, CUT_SHORT)
    unit = hex_four(data, at + 2)
    if unit < 0:
        return fail(state, BAD_SYNTAX)
    if unit < 0xD800 or unit > 0xDFFF:
        return at + 6
    if unit <= 0xDBFF and at + 12 <= end and data[at + 6] == BACKSLASH and data[at + 7] == LOWER_U:
        low = hex_four(data, at + 8)
        if 0xDC00 <= low <= 0xDFFF:
            return at + 12
    state[ESCAPED] = LONE_SURROGATE
    return at + 6


@step
def string_end(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return where the closing quote stands of the string whose first byte stands at `at`.

    ``state[ESCAPED]`` says whether it holds escapes, and whether any is half a surrogate pair.
    """
    apart()
    state[ESCAPED] = 0
    while True:
        found = stops(load(data, at))
        if found == 0:
            at += 8
            if at >= end:
                return fail(state, CUT_SHORT)
            continue
        at += trailing_bytes(found)
        if at >= end:
            return fail(state, CUT_SHORT)
        if data[at] == QUOTE:
            return at
        if data[at] != BACKSLASH:
            return fail(state, BAD_SYNTAX)
        if state[ESCAPED] == 0:
            state[ESCAPED] = 1
        at = escape_end(data, at, end, state)
        if at < 0:
            return -1


@step
def skip_value(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return the position behind the value that starts at `at`.

    Brackets are counted, not matched by kind: what is skipped need not be quite valid.
    """
    apart()
    depth = 0
    while True:
        if at >= end:
            return fail(state, CUT_SHORT)
        byte = data[at]
        if byte == QUOTE:
            at = string_end(data, at + 1, end, state)
            if at < 0:
                return -1
            at += 1
        elif byte == OPEN_OBJECT or byte == OPEN_ARRAY:
            depth += 1
            at += 1
            if depth > NESTING_MAX:
                return fail(state, TOO_DEEP)
        elif byte == CLOSE_OBJECT or byte == CLOSE_ARRAY:
            depth -= 1
            at += 1
            if depth < 0:
                return fail(state, BAD_SYNTAX)
        elif depth == 0 and byte > 32:
            return plain_end(data, at, end, state)
        else:
            at += 1
            continue
        if depth == 0:
            return at


@step
def _digits(data: Bytes, at: int) -> int:
    while ZERO <= data[at] <= NINE:
        at += 1
    return at


@step
def number_end(data: Bytes, at: int) -> int:
    """Return the position behind the number that starts at `at`; -1 if none does."""
    if data[at] == MINUS:
        at += 1
    first = at
    at = _digits(data, at)
    if at == first or (data[first] == ZERO and at > first + 1):
        return -1
    if data[at] == DOT:
        at = _digits(data, at + 1)
        if data[at - 1] == DOT:
            return -1
    if data[at] | 32 == 101:
        at += 1
        if data[at] == PLUS or data[at] == MINUS:
            at += 1
        first = at
        at = _digits(data, at)
        if at == first:
            return -1
    return at


@step
def literal_end(data: Bytes, at: int) -> int:
    """Return the position behind ``null``, ``true`` or ``false``; -1 if none stands at `at`."""
    four = load(data, at) & np.uint64(0xFFFFFFFF)
    if four == np.uint64(0x6C6C756E) or four == np.uint64(0x65757274):
        return at + 4
    if four == np.uint64(0x736C6166) and data[at + 4] == 101:
        return at + 5
    return -1


@step
def plain_end(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return the position behind a number or literal."""
    apart()
    after = number_end(data, at)
    if after < 0:
        after = literal_end(data, at)
    if after < 0:
        return fail(state, CUT_SHORT if end - at < 5 else BAD_SYNTAX)
    if after > end:
        return fail(state, CUT_SHORT)
    return after


@step
def element(data: Bytes, at: int, end: int, first: bool, close: int, state: Ints) -> int:
    """Return where the next element of an array (member of an object) starts.

    At the end of the array (object) that is where its closing bracket stands.
    """
    at = space(data, at, end)
    if at >= end:
        return fail(state, CUT_SHORT)
    if data[at] == close or first:
        return at
    if data[at] != COMMA:
        return fail(state, BAD_SYNTAX)
    at = space(data, at + 1, end)
    if at >= end:
        return fail(state, CUT_SHORT)
    if data[at] == close:
        return fail(state, BAD_SYNTAX)
    return at


@step
def key_end(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return where the key ends that starts behind the quote `at`; its hash in ``state[HASH]``."""
    start = at + 1
    at = string_end(data, start, end, state)
    if at >= 0:
        state[HASH] = signed(hash_bytes(data, start, at - start))
    return at


@step
def member(data: Bytes, at: int, end: int, first: bool, state: Ints, table: Words) -> int:
    """Return where the value of the next member starts; ``state[FIELD]`` says which it is.

    At the end of the object the field is `END_OF_OBJECT` and the position lies behind it. A name
    OTLP does not know has field 0.
    """
    apart()
    at = element(data, at, end, first, CLOSE_OBJECT, state)
    if at < 0:
        return -1
    if data[at] == CLOSE_OBJECT:
        state[FIELD] = END_OF_OBJECT
        return at + 1
    if data[at] != QUOTE:
        return fail(state, BAD_SYNTAX)
    at = key_end(data, at, end, state)
    if at < 0:
        return -1
    state[FIELD] = lookup(table, FIELD_HASHES, FIELD_CODES, np.uint64(state[HASH]))
    return value_start(data, at + 1, end, state)


@step
def value_start(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Return where the value starts of the member whose key ended just before `at`."""
    at = space(data, at, end)
    if at < end and data[at] != COLON:
        return fail(state, BAD_SYNTAX)
    at = space(data, at + 1, end)
    if at >= end:
        return fail(state, CUT_SHORT)
    return at


@step
def rest_of_object(data: Bytes, at: int, end: int, first: bool, state: Ints, table: Words) -> int:
    """Return the position behind the object, skipping the members that are left."""
    apart()
    if at < end and data[at] == CLOSE_OBJECT:
        state[FIELD] = END_OF_OBJECT
        return at + 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0 or state[FIELD] == END_OF_OBJECT:
            return at
        at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        first = False
