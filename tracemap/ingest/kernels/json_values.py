"""Plain values of OTLP/JSON attributes: strings, numbers and literals, copied and noted."""

from __future__ import annotations

from tracemap.ingest.kernels.json_scan import (
    MINUS,
    NINE,
    QUOTE,
    ZERO,
    plain_end,
    string_end,
)
from tracemap.ingest.kernels.json_text import unescape
from tracemap.ingest.kernels.json_writer import put_piece, put_quoted
from tracemap.ingest.kernels.layout import (
    CODE_COLUMN,
    CODE_URL,
    ESCAPED,
    EXTRA,
    FIELD,
    Bytes,
    Ints,
)
from tracemap.ingest.kernels.machine import apart, inlined, step
from tracemap.ingest.kernels.names import (
    INT_VALUE,
)
from tracemap.ingest.kernels.slots import clean_url, note_value, url_end
from tracemap.ingest.kernels.strings import IN_EXTRA


@step
def is_integer(data: Bytes, start: int, end: int) -> bool:
    """Return whether a piece of text is a whole number as JSON writes it, of 64 bits or so."""
    if start < end and data[start] == MINUS:
        start += 1
    if start >= end or end - start > 19 or (data[start] == ZERO and end - start > 1):
        return False
    for at in range(start, end):
        if data[at] < ZERO or data[at] > NINE:
            return False
    return True


@step
def _note_string(
    data: Bytes, start: int, end: int, code: int, spans: Ints, row: int, extra: Bytes, state: Ints
) -> None:
    if state[ESCAPED] == 0:
        note_value(spans, row, code, start, end - start, 0)
    else:
        at = state[EXTRA]
        state[EXTRA] = unescape(data, start, end, extra, at)
        note_value(spans, row, code, at, state[EXTRA] - at, IN_EXTRA)


@inlined
def _string(
    data: Bytes,
    start: int,
    end: int,
    code: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    state: Ints,
) -> None:
    """Write a string value and note it if its key is known; of a URL only what is no secret."""
    if code & CODE_URL:
        end = url_end(data, start, end)
        at = state[EXTRA]
        after = clean_url(data, start, end, extra, at)
        if after != at:
            put_quoted(extra, at, after, text, state)
            state[EXTRA] = after
            _note_string(extra, at, after, code, spans, row, extra, state)
            if state[ESCAPED] == 0:
                note_value(spans, row, code, at, after - at, IN_EXTRA)
            return
    put_quoted(data, start, end, text, state)
    if code & CODE_COLUMN and row >= 0:
        _note_string(data, start, end, code, spans, row, extra, state)


@step
def plain_value(
    data: Bytes,
    at: int,
    end: int,
    code: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    state: Ints,
) -> int:
    """Write a string, number or literal and return the position behind it."""
    apart()
    if data[at] == QUOTE:
        integer = state[FIELD] == INT_VALUE
        start = at + 1
        at = string_end(data, start, end, state)
        if at < 0:
            return -1
        if integer and is_integer(data, start, at):
            put_piece(data, start, at - start, text, state)
            note_value(spans, row, code, start, at - start, 0)
        else:
            _string(data, start, at, code, text, extra, spans, row, state)
        return at + 1
    after = plain_end(data, at, end, state)
    if after >= 0:
        put_piece(data, at, after - at, text, state)
        if data[at] != 110:
            note_value(spans, row, code, at, after - at, 0)
    return after
