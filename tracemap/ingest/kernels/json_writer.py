"""JSON text, written piece by piece behind what is there already."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.ids import base64_letter
from tracemap.ingest.kernels.json_scan import (
    BACKSLASH,
    CLOSE_OBJECT,
    LONE_SURROGATE,
    MINUS,
    OPEN_OBJECT,
    QUOTE,
    ZERO,
    stops,
)
from tracemap.ingest.kernels.json_text import mend_surrogates, put_character
from tracemap.ingest.kernels.layout import DAMAGED, ESCAPED, TEXT, Bytes, Ints
from tracemap.ingest.kernels.machine import apart, float_of, load, signed, step, store
from tracemap.ingest.kernels.strings import copy_bytes

_HIGHS = np.uint64(0x8080808080808080)
_LETTERS = np.uint64(0x6161616161616161)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_REPLACEMENT = 0xFFFD
_MARK = tuple(b'"\\u0000double:')


@step
def put(text: Bytes, state: Ints, byte: int) -> None:
    """Write one byte."""
    text[state[TEXT]] = byte
    state[TEXT] += 1


@step
def end_object(text: Bytes, state: Ints) -> None:
    """Close the object at the end of `text`; one with nothing in it is taken back."""
    at = state[TEXT]
    if text[at - 1] == OPEN_OBJECT:
        state[TEXT] = at - 1
    else:
        text[at] = CLOSE_OBJECT
        state[TEXT] = at + 1


@step
def put_null(text: Bytes, state: Ints) -> None:
    """Write ``null``."""
    at = state[TEXT]
    text[at] = 110
    text[at + 1] = 117
    text[at + 2] = 108
    text[at + 3] = 108
    state[TEXT] = at + 4


@step
def put_piece(source: Bytes, start: int, length: int, text: Bytes, state: Ints) -> None:
    """Write a piece of text as it stands."""
    state[TEXT] = copy_bytes(source, start, length, text, state[TEXT])


@step
def put_quoted(data: Bytes, start: int, end: int, text: Bytes, state: Ints) -> None:
    """Write a JSON string as it stands, without its quotes at ``start - 1`` and `end`."""
    at = state[TEXT]
    text[at] = QUOTE
    after = copy_bytes(data, start, end - start, text, at + 1)
    text[after] = QUOTE
    if state[ESCAPED] == LONE_SURROGATE:
        mend_surrogates(text, at + 1, after)
    state[TEXT] = after + 1


@step
def utf8_length(data: Bytes, at: int, end: int) -> int:
    """Return how many bytes the UTF-8 character at `at` has; 0: it is no valid one."""
    first = signed(data[at])
    if first < 0x80:
        return 1
    if first < 0xC2 or first > 0xF4:
        return 0
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if at + length > end:
        return 0
    second = signed(data[at + 1])
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    if second < low or second > high:
        return 0
    for index in range(at + 2, at + length):
        if data[index] & 0xC0 != 0x80:
            return 0
    return length


@step
def _hex_digit(value: int) -> int:
    return value + 48 if value < 10 else value + 87


@step
def _put_control(text: Bytes, at: int, byte: int) -> int:
    """Write the escape of a control character, a quote or a backslash."""
    text[at] = BACKSLASH
    short = 0
    if byte == QUOTE or byte == BACKSLASH:
        short = byte
    elif byte == 10:
        short = 110
    elif byte == 9:
        short = 116
    elif byte == 13:
        short = 114
    elif byte == 8:
        short = 98
    elif byte == 12:
        short = 102
    if short:
        text[at + 1] = short
        return at + 2
    text[at + 1] = 117
    text[at + 2] = ZERO
    text[at + 3] = ZERO
    text[at + 4] = _hex_digit(byte >> 4)
    text[at + 5] = _hex_digit(byte & 15)
    return at + 6


@step
def put_string(data: Bytes, start: int, end: int, text: Bytes, state: Ints) -> None:
    """Write a piece of plain text as a JSON string; what is no UTF-8 becomes U+FFFD (DAMAGED)."""
    apart()
    at = state[TEXT]
    text[at] = QUOTE
    at += 1
    while start < end:
        word = load(data, start)
        left = end - start
        if left < 8:
            kept = _ALL >> np.uint64(64 - 8 * left)
            word = (word & kept) | (_LETTERS & ~kept)
        if stops(word) == 0 and word & _HIGHS == 0:
            store(text, at, word)
            at += min(left, 8)
            start += 8
            continue
        byte = signed(data[start])
        if byte >= 0x80:
            length = utf8_length(data, start, end)
            if length == 0:
                at = put_character(_REPLACEMENT, text, at)
                state[DAMAGED] = 1
                start += 1
            else:
                at = copy_bytes(data, start, length, text, at)
                start += length
        else:
            if byte < 32 or byte == QUOTE or byte == BACKSLASH:
                at = _put_control(text, at, byte)
            else:
                text[at] = byte
                at += 1
            start += 1
    text[at] = QUOTE
    state[TEXT] = at + 1


@step
def put_integer(value: int, text: Bytes, state: Ints) -> None:
    """Write a whole number."""
    at = state[TEXT]
    rest = np.uint64(value)
    if value < 0:
        text[at] = MINUS
        at += 1
        rest = np.uint64(0) - rest
    digits = 1
    larger = rest
    while larger >= np.uint64(10):
        larger //= np.uint64(10)
        digits += 1
    for index in range(at + digits - 1, at - 1, -1):
        text[index] = ZERO + signed(rest % np.uint64(10))
        rest //= np.uint64(10)
    state[TEXT] = at + digits


@step
def _put_word(word: int, length: int, text: Bytes, state: Ints) -> None:
    """Write the first `length` bytes of a little-endian word."""
    store(text, state[TEXT], np.uint64(word))
    state[TEXT] += length


@step
def put_boolean(value: int, text: Bytes, state: Ints) -> None:
    """Write ``true`` or ``false``."""
    if value:
        _put_word(0x65757274, 4, text, state)
    else:
        _put_word(0x65736C6166, 5, text, state)


@step
def _put_decimal(scaled: int, decimals: int, text: Bytes, state: Ints) -> None:
    """Write ``scaled / 10**decimals`` with at least one decimal."""
    if scaled < 0:
        put(text, state, MINUS)
        scaled = -scaled
    power = 1
    for _ in range(decimals):
        power *= 10
    put_integer(scaled // power, text, state)
    put(text, state, 46)
    rest = scaled % power
    if decimals == 0:
        put(text, state, ZERO)
    for _ in range(decimals):
        power //= 10
        put(text, state, ZERO + rest // power)
        rest %= power


@step
def put_double(bits: int, text: Bytes, state: Ints) -> bool:
    """Write a number with the fewest digits that say it exactly; return whether that was done.

    A decimal of at most 15 digits is found here: the quotient of two whole numbers below 2**53 is
    rounded correctly, so if it is the number, the decimal reads back as it (Clinger, 1990). All
    others are left to Python (`tracemap.ingest.doubles`).
    """
    apart()
    value = float_of(bits)
    size = abs(value)
    if np.isnan(value):
        _put_word(0x224E614E22, 5, text, state)
        return True
    if size == np.inf:
        put(text, state, QUOTE)
        if value < 0:
            put(text, state, MINUS)
        _put_word(0x7974696E69666E49, 8, text, state)
        put(text, state, QUOTE)
        return True
    if (size >= 1e-4 and size < 9e15) or bits == 0:
        power = 1.0
        for decimals in range(16):
            scaled = value * power
            if abs(scaled) >= 9e15:
                break
            whole = signed(np.rint(scaled))
            if whole / power == value:
                _put_decimal(whole, decimals, text, state)
                return True
            power *= 10.0
    return False


@step
def put_marked_double(bits: int, text: Bytes, state: Ints) -> None:
    """Write the bits of a number as a string that `tracemap.ingest.doubles` recognises."""
    at = state[TEXT]
    for index in range(14):
        text[at + index] = _MARK[index]
    for index in range(16):
        text[at + 14 + index] = _hex_digit((bits >> (60 - 4 * index)) & 15)
    text[at + 30] = QUOTE
    state[TEXT] = at + 31


@step
def put_base64(data: Bytes, start: int, end: int, text: Bytes, state: Ints) -> None:
    """Write bytes as a JSON string of base64."""
    apart()
    at = state[TEXT]
    text[at] = QUOTE
    at += 1
    while start < end:
        left = end - start
        three = signed(data[start]) << 16
        if left > 1:
            three |= signed(data[start + 1]) << 8
        if left > 2:
            three |= signed(data[start + 2])
        for index in range(4):
            sextet = (three >> (18 - 6 * index)) & 63
            text[at + index] = base64_letter(sextet) if index <= left else 61
        at += 4
        start += 3
    text[at] = QUOTE
    state[TEXT] = at + 1
