"""URLs taken apart, and paths whose ids are replaced by ``{id}``."""

from __future__ import annotations

from tracemap.ingest.kernels.layout import (
    EXTRA,
    HTTP_ROUTE,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL,
    URL_PATH,
    URL_TEMPLATE,
    Bytes,
    Ints,
)
from tracemap.ingest.kernels.machine import apart, step
from tracemap.ingest.kernels.slots import authority
from tracemap.ingest.kernels.strings import IN_EXTRA, OFFSET_MASK, copy_bytes, length_of, pack

_SLASH, _COLON, _DASH, _AT = 47, 58, 45, 64
_OPEN, _CLOSE = 91, 93
_HEX_MIN, _MIXED_MIN = 8, 20
_PLACEHOLDER = (123, 105, 100, 125)


@step
def _is_id(data: Bytes, start: int, end: int) -> bool:
    """Return whether a segment of a path names one thing among many.

    Such are: digits only; hex digits (dashes allowed) from 8 on with a decimal digit among them;
    20 and more characters with both digits and letters; anything with an ``@``.
    """
    digits = hexadecimal = letters = 0
    for at in range(start, end):
        byte = data[at]
        lower = byte | 32
        if 48 <= byte <= 57:
            digits += 1
        elif byte == _AT:
            return True
        elif 97 <= lower <= 122:
            letters += 1
            if lower <= 102:
                hexadecimal += 1
        elif byte != _DASH:
            letters += 1
    length = end - start
    if digits == 0:
        return False
    if digits == length:
        return True
    if length >= _HEX_MIN and letters == hexadecimal:
        return True
    return length >= _MIXED_MIN and letters > 0


@step
def template_path(data: Bytes, start: int, end: int, extra: Bytes, at: int) -> int:
    """Copy a path to `extra` with ``{id}`` in place of its ids; return where the copy ends."""
    apart()
    while start < end:
        stop = start
        while stop < end and data[stop] != _SLASH:
            stop += 1
        if _is_id(data, start, stop):
            for byte in _PLACEHOLDER:
                extra[at] = byte
                at += 1
        else:
            at = copy_bytes(data, start, stop - start, extra, at)
        if stop < end:
            extra[at] = _SLASH
            at += 1
        start = stop + 1
    return at


@step
def _host_end(data: Bytes, start: int, end: int) -> int:
    """Return where the host ends: before a port or path; an IPv6 address keeps its brackets."""
    bracket = start < end and data[start] == _OPEN
    at = start
    while at < end and data[at] != _SLASH:
        if bracket:
            bracket = data[at] != _CLOSE
        elif data[at] == _COLON:
            break
        at += 1
    return at


@step
def _split_url(data: Bytes, spans: Ints, row: int, place: int, start: int, end: int) -> None:
    """Fill server address, port and path of a span from its URL where they are not given."""
    path = start
    host = authority(data, start, end)
    if host >= 0:
        stop = _host_end(data, host, end)
        path = stop
        while path < end and data[path] != _SLASH:
            path += 1
        if spans[row + SERVER_ADDRESS] == 0:
            spans[row + SERVER_ADDRESS] = pack(host, stop - host, place, 0)
            spans[row + SERVER_PORT] = pack(stop + 1, path - stop - 1, place, 0)
    if spans[row + URL_PATH] == 0 and (host >= 0 or data[start] == _SLASH):
        spans[row + URL_PATH] = pack(path, end - path, place, 0)


@step
def plain_url(data: Bytes, extra: Bytes, room: int, spans: Ints, row: int, state: Ints) -> None:
    """Replace a span's URL by address, port and a path of few distinct values.

    The path is left out where a route or template says it better.
    """
    apart()
    url = spans[row + URL]
    if url:
        start = url & OFFSET_MASK
        place = url & IN_EXTRA
        source = extra if place else data
        _split_url(source, spans, row, place, start, start + length_of(url))
        spans[row + URL] = 0
    path = spans[row + URL_PATH]
    if path == 0:
        return
    spans[row + URL_PATH] = 0
    length = length_of(path)
    at = state[EXTRA]
    if spans[row + HTTP_ROUTE] or spans[row + URL_TEMPLATE] or at + 4 * length + 16 > room:
        return
    start = path & OFFSET_MASK
    source = extra if path & IN_EXTRA else data
    after = template_path(source, start, start + length, extra, at)
    spans[row + URL_PATH] = pack(at, after - at, IN_EXTRA, 0)
    state[EXTRA] = after
