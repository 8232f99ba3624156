"""OTLP protobuf messages into rows."""

from __future__ import annotations

from tracemap.ingest.kernels.json_writer import end_object
from tracemap.ingest.kernels.layout import (
    CURRENT_RESOURCE,
    CURRENT_SCOPE,
    DOUBLES,
    ERROR,
    FIELD,
    FIRST_SAVED,
    LINKS,
    LOGS,
    METRICS,
    RECORD,
    SAVED,
    SPANS,
    TEXT,
    VALUE,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, inlined, kernel, step
from tracemap.ingest.kernels.proto_attributes import attribute
from tracemap.ingest.kernels.proto_span import IS_LOG, IS_METRIC, span
from tracemap.ingest.kernels.proto_wire import after, field, text_reference
from tracemap.ingest.kernels.rows import (
    keep_resource,
    known_resource,
    note_counts,
    reject,
)

# Number of the field * 8 + wire type (0 varint, 1 eight bytes, 2 bytes, 5 four bytes).
_RESOURCE_SPANS = 1 * 8 + 2
_RESOURCE, _SCOPE_SPANS, _OLD_SCOPE_SPANS = 1 * 8 + 2, 2 * 8 + 2, 1000 * 8 + 2
_RESOURCE_ATTRIBUTE = 1 * 8 + 2
_SCOPE, _SPAN, _SCOPE_NAME = 1 * 8 + 2, 2 * 8 + 2, 1 * 8 + 2


@inlined
def _scope_name(data: Bytes, at: int, end: int, extra: Bytes, state: Ints) -> int:
    """Read the name of the scope of the scope-spans message in ``data[at:end]``."""
    state[CURRENT_SCOPE] = 0
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        stop = after(at, state)
        if state[FIELD] == _SCOPE:
            while at < stop:
                at = field(data, at, stop, state)
                if at < 0:
                    return -1
                after_name = after(at, state)
                if state[FIELD] == _SCOPE_NAME:
                    state[CURRENT_SCOPE] = text_reference(data, at, after_name, extra, state)
                at = after_name
        at = stop
    return at


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
    doubles: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read one scope and its spans; a span that cannot be taken is rejected alone."""
    if _scope_name(data, at, end, extra, state) < 0:
        return -1
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        stop = after(at, state)
        if state[FIELD] == _SPAN:
            linked = state[LINKS]
            written = state[TEXT]
            noted = state[DOUBLES]
            if span(data, at, stop, text, extra, spans, links, doubles, state, table) < 0:
                return -1
            if state[VALUE] == 0:
                state[SPANS] += 1
            else:
                state[LINKS] = linked
                state[TEXT] = written
                state[DOUBLES] = noted
                if state[VALUE] == IS_LOG:
                    state[LOGS] += 1
                elif state[VALUE] == IS_METRIC:
                    state[METRICS] += 1
                else:
                    reject(rejects, state[VALUE], at, stop, state)
        at = stop
    return at


@step
def _resource(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    resources: Ints,
    doubles: Ints,
    index: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Return the row of the resource in ``data[at:end]``; -1 if it is broken."""
    apart()
    start = at
    row = known_resource(data, start, end - start, resources, index, state)
    if row >= 0:
        return row
    written = state[TEXT]
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        stop = after(at, state)
        if state[FIELD] == _RESOURCE_ATTRIBUTE:
            first = state[TEXT] == written
            if attribute(data, at, stop, first, text, extra, spans, -1, doubles, state, table) < 0:
                return -1
        at = stop
    if state[TEXT] > written:
        end_object(text, state)
    return keep_resource(data, start, end - start, text, written, extra, resources, index, state)


@inlined
def _resource_spans(
    data: Bytes,
    start: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    resources: Ints,
    rejects: Ints,
    doubles: Ints,
    index: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Read the resource-spans message in ``data[start:end]``.

    The resource is looked for first, wherever it stands. Spans under the field that scopes had
    before version 0.15 count only if there are none under the new one.
    """
    state[CURRENT_RESOURCE] = -1
    wanted = _OLD_SCOPE_SPANS
    at = start
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        stop = after(at, state)
        if state[FIELD] == _SCOPE_SPANS:
            wanted = _SCOPE_SPANS
        elif state[FIELD] == _RESOURCE:
            row = _resource(
                data, at, stop, text, extra, spans, resources, doubles, index, state, table
            )
            if row < 0:
                return -1
            state[CURRENT_RESOURCE] = row
        at = stop
    at = start
    while at < end:
        at = field(data, at, end, state)
        stop = after(at, state)
        if state[FIELD] == wanted:
            done = _scope_spans(
                data, at, stop, text, extra, spans, links, rejects, doubles, state, table
            )
            if done < 0:
                return -1
        at = stop
    return at


@inlined
def _records(
    data: Bytes,
    bounds: Ints,
    count: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    resources: Ints,
    rejects: Ints,
    doubles: Ints,
    index: Ints,
    before: Ints,
    state: Ints,
    table: Words,
) -> None:
    for record in range(count):
        note_counts(before, record, state)
        at = bounds[2 * record]
        end = bounds[2 * record + 1]
        start = at
        state[RECORD] = record
        for counter in range(SAVED):
            state[FIRST_SAVED + counter] = state[counter]
        while 0 <= at < end:
            at = field(data, at, end, state)
            if at < 0:
                break
            stop = after(at, state)
            if state[FIELD] == _RESOURCE_SPANS:
                at = _resource_spans(
                    data, at, stop, text, extra, spans, links, resources, rejects, doubles,
                    index, state, table,
                )  # fmt: skip
                if at < 0:
                    break
            at = stop
        if at < 0:
            for counter in range(SAVED):
                state[counter] = state[FIRST_SAVED + counter]
            reject(rejects, state[ERROR], start, end, state)


@kernel
def decode_protobuf(
    data: Bytes,
    bounds: Ints,
    records: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    links: Ints,
    resources: Ints,
    rejects: Ints,
    doubles: Ints,
    index: Ints,
    before: Ints,
    state: Ints,
    table: Words,
) -> None:
    """Read every record of a block: record `i` is ``data[bounds[i, 0]:bounds[i, 1]]``.

    A record is a ``TracesData`` or ``ExportTraceServiceRequest``, which are the same on the wire.
    One that is broken is rejected as a whole: nothing of it stays, and the next one is read.
    """
    _records(
        data,
        bounds,
        records,
        text,
        extra,
        spans,
        links,
        resources,
        rejects,
        doubles,
        index,
        before,
        state,
        table,
    )
