"""Scopes of OTLP/JSON, and the lists of spans below them."""

from __future__ import annotations

from tracemap.ingest.kernels.json_fields import text_field
from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    END_OF_OBJECT,
    OPEN_ARRAY,
    OPEN_OBJECT,
    element,
    member,
    skip_value,
)
from tracemap.ingest.kernels.json_span import span
from tracemap.ingest.kernels.layout import (
    CURRENT_SCOPE,
    FIELD,
    LINKS,
    SPANS,
    TEXT,
    VALUE,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, inlined, step
from tracemap.ingest.kernels.names import (
    NAME_FIELD,
    SCOPE_FIELD,
    SPANS_FIELD,
)
from tracemap.ingest.kernels.rows import reject


@step
def _scope_name(data: Bytes, at: int, end: int, extra: Bytes, state: Ints, table: Words) -> int:
    """Read the name of the scope object at `at` into CURRENT_SCOPE."""
    apart()
    if data[at] != OPEN_OBJECT:
        return skip_value(data, at, end, state)
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0 or state[FIELD] == END_OF_OBJECT:
            return at
        if state[FIELD] == NAME_FIELD:
            at = text_field(data, at, end, extra, state)
            state[CURRENT_SCOPE] = state[VALUE]
        else:
            at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        first = False


@step
def _spans(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    rejects: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read the list of spans that opens at `at`; a span that cannot be taken is rejected alone."""
    first = True
    at += 1
    while True:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return -1
        if data[at] == CLOSE_ARRAY:
            return at + 1
        first = False
        start = at
        linked = state[LINKS]
        written = state[TEXT]
        at = span(data, at, end, text, extra, spans, links, state, table)
        if at < 0:
            return -1
        if state[VALUE] == 0:
            state[SPANS] += 1
        else:
            state[LINKS] = linked
            state[TEXT] = written
            reject(rejects, state[VALUE], start, at, state)


@inlined
def _scope_spans(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    rejects: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read one scope and its spans. Spans that stand before their scope are read after it."""
    state[CURRENT_SCOPE] = 0
    named = False
    waiting = 0
    first = True
    if data[at] != OPEN_OBJECT:
        return skip_value(data, at, end, state)
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        first = False
        if state[FIELD] == END_OF_OBJECT:
            break
        if state[FIELD] == SCOPE_FIELD:
            at = _scope_name(data, at, end, extra, state, table)
            named = True
        elif state[FIELD] == SPANS_FIELD and data[at] == OPEN_ARRAY and named:
            at = _spans(data, at, end, text, extra, spans, links, rejects, state, table)
        else:
            if state[FIELD] == SPANS_FIELD and data[at] == OPEN_ARRAY:
                waiting = at
            at = skip_value(data, at, end, state)
        if at < 0:
            return -1
    if waiting:
        done = _spans(data, waiting, end, text, extra, spans, links, rejects, state, table)
        if done < 0:
            return -1
    return at


@step
def scopes(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    rejects: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read the list of scopes at `at`."""
    if data[at] != OPEN_ARRAY:
        return skip_value(data, at, end, state)
    first = True
    at += 1
    while True:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return -1
        if data[at] == CLOSE_ARRAY:
            return at + 1
        first = False
        at = _scope_spans(data, at, end, text, extra, spans, links, rejects, state, table)
        if at < 0:
            return -1
