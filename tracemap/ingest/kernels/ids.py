"""Trace and span ids: hex in any case or length, base64, or hex that was taken for base64."""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.json_scan import ZERO, hex_value
from tracemap.ingest.kernels.layout import HIGH, LOW, Bytes, Ints
from tracemap.ingest.kernels.machine import apart, load, signed, step, swapped

EMPTY, GOOD, BAD = 0, 1, 2


@step
def _base64_value(byte: int) -> int:
    if 65 <= byte <= 90:
        return byte - 65
    if 97 <= byte <= 122:
        return byte - 71
    if ZERO <= byte <= 57:
        return byte + 4
    if byte == 43 or byte == 45:
        return 62
    if byte == 47 or byte == 95:
        return 63
    return -1


@step
def _push(state: Ints, digit: int, bits: int) -> None:
    """Append `bits` bits to the 128-bit number in the registers HIGH and LOW."""
    carried = (state[LOW] >> (64 - bits)) & ((1 << bits) - 1)
    state[HIGH] = (state[HIGH] << bits) | carried
    state[LOW] = (state[LOW] << bits) | digit


@step
def _eight_digits(word: np.uint64) -> int:
    """Return the number that eight hex digits (first digit in the lowest byte) make; or -1."""
    lower = word | np.uint64(0x2020202020202020)
    letter = (word >> np.uint64(6)) & np.uint64(0x0101010101010101)
    value = (word & np.uint64(0x0F0F0F0F0F0F0F0F)) + letter * np.uint64(9)
    over_nine = ((value + np.uint64(0x7676767676767676)) >> np.uint64(7)) & np.uint64(
        0x0101010101010101
    )
    digits = value + np.uint64(0x3030303030303030) + over_nine * np.uint64(39)
    if digits != lower:
        return -1
    pairs = ((value << np.uint64(4)) | (value >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = ((pairs << np.uint64(8)) | (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return signed(((fours << np.uint64(16)) | (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF))


@step
def _hex_word(data: Bytes, start: int, state: Ints) -> bool:
    """Read sixteen hex digits into the register LOW."""
    one = _eight_digits(load(data, start))
    two = _eight_digits(load(data, start + 8))
    state[LOW] = (one << 32) | two
    return one >= 0 and two >= 0


@step
def _full_hex_id(data: Bytes, start: int, size: int, state: Ints) -> bool:
    state[HIGH] = 0
    good = True
    if size == 16:
        good = _hex_word(data, start, state)
        state[HIGH] = state[LOW]
        start += 16
    return _hex_word(data, start, state) and good


@step
def _hex_id(data: Bytes, start: int, end: int, state: Ints) -> bool:
    state[HIGH] = 0
    state[LOW] = 0
    for index in range(start, end):
        digit = hex_value(signed(data[index]))
        if digit < 0:
            return False
        _push(state, digit, 4)
    return True


@step
def _base64_id(data: Bytes, start: int, size: int, state: Ints) -> bool:
    """Read `size` (16 or 8) bytes of base64: whole sextets, then the one that is cut by ``=``."""
    state[HIGH] = 0
    state[LOW] = 0
    whole = (size * 8) // 6
    for index in range(start, start + whole):
        digit = _base64_value(signed(data[index]))
        if digit < 0:
            return False
        _push(state, digit, 6)
    last = _base64_value(signed(data[start + whole]))
    rest = size * 8 - whole * 6
    if last < 0:
        return False
    _push(state, last >> (6 - rest), rest)
    padding = 3 - size % 3
    for index in range(start + whole + 1, start + whole + 1 + padding):
        if data[index] != 61:
            return False
    return True


@step
def base64_letter(value: int) -> int:
    """Return the character that base64 writes for six bits."""
    if value < 26:
        return value + 65
    if value < 52:
        return value + 71
    if value < 62:
        return value - 4
    return 43 if value == 62 else 47


@step
def _twice_encoded(data: Bytes, start: int, size: int, state: Ints) -> bool:
    """Read hex digits that were decoded as base64 and written as hex again (3 for every 2)."""
    state[HIGH] = 0
    state[LOW] = 0
    for group in range(size // 2):
        three = 0
        for index in range(start + group * 6, start + group * 6 + 6):
            digit = hex_value(signed(data[index]))
            if digit < 0:
                return False
            three = three * 16 + digit
        for shift in (18, 12, 6, 0):
            digit = hex_value(base64_letter((three >> shift) & 63))
            if digit < 0:
                return False
            _push(state, digit, 4)
    return True


@step
def text_id(data: Bytes, start: int, end: int, size: int, state: Ints) -> int:
    """Read an id of `size` bytes into the registers HIGH and LOW.

    Returns:
        `GOOD`; `EMPTY` for an empty or all-zero id; `BAD` for anything else.
    """
    apart()
    length = end - start
    if length == 0:
        state[HIGH] = 0
        state[LOW] = 0
        return EMPTY
    good = False
    if length == 2 * size:
        good = _full_hex_id(data, start, size, state)
    elif length == 4 * ((size + 2) // 3) and data[end - 1] == 61:
        good = _base64_id(data, start, size, state)
    elif length == 3 * size:
        good = _twice_encoded(data, start, size, state)
    elif length < 2 * size:
        good = _hex_id(data, start, end, state)
    if not good and length > 2 and data[start] == ZERO and data[start + 1] | 32 == 120:
        if length - 2 <= 2 * size:
            good = _hex_id(data, start + 2, end, state)
    if not good:
        state[HIGH] = 0
        state[LOW] = 0
        return BAD
    return EMPTY if state[HIGH] == 0 and state[LOW] == 0 else GOOD


@step
def raw_id(data: Bytes, start: int, length: int, size: int, state: Ints) -> int:
    """Read an id of `size` raw bytes into the registers HIGH and LOW."""
    state[HIGH] = 0
    state[LOW] = 0
    if length == 0:
        return EMPTY
    if length != size:
        return BAD
    if size == 16:
        state[HIGH] = signed(swapped(load(data, start)))
    state[LOW] = signed(swapped(load(data, start + size - 8)))
    return EMPTY if state[HIGH] == 0 and state[LOW] == 0 else GOOD
