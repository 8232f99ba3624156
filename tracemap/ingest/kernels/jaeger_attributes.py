"""Jaeger's tags as OTLP's attributes, and what is copied as it stands."""

from __future__ import annotations

from tracemap.ingest.kernels import foreign_words as words
from tracemap.ingest.kernels.foreign_words import (
    say,
)
from tracemap.ingest.kernels.jaeger_outline import (
    BOOL,
    FLOAT64,
    INT64,
    OLD_SCOPE_NAME,
    OTEL_STATUS,
    OTHER_OWN,
    SCOPE_NAME,
    SERVICE_NAME,
    SPAN_KIND,
    STATE_TAG,
    is_true,
    read_tag,
    spot_end,
    spot_start,
)
from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COMMA,
    OPEN_ARRAY,
    QUOTE,
    element,
    number_end,
)
from tracemap.ingest.kernels.json_values import (
    is_integer,
)
from tracemap.ingest.kernels.json_writer import (
    put,
    put_piece,
)
from tracemap.ingest.kernels.layout import (
    HASH,
    KEY_START,
    KEY_STOP,
    KNOWN,
    RESUME,
    VALUE,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import (
    apart,
    signed,
    step,
)


@step
def put_spot(data: Bytes, spot: int, text: Bytes, state: Ints) -> None:
    """Write the value that lies at a spot, as it stands."""
    start = spot_start(spot)
    put_piece(data, start, spot_end(spot) - start, text, state)


@step
def put_string(data: Bytes, pieces: Bytes, spot: int, text: Bytes, state: Ints) -> None:
    """Write the string that lies at a spot; an empty one if none does."""
    if spot != 0 and data[spot_start(spot)] == QUOTE:
        put_spot(data, spot, text, state)
    else:
        say(pieces, words.EMPTY, text, state)


@step
def _put_value(data: Bytes, pieces: Bytes, text: Bytes, state: Ints) -> None:
    """Write the value of the tag just read; a string of another type as that type."""
    value, end, kind = state[VALUE], state[RESUME], state[KNOWN]
    if data[value] == QUOTE:
        if kind == BOOL:
            say(pieces, words.TRUE if is_true(data, value, end) else words.FALSE, text, state)
            return
        number = kind == INT64 and is_integer(data, value + 1, end - 1)
        number = number or (kind == FLOAT64 and number_end(data, value + 1) == end - 1)
        if number:
            value += 1
            end -= 1
    put_piece(data, value, end - value, text, state)


@step
def _is_own(meaning: int) -> bool:
    """Return whether a tag says what OTLP has a field for."""
    return (
        meaning == SPAN_KIND
        or meaning == OTEL_STATUS
        or meaning == SCOPE_NAME
        or meaning == OLD_SCOPE_NAME
        or meaning == STATE_TAG
        or meaning == OTHER_OWN
    )


@step
def put_tags(
    data: Bytes,
    pieces: Bytes,
    spot: int,
    comma: bool,
    of_process: bool,
    text: Bytes,
    state: Ints,
    table: Words,
) -> bool:
    """Write a list of tags as attributes; False if one of them is unusual."""
    apart()
    if spot == 0 or data[spot_start(spot)] != OPEN_ARRAY:
        return True
    at, end = spot_start(spot) + 1, spot_end(spot)
    first = True
    while True:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return False
        if data[at] == CLOSE_ARRAY:
            return True
        first = False
        at = read_tag(data, at, end, state, table)
        if at < 0 or (of_process and state[HASH] == SERVICE_NAME):
            return False
        if not of_process and _is_own(signed(state[HASH])):
            continue
        if comma:
            put(text, state, COMMA)
        comma = True
        say(pieces, words.KEY_IS, text, state)
        key = state[KEY_START] - 1
        put_piece(data, key, state[KEY_STOP] + 1 - key, text, state)
        say(pieces, words.VALUE_IS, text, state)
        _put_value(data, pieces, text, state)
        put(text, state, CLOSE_OBJECT)
