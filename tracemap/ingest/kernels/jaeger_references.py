"""Jaeger's references: one of them names the parent, the others are links."""

from __future__ import annotations

from tracemap.ingest.kernels import foreign_words as words
from tracemap.ingest.kernels.foreign_words import (
    say,
)
from tracemap.ingest.kernels.jaeger_attributes import (
    put_spot,
)
from tracemap.ingest.kernels.jaeger_outline import (
    CHILD_OF,
    FOLLOWS_FROM,
    OWNER,
    REFERENCES,
    SORT,
    SPAN,
    TRACE,
    outline,
    spot_end,
    spot_start,
    word_at,
)
from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COMMA,
    END_OF_OBJECT,
    OPEN_ARRAY,
    QUOTE,
    element,
    member,
    skip_value,
)
from tracemap.ingest.kernels.json_writer import (
    put,
)
from tracemap.ingest.kernels.layout import (
    FIELD,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import (
    apart,
    step,
)


@step
def _same_id(data: Bytes, one: int, other: int) -> bool:
    """Return whether two hex ids are the same; case and leading zeros mean nothing."""
    first, first_end = spot_start(one) + 1, spot_end(one) - 1
    second, second_end = spot_start(other) + 1, spot_end(other) - 1
    while first < first_end and data[first] == 48:
        first += 1
    while second < second_end and data[second] == 48:
        second += 1
    if first_end - first != second_end - second:
        return False
    while first < first_end:
        if data[first] | 32 != data[second] | 32:
            return False
        first += 1
        second += 1
    return True


@step
def _reference(
    data: Bytes, at: int, end: int, rows: Ints, row: int, state: Ints, table: Words
) -> int:
    """Note the reference at `at` in the outline `row`; its sort in OWNER; -1: it is unusual."""
    apart()
    start = at
    at = outline(data, at, end, rows, row, state, table)
    if at < 0 or rows[row + TRACE] == 0 or rows[row + SPAN] == 0:
        return -1
    for column in (TRACE, SPAN):
        if data[spot_start(rows[row + column])] != QUOTE:
            return -1
    first = True
    inner = start + 1
    while True:
        inner = member(data, inner, end, first, state, table)
        if inner < 0:
            return -1
        first = False
        field = state[FIELD]
        if field == END_OF_OBJECT:
            return at
        if field == SORT:
            rows[row + OWNER] = word_at(data, inner, end, state, table)
        inner = skip_value(data, inner, end, state)
        if inner < 0:
            return -1


@step
def parent_reference(
    data: Bytes, rows: Ints, row: int, trace: int, spare: int, state: Ints, table: Words
) -> int:
    """Return the number of the reference that names the parent; -1: none does, -2: unusual."""
    apart()
    spot = rows[row + REFERENCES]
    if spot == 0 or data[spot_start(spot)] != OPEN_ARRAY:
        return -1
    at, end = spot_start(spot) + 1, spot_end(spot)
    follows = -1
    number = 0
    while True:
        at = element(data, at, end, number == 0, CLOSE_ARRAY, state)
        if at < 0:
            return -2
        if data[at] == CLOSE_ARRAY:
            return follows
        at = _reference(data, at, end, rows, spare, state, table)
        if at < 0:
            return -2
        if _same_id(data, rows[spare + TRACE], trace):
            if rows[spare + OWNER] == CHILD_OF:
                return number
            if rows[spare + OWNER] == FOLLOWS_FROM and follows < 0:
                follows = number
        number += 1


@step
def put_references(
    data: Bytes,
    pieces: Bytes,
    rows: Ints,
    row: int,
    parent: int,
    links: bool,
    spare: int,
    text: Bytes,
    state: Ints,
    table: Words,
) -> bool:
    """Write the span id of the reference `parent`, or all others as links."""
    apart()
    spot = rows[row + REFERENCES]
    if spot == 0 or data[spot_start(spot)] != OPEN_ARRAY:
        return True
    at, end = spot_start(spot) + 1, spot_end(spot)
    number = 0
    comma = False
    while True:
        at = element(data, at, end, number == 0, CLOSE_ARRAY, state)
        if at < 0:
            return False
        if data[at] == CLOSE_ARRAY:
            return True
        at = _reference(data, at, end, rows, spare, state, table)
        if at < 0:
            return False
        if not links and number == parent:
            put_spot(data, rows[spare + SPAN], text, state)
            return True
        if links and number != parent:
            if comma:
                put(text, state, COMMA)
            comma = True
            say(pieces, words.TRACE_ID_IS, text, state)
            put_spot(data, rows[spare + TRACE], text, state)
            say(pieces, words.SPAN_ID_IS, text, state)
            put_spot(data, rows[spare + SPAN], text, state)
            put(text, state, CLOSE_OBJECT)
        number += 1
