"""Single fields of OTLP/JSON: integers, enumerations, ids and names, in any of their spellings."""

from __future__ import annotations

from tracemap.ingest.kernels.ids import EMPTY, text_id
from tracemap.ingest.kernels.json_scan import (
    DOT,
    MINUS,
    NINE,
    PLUS,
    QUOTE,
    ZERO,
    plain_end,
    skip_value,
    string_end,
)
from tracemap.ingest.kernels.json_text import unescape
from tracemap.ingest.kernels.layout import (
    BAD,
    ESCAPED,
    EXTRA,
    FIELD_CODES,
    FIELD_HASHES,
    HIGH,
    INEXACT,
    LOW,
    VALUE,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, signed, step
from tracemap.ingest.kernels.strings import IN_EXTRA, hash_bytes, lookup, pack

_LARGEST_TENTH = (2**63 - 1) // 10


@step
def _exponent(data: Bytes, at: int, end: int) -> int:
    """Return the exponent written behind the ``e`` at `at`, kept within -400 .. 400."""
    at += 1
    sign = -1 if data[at] == MINUS else 1
    if data[at] == MINUS or data[at] == PLUS:
        at += 1
    value = 0
    while at < end and value < 400:
        value = value * 10 + (signed(data[at]) - ZERO)
        at += 1
    return sign * min(value, 400)


@step
def _scaled(mantissa: int, exponent: int, state: Ints) -> int:
    """Return ``mantissa * 10**exponent`` rounded down; BAD is set if it does not fit."""
    while exponent < 0 and mantissa != 0:
        mantissa //= 10
        exponent += 1
    while exponent > 0 and mantissa != 0:
        if mantissa > _LARGEST_TENTH:
            state[BAD] = 1
            return 0
        mantissa *= 10
        exponent -= 1
    return mantissa


@step
def parse_integer(data: Bytes, start: int, end: int, state: Ints) -> int:
    """Return the whole number that a piece of text says.

    BAD is set if it says none or one that does not fit into 63 bits, INEXACT if it is written
    with a fraction or exponent.
    """
    apart()
    state[BAD] = 0
    state[INEXACT] = 0
    at = start
    value = 0
    exponent = 0
    fraction = False
    if at < end and data[at] == MINUS:
        at += 1
    first = at
    while at < end:
        digit = signed(data[at]) - ZERO
        if data[at] == DOT and not fraction:
            fraction = True
        elif data[at] | 32 == 101 and at > first:
            exponent += _exponent(data, at, end)
            state[INEXACT] = 1
            break
        elif digit < 0 or digit > 9:
            state[BAD] = 1
            return 0
        elif value > _LARGEST_TENTH or (value == _LARGEST_TENTH and digit > 7):
            if not fraction:
                state[BAD] = 1
                return 0
        else:
            value = value * 10 + digit
            exponent -= 1 if fraction else 0
        at += 1
    if at == first:
        state[BAD] = 1
    if fraction:
        state[INEXACT] = 1
    value = _scaled(value, exponent, state)
    return -value if data[start] == MINUS else value


@step
def integer(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Read a whole number, bare or as a string, into VALUE; null and empty are 0."""
    apart()
    state[VALUE] = 0
    state[BAD] = 0
    state[INEXACT] = 0
    if data[at] == QUOTE:
        start = at + 1
        at = string_end(data, start, end, state)
        if at > start:
            state[VALUE] = parse_integer(data, start, at, state)
        return at + 1 if at >= 0 else -1
    if data[at] == MINUS or ZERO <= data[at] <= NINE:
        after = plain_end(data, at, end, state)
        if after >= 0:
            state[VALUE] = parse_integer(data, at, after, state)
        return after
    if data[at] != 110:
        state[BAD] = 1
    return skip_value(data, at, end, state)


@step
def enumeration(
    data: Bytes, at: int, end: int, names: int, count: int, state: Ints, table: Words
) -> int:
    """Read one of `count` numbered words, as its number or its name, into VALUE.

    What is neither is 0, as producers may know more words than we.
    """
    apart()
    start = at + 1
    at = integer(data, at, end, state)
    if at >= 0 and state[BAD] and data[start - 1] == QUOTE:
        hashed = hash_bytes(data, start, at - 1 - start)
        state[VALUE] = lookup(table, FIELD_HASHES, FIELD_CODES, hashed) - names
    if state[VALUE] < 0 or state[VALUE] >= count:
        state[VALUE] = 0
    return at


@step
def identifier(data: Bytes, at: int, end: int, size: int, state: Ints) -> int:
    """Read an id into the registers HIGH and LOW; VALUE says whether it is one (`ids`)."""
    apart()
    state[VALUE] = EMPTY
    state[HIGH] = 0
    state[LOW] = 0
    if data[at] != QUOTE:
        return skip_value(data, at, end, state)
    start = at + 1
    at = string_end(data, start, end, state)
    if at < 0:
        return -1
    state[VALUE] = text_id(data, start, at, size, state)
    return at + 1


@step
def text_field(data: Bytes, at: int, end: int, extra: Bytes, state: Ints) -> int:
    """Read a string; VALUE is the reference to it without escapes, 0 if it is none or empty."""
    apart()
    state[VALUE] = 0
    if data[at] != QUOTE:
        return skip_value(data, at, end, state)
    start = at + 1
    at = string_end(data, start, end, state)
    if at < 0:
        return -1
    if state[ESCAPED]:
        first = state[EXTRA]
        state[EXTRA] = unescape(data, start, at, extra, first)
        state[VALUE] = pack(first, state[EXTRA] - first, IN_EXTRA, 0)
    else:
        state[VALUE] = pack(start, at - start, 0, 0)
    return at + 1
