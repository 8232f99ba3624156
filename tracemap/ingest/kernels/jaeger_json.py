"""Jaeger's JSON as OTLP/JSON: the common shape of it; records of any other shape are left.

What is copied is copied as it stands, and OTLP's decoder judges it. `foreign.jaeger` says the same
in Python, for all shapes; a test compares them.
"""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels import foreign_words as words
from tracemap.ingest.kernels.foreign_words import (
    say,
)
from tracemap.ingest.kernels.jaeger_attributes import (
    put_spot,
    put_string,
    put_tags,
)
from tracemap.ingest.kernels.jaeger_outline import (
    OUTLINE,
    OWNER,
    PROCESS,
    PROCESS_ID,
    PROCESSES,
    SCOPE,
    SERVICE,
    SOURCE,
    SPAN,
    SPANS,
    TAG_MAP,
    TAGS,
    TRACE,
    outline,
    spot_end,
    spot_start,
    tags_say,
)
from tracemap.ingest.kernels.jaeger_span import (
    put_span,
)
from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COMMA,
    END_OF_OBJECT,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    element,
    member,
    skip_value,
    space,
)
from tracemap.ingest.kernels.json_writer import (
    put,
)
from tracemap.ingest.kernels.layout import (
    FIELD,
    TEXT,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import (
    apart,
    inlined,
    kernel,
    signed,
    step,
)
from tracemap.ingest.kernels.strings import (
    hash_bytes,
    same_bytes,
)

_PROCESSES_MAX = 256
_P_KEY, _P_SIZE, _P_HASH, _P_VALUE, _P_END, _P_USED = range(6)
_P_WIDTH = 6
_NO_SERVICE = len("OTLPResourceNoServiceName")
_ROOM = 4096


@step
def _put_process(
    data: Bytes, pieces: Bytes, at: int, end: int, rows: Ints, spare: int, text: Bytes,
    state: Ints, table: Words,
) -> bool:  # fmt: skip
    """Write the process at `at` as the resource of the spans that follow."""
    apart()
    say(pieces, words.OPEN_RESOURCE, text, state)
    if at == 0:
        return True
    if outline(data, at, end, rows, spare, state, table) < 0 or rows[spare + TAG_MAP]:
        return False
    service = 0
    first = True
    inner = at + 1
    while True:
        inner = member(data, inner, end, first, state, table)
        if inner < 0:
            return False
        first = False
        field = state[FIELD]
        if field == END_OF_OBJECT:
            break
        start = inner
        inner = skip_value(data, inner, end, state)
        if inner < 0:
            return False
        if field == SERVICE:
            service = start | (inner << 32)
    if service == 0 or data[spot_start(service)] != QUOTE:
        return False
    size = spot_end(service) - spot_start(service) - 2
    if size == 0 or size == _NO_SERVICE:
        return False
    say(pieces, words.SERVICE_NAME_IS, text, state)
    put_spot(data, service, text, state)
    put(text, state, CLOSE_OBJECT)
    return put_tags(data, pieces, rows[spare + TAGS], True, True, text, state, table)


@step
def _find_processes(data: Bytes, spot: int, processes: Ints, state: Ints, table: Words) -> int:
    """Note the processes of a trace; return how many there are, -1 if they are unusual."""
    apart()
    if spot == 0 or data[spot_start(spot)] != OPEN_OBJECT:
        return -1
    at, end = spot_start(spot) + 1, spot_end(spot)
    count = 0
    while True:
        at = element(data, at, end, count == 0, CLOSE_OBJECT, state)
        if at < 0 or count == _PROCESSES_MAX:
            return -1
        if data[at] == CLOSE_OBJECT:
            return count
        key = at
        at = member(data, at, end, True, state, table)
        if at < 0 or data[at] != OPEN_OBJECT:
            return -1
        place = count * _P_WIDTH
        size = skip_value(data, key, end, state) - key
        processes[place + _P_KEY] = key
        processes[place + _P_SIZE] = size
        processes[place + _P_HASH] = signed(hash_bytes(data, key, size))
        processes[place + _P_VALUE] = at
        at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        processes[place + _P_END] = at
        processes[place + _P_USED] = 0
        count += 1


@step
def _owner(data: Bytes, spot: int, processes: Ints, count: int) -> int:
    """Return the number of the process that a span names; -1: there is none such."""
    start = spot_start(spot)
    size = spot_end(spot) - start
    hashed = signed(hash_bytes(data, start, size))
    for number in range(count):
        place = number * _P_WIDTH
        if processes[place + _P_HASH] == hashed and processes[place + _P_SIZE] == size:
            if same_bytes(data, start, data, processes[place + _P_KEY], size):
                return number
    return -1


@inlined
def _put_group(
    data: Bytes, pieces: Bytes, rows: Ints, count: int, owner: int, trace: int, spare: int,
    text: Bytes, room: int, state: Ints, table: Words,
) -> bool:  # fmt: skip
    """Write the spans of one process, as many scopes as their names change."""
    say(pieces, words.OPEN_SCOPES, text, state)
    scope = -1
    for number in range(count):
        row = number * OUTLINE
        if rows[row + OWNER] != owner:
            continue
        if state[TEXT] + 2 * (spot_end(rows[row + SPANS]) - spot_start(rows[row + SPANS])) > room:
            return False
        own = rows[row + SCOPE]
        same = scope == own
        if scope > 0 and own > 0 and not same:
            size = spot_end(scope) - spot_start(scope)
            if size == spot_end(own) - spot_start(own):
                same = same_bytes(data, spot_start(scope), data, spot_start(own), size)
        if same:
            put(text, state, COMMA)
        else:
            if scope >= 0:
                say(pieces, words.NEXT_SCOPE, text, state)
            put_string(data, pieces, own, text, state)
            say(pieces, words.OPEN_SPANS, text, state)
            scope = own
        if not put_span(data, pieces, rows, row, trace, spare, text, state, table):
            return False
    say(pieces, words.CLOSE_RESOURCE, text, state)
    return True


@step
def _outlines(
    data: Bytes, spot: int, rows: Ints, room: int, processes: Ints, owners: int, state: Ints,
    table: Words,
) -> int:  # fmt: skip
    """Note the outlines of all spans in a list; return how many, -1 if one is unusual."""
    apart()
    at, end = spot_start(spot) + 1, spot_end(spot)
    count = 0
    while True:
        at = element(data, at, end, count == 0, CLOSE_ARRAY, state)
        if at < 0:
            return -1
        if data[at] == CLOSE_ARRAY:
            return count
        row = count * OUTLINE
        if row + 3 * OUTLINE > room:
            return -1
        start = at
        at = outline(data, at, end, rows, row, state, table)
        if at < 0 or not tags_say(data, rows, row, state, table):
            return -1
        rows[row + SPANS] = start | (at << 32)
        if rows[row + PROCESS_ID] == 0:
            return -1
        owner = _owner(data, rows[row + PROCESS_ID], processes, owners)
        if owner < 0:
            return -1
        rows[row + OWNER] = owner
        processes[owner * _P_WIDTH + _P_USED] = 1
        count += 1


@step
def _trace(
    data: Bytes, pieces: Bytes, at: int, end: int, rows: Ints, rows_room: int, processes: Ints,
    text: Bytes, room: int, state: Ints, table: Words,
) -> int:  # fmt: skip
    """Write the trace at `at`; return the position behind it, -1 if it is unusual."""
    apart()
    at = outline(data, at, end, rows, 0, state, table)
    if at < 0 or rows[SPANS] == 0 or data[spot_start(rows[SPANS])] != OPEN_ARRAY:
        return -1
    trace, spans = rows[TRACE], rows[SPANS]
    owners = _find_processes(data, rows[PROCESSES], processes, state, table)
    if owners < 0:
        return -1
    count = _outlines(data, spans, rows, rows_room, processes, owners, state, table)
    if count <= 0:
        return -1
    spare = count * OUTLINE
    say(pieces, words.OPEN_DOCUMENT, text, state)
    written = False
    for owner in range(owners):
        place = owner * _P_WIDTH
        if processes[place + _P_USED] == 0:
            continue
        if written:
            put(text, state, COMMA)
        written = True
        start, stop = processes[place + _P_VALUE], processes[place + _P_END]
        if state[TEXT] + 2 * (stop - start) > room:
            return -1
        if not _put_process(data, pieces, start, stop, rows, spare, text, state, table):
            return -1
        if not _put_group(data, pieces, rows, count, owner, trace, spare, text, room, state, table):
            return -1
    say(pieces, words.CLOSE_DOCUMENT, text, state)
    return at


@step
def _document(
    data: Bytes, pieces: Bytes, at: int, end: int, rows: Ints, text: Bytes, room: int,
    state: Ints, table: Words,
) -> int:  # fmt: skip
    """Write the Elasticsearch document at `at`, alone or in the answer to a search."""
    apart()
    start = at
    at = outline(data, at, end, rows, 0, state, table)
    if at >= 0 and rows[SPAN] == 0 and rows[SOURCE]:
        start = spot_start(rows[SOURCE])
        if outline(data, start, spot_end(rows[SOURCE]), rows, 0, state, table) < 0:
            return -1
    if at < 0 or rows[SPAN] == 0 or rows[PROCESS] == 0 or state[TEXT] + 2 * (at - start) > room:
        return -1
    if not tags_say(data, rows, 0, state, table):
        return -1
    process, stop = spot_start(rows[PROCESS]), spot_end(rows[PROCESS])
    if data[process] != OPEN_OBJECT:
        return -1
    say(pieces, words.OPEN_DOCUMENT, text, state)
    if not _put_process(data, pieces, process, stop, rows, OUTLINE, text, state, table):
        return -1
    rows[SPANS] = start | (at << 32)
    rows[OWNER] = 0
    if not _put_group(data, pieces, rows, 1, 0, 0, OUTLINE, text, room, state, table):
        return -1
    say(pieces, words.CLOSE_DOCUMENT, text, state)
    return at


@inlined
def _records(
    data: Bytes, pieces: Bytes, bounds: Ints, count: int, documents: bool, rows: Ints,
    rows_room: int, processes: Ints, text: Bytes, room: int, made: Ints, state: Ints,
    table: Words,
) -> None:  # fmt: skip
    for record in range(count):
        end = bounds[2 * record + 1]
        at = space(data, bounds[2 * record], end)
        before = state[TEXT]
        made[2 * record] = before
        if at < end:
            if documents:
                at = _document(data, pieces, at, end, rows, text, room, state, table)
            else:
                at = _trace(
                    data, pieces, at, end, rows, rows_room, processes, text, room, state, table
                )
            if at < 0 or space(data, at, end) != end:
                state[TEXT] = before
                made[2 * record] = -1
        made[2 * record + 1] = state[TEXT]


@kernel
def jaeger_as_otlp(
    data: Bytes, pieces: Bytes, bounds: Ints, records: int, documents: bool, rows: Ints,
    rows_size: int, processes: Ints, text: Bytes, text_size: int, made: Ints,
    state: Ints, table: Words,
) -> None:  # fmt: skip
    """Write each record of a block as OTLP/JSON.

    Args:
        data: The block.
        pieces: `foreign_words.PIECES`.
        bounds: Where each record starts and ends.
        records: How many there are.
        documents: Records are Elasticsearch's documents, not traces.
        rows: Scratch room for outlines of the spans of one record.
        rows_size: Its size.
        processes: Scratch room for the processes of one record.
        text: What is written.
        text_size: How much room it has.
        made: Gets where in `text` each record starts and ends; -1: its shape is not the usual one.
        state: Registers.
        table: `jaeger_outline.TABLE`.
    """
    _records(
        data, pieces, bounds, records, documents,
        rows, rows_size, processes, text, text_size - _ROOM,
        made, state, table,
    )  # fmt: skip


def scratch(block_bytes: int) -> tuple[Ints, Ints]:
    """Return room for the outlines and processes of any record in a block."""
    rows = np.empty((block_bytes // 40 + 8) * OUTLINE, np.int64)
    return rows, np.empty((_PROCESSES_MAX + 1) * _P_WIDTH, np.int64)
