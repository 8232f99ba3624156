"""Spans that lie in columns, written as OTLP/JSON, which is then decoded like any other."""

from __future__ import annotations

from tracemap.ingest.kernels.columnar import (
    ATTRIBUTES,
    ATTRIBUTES_END,
    DROPPED,
    END,
    EVENT_ATTRIBUTES,
    EVENT_ATTRIBUTES_END,
    EVENT_NAME,
    EVENT_NAME_LENGTH,
    EVENTS,
    EVENTS_END,
    KIND,
    LINK_SPAN,
    LINK_SPAN_LENGTH,
    LINK_TRACE,
    LINK_TRACE_LENGTH,
    LINKS,
    LINKS_END,
    NAME,
    NAME_LENGTH,
    PARENT_ID,
    PARENT_ID_LENGTH,
    RECORD,
    RESOURCE,
    RESOURCE_ATTRIBUTES,
    RESOURCE_ATTRIBUTES_END,
    SCOPE,
    SCOPE_LENGTH,
    SPAN_ID,
    SPAN_ID_LENGTH,
    SPAN_WIDTH,
    START,
    STATE,
    STATE_LENGTH,
    STATUS,
    TRACE_ID,
    TRACE_ID_LENGTH,
    WORD_ATTRIBUTES,
    WORD_DOCUMENT,
    WORD_DOCUMENT_END,
    WORD_DROPPED,
    WORD_END,
    WORD_EVENT,
    WORD_EVENT_END,
    WORD_EVENTS,
    WORD_EXCEPTION,
    WORD_KIND,
    WORD_LINKS,
    WORD_NAME,
    WORD_PARENT_ID,
    WORD_RESOURCE,
    WORD_RESOURCE_END,
    WORD_SCOPE,
    WORD_SPAN_END,
    WORD_SPAN_ID,
    WORD_SPANS,
    WORD_START,
    WORD_STATE,
    WORD_STATUS,
    WORD_TRACE_ID,
    between,
    put_word,
)
from tracemap.ingest.kernels.columnar_attributes import attribute_list
from tracemap.ingest.kernels.json_scan import CLOSE_OBJECT, QUOTE
from tracemap.ingest.kernels.json_writer import put, put_integer, put_string
from tracemap.ingest.kernels.layout import TEXT, Bytes, Ints
from tracemap.ingest.kernels.machine import apart, inlined, kernel, signed, step


@step
def _digit(value: int) -> int:
    return value + 48 if value < 10 else value + 87


@step
def _put_id(data: Bytes, start: int, length: int, raw: bool, text: Bytes, state: Ints) -> None:
    """Write an id: as it stands if it is text, else in hex."""
    apart()
    if not raw:
        put_string(data, start, start + length, text, state)
        return
    put(text, state, QUOTE)
    for at in range(start, start + length):
        byte = signed(data[at])
        put(text, state, _digit(byte >> 4))
        put(text, state, _digit(byte & 15))
    put(text, state, QUOTE)


@step
def _is_exception(data: Bytes, start: int, length: int) -> bool:
    if length != 9:
        return False
    for index in range(9):
        if data[start + index] != data[(WORD_EXCEPTION >> 8) + index]:
            return False
    return True


@step
def _events(
    data: Bytes, events: Ints, first: int, end: int, attributes: Ints, text: Bytes, extra: Bytes,
    state: Ints,
) -> None:  # fmt: skip
    """Write the exceptions among the events: nothing else is kept of them."""
    apart()
    for number in range(first, end):
        row = number * 4
        if _is_exception(data, events[row + EVENT_NAME], events[row + EVENT_NAME_LENGTH]):
            between(text, state)
            put_word(data, WORD_EVENT, text, state)
            start = events[row + EVENT_ATTRIBUTES]
            attribute_list(
                data, attributes, start, events[row + EVENT_ATTRIBUTES_END], text, extra, state
            )
            put_word(data, WORD_EVENT_END, text, state)


@step
def _links(
    data: Bytes, links: Ints, first: int, end: int, raw: bool, text: Bytes, state: Ints
) -> None:
    apart()
    for number in range(first, end):
        row = number * 4
        between(text, state)
        put_word(data, WORD_TRACE_ID, text, state)
        _put_id(data, links[row + LINK_TRACE], links[row + LINK_TRACE_LENGTH], raw, text, state)
        put_word(data, WORD_SPAN_ID, text, state)
        _put_id(data, links[row + LINK_SPAN], links[row + LINK_SPAN_LENGTH], raw, text, state)
        put(text, state, CLOSE_OBJECT)


@step
def _number(data: Bytes, word: int, value: int, text: Bytes, state: Ints) -> None:
    put_word(data, word, text, state)
    put_integer(value, text, state)


