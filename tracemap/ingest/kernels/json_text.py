"""Strings with escapes: made plain, or mended where half a surrogate pair stands."""

from __future__ import annotations

from tracemap.ingest.kernels.json_scan import (
    BACKSLASH,
    LOWER_F,
    LOWER_N,
    LOWER_T,
    LOWER_U,
    hex_four,
)
from tracemap.ingest.kernels.layout import Bytes
from tracemap.ingest.kernels.machine import apart, step

_REPLACEMENT = 0xFFFD


@step
def put_character(character: int, target: Bytes, at: int) -> int:
    """Write one character as UTF-8 and return the position behind it."""
    if character < 0x80:
        target[at] = character
        return at + 1
    if character < 0x800:
        target[at] = 0xC0 | (character >> 6)
        target[at + 1] = 0x80 | (character & 0x3F)
        return at + 2
    if character < 0x10000:
        target[at] = 0xE0 | (character >> 12)
        target[at + 1] = 0x80 | ((character >> 6) & 0x3F)
        target[at + 2] = 0x80 | (character & 0x3F)
        return at + 3
    target[at] = 0xF0 | (character >> 18)
    target[at + 1] = 0x80 | ((character >> 12) & 0x3F)
    target[at + 2] = 0x80 | ((character >> 6) & 0x3F)
    target[at + 3] = 0x80 | (character & 0x3F)
    return at + 4


@step
def _short_escape(byte: int) -> int:
    if byte == LOWER_N:
        return 10
    if byte == LOWER_T:
        return 9
    if byte == 114:
        return 13
    if byte == 98:
        return 8
    return 12 if byte == LOWER_F else byte


@step
def _is_pair(data: Bytes, start: int, end: int, unit: int) -> bool:
    if unit > 0xDBFF or start + 12 > end:
        return False
    if data[start + 6] != BACKSLASH or data[start + 7] != LOWER_U:
        return False
    return 0xDC00 <= hex_four(data, start + 8) <= 0xDFFF


@step
def unescape(data: Bytes, start: int, end: int, target: Bytes, at: int) -> int:
    """Write a (valid) JSON string without its escapes; return the position behind it.

    Half a surrogate pair, and the zero character (which databases refuse), become U+FFFD.
    """
    apart()
    while start < end:
        if data[start] != BACKSLASH:
            target[at] = data[start]
            at += 1
            start += 1
        elif data[start + 1] != LOWER_U:
            target[at] = _short_escape(data[start + 1])
            at += 1
            start += 2
        else:
            unit = hex_four(data, start + 2)
            if 0xD800 <= unit <= 0xDFFF:
                if _is_pair(data, start, end, unit):
                    low = hex_four(data, start + 8)
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                    start += 6
                else:
                    unit = _REPLACEMENT
            elif unit == 0:
                unit = _REPLACEMENT
            at = put_character(unit, target, at)
            start += 6
    return at


@step
def mend_surrogates(text: Bytes, start: int, end: int) -> None:
    r"""Overwrite, in JSON text, each escape that is half a surrogate pair by ``\ufffd``."""
    apart()
    while start < end:
        if text[start] != BACKSLASH:
            start += 1
        elif text[start + 1] != LOWER_U:
            start += 2
        else:
            unit = hex_four(text, start + 2)
            if 0xD800 <= unit <= 0xDFFF:
                if _is_pair(text, start, end, unit):
                    start += 6
                else:
                    text[start + 2] = text[start + 3] = text[start + 4] = LOWER_F
                    text[start + 5] = 100
            start += 6