@step
def _span(data: Bytes, spans: Ints, row: int, raw: bool, text: Bytes, state: Ints) -> None:
    """Write what is a span's own, up to its list of attributes."""
    apart()
    put_word(data, WORD_TRACE_ID, text, state)
    _put_id(data, spans[row + TRACE_ID], spans[row + TRACE_ID_LENGTH], raw, text, state)
    put_word(data, WORD_SPAN_ID, text, state)
    _put_id(data, spans[row + SPAN_ID], spans[row + SPAN_ID_LENGTH], raw, text, state)
    if spans[row + PARENT_ID_LENGTH]:
        put_word(data, WORD_PARENT_ID, text, state)
        _put_id(data, spans[row + PARENT_ID], spans[row + PARENT_ID_LENGTH], raw, text, state)
    if spans[row + STATE_LENGTH]:
        start = spans[row + STATE]
        put_word(data, WORD_STATE, text, state)
        put_string(data, start, start + spans[row + STATE_LENGTH], text, state)
    start = spans[row + NAME]
    put_word(data, WORD_NAME, text, state)
    put_string(data, start, start + spans[row + NAME_LENGTH], text, state)
    _number(data, WORD_KIND, spans[row + KIND], text, state)
    _number(data, WORD_START, spans[row + START], text, state)
    _number(data, WORD_END, spans[row + END], text, state)
    if spans[row + DROPPED]:
        _number(data, WORD_DROPPED, spans[row + DROPPED], text, state)
    _number(data, WORD_STATUS, spans[row + STATUS], text, state)
    put_word(data, WORD_ATTRIBUTES, text, state)


@step
def _same_text(data: Bytes, spans: Ints, one: int, other: int) -> bool:
    if spans[one + SCOPE_LENGTH] != spans[other + SCOPE_LENGTH]:
        return False
    for index in range(spans[one + SCOPE_LENGTH]):
        if data[spans[one + SCOPE] + index] != data[spans[other + SCOPE] + index]:
            return False
    return True


@inlined
def _all(
    data: Bytes, spans: Ints, count: int, resources: Ints, attributes: Ints, events: Ints,
    links: Ints, raw: bool, text: Bytes, extra: Bytes, bounds: Ints, state: Ints,
) -> int:  # fmt: skip
    records = 0
    for number in range(count):
        row = number * SPAN_WIDTH
        resource = spans[row + RESOURCE]
        opens = number == 0 or spans[row - SPAN_WIDTH + RECORD] != spans[row + RECORD]
        if opens:
            bounds[2 * records] = state[TEXT]
            put_word(data, WORD_DOCUMENT, text, state)
        if (
            opens
            or spans[row - SPAN_WIDTH + RESOURCE] != resource
            or not _same_text(data, spans, row - SPAN_WIDTH, row)
        ):
            if not opens:
                put_word(data, WORD_RESOURCE_END, text, state)
            between(text, state)
            put_word(data, WORD_RESOURCE, text, state)
            first = resources[2 * resource + RESOURCE_ATTRIBUTES]
            end = resources[2 * resource + RESOURCE_ATTRIBUTES_END]
            attribute_list(data, attributes, first, end, text, extra, state)
            put_word(data, WORD_SCOPE, text, state)
            start = spans[row + SCOPE]
            put_string(data, start, start + spans[row + SCOPE_LENGTH], text, state)
            put_word(data, WORD_SPANS, text, state)
        between(text, state)
        _span(data, spans, row, raw, text, state)
        first = spans[row + ATTRIBUTES]
        attribute_list(data, attributes, first, spans[row + ATTRIBUTES_END], text, extra, state)
        put_word(data, WORD_EVENTS, text, state)
        first = spans[row + EVENTS]
        _events(data, events, first, spans[row + EVENTS_END], attributes, text, extra, state)
        put_word(data, WORD_LINKS, text, state)
        _links(data, links, spans[row + LINKS], spans[row + LINKS_END], raw, text, state)
        put_word(data, WORD_SPAN_END, text, state)
        after = row + SPAN_WIDTH
        if number + 1 == count or spans[after + RECORD] != spans[row + RECORD]:
            put_word(data, WORD_RESOURCE_END, text, state)
            put_word(data, WORD_DOCUMENT_END, text, state)
            bounds[2 * records + 1] = state[TEXT] - 1
            records += 1
    return records


@kernel
def write_spans(
    data: Bytes, spans: Ints, count: int, resources: Ints, attributes: Ints, events: Ints,
    links: Ints, raw: bool, text: Bytes, extra: Bytes, bounds: Ints, state: Ints,
) -> int:  # fmt: skip
    """Write spans as one OTLP/JSON document a record; return how many there are.

    Args:
        data: `WORDS`, and all text that the columns refer to.
        spans: One row a span, those of a record behind one another, of width `SPAN_WIDTH`.
        count: How many spans there are.
        resources: One row a resource.
        attributes: One row an attribute or element of a list.
        events: One row an event.
        links: One row a link.
        raw: Ids are bytes, not text.
        text: Gets the documents.
        extra: Has room for the longest string.
        bounds: Gets where each document starts and ends.
        state: Registers of a decoder; TEXT says how much has been written.
    """
    return _all(
        data,
        spans,
        count,
        resources,
        attributes,
        events,
        links,
        raw,
        text,
        extra,
        bounds,
        state,
    )
