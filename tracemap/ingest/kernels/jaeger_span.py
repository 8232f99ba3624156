"""One span of Jaeger's JSON as one of OTLP/JSON."""

from __future__ import annotations

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
    ERROR_KIND,
    ERROR_TAG,
    EVENT,
    EXCEPTION,
    EXCEPTION_TYPE,
    KIND,
    LASTED,
    LOG_FIELDS,
    LOGS,
    NAME,
    PARENT,
    SPAN,
    STARTED,
    STATUS,
    TAG_MAP,
    TAGS,
    TRACE,
    TRACE_STATE,
    read_tag,
    spot_end,
    spot_start,
    word_at,
)
from tracemap.ingest.kernels.jaeger_references import (
    parent_reference,
    put_references,
)
from tracemap.ingest.kernels.json_fields import (
    integer,
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
)
from tracemap.ingest.kernels.json_writer import (
    put,
    put_integer,
)
from tracemap.ingest.kernels.layout import (
    BAD,
    FIELD,
    HASH,
    INEXACT,
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

_LARGEST_US = 2**63 // 2000


@step
def _put_exceptions(
    data: Bytes, pieces: Bytes, spot: int, text: Bytes, state: Ints, table: Words
) -> bool:
    """Write the exceptions among the logs as events; False if a log is unusual."""
    apart()
    if spot == 0 or data[spot_start(spot)] != OPEN_ARRAY:
        return True
    at, end = spot_start(spot) + 1, spot_end(spot)
    opened = False
    first = True
    while True:
        at = element(data, at, end, first, CLOSE_ARRAY, state)
        if at < 0:
            return False
        if data[at] == CLOSE_ARRAY:
            break
        first = False
        if data[at] != OPEN_OBJECT:
            return False
        event = kind = old_kind = 0
        inner_first = True
        at += 1
        while True:
            at = member(data, at, end, inner_first, state, table)
            if at < 0:
                return False
            inner_first = False
            if state[FIELD] == END_OF_OBJECT:
                break
            if state[FIELD] != LOG_FIELDS or data[at] != OPEN_ARRAY:
                at = skip_value(data, at, end, state)
                if at < 0:
                    return False
                continue
            at += 1
            field_first = True
            while True:
                at = element(data, at, end, field_first, CLOSE_ARRAY, state)
                if at < 0:
                    return False
                if data[at] == CLOSE_ARRAY:
                    at += 1
                    break
                field_first = False
                at = read_tag(data, at, end, state, table)
                if at < 0:
                    return False
                meaning, value, stop = state[HASH], state[VALUE], state[RESUME]
                if meaning == EVENT:
                    event = word_at(data, value, end, state, table)
                elif meaning == EXCEPTION_TYPE or meaning == ERROR_KIND:
                    if data[value] != QUOTE:
                        return False
                    if stop - value > 2 and meaning == EXCEPTION_TYPE:
                        kind = value | (stop << 32)
                    elif stop - value > 2:
                        old_kind = value | (stop << 32)
        if kind == 0:
            kind = old_kind
        if kind and (event == EXCEPTION or event == ERROR_TAG):
            if opened:
                put(text, state, COMMA)
            else:
                say(pieces, words.EVENTS_ARE, text, state)
            opened = True
            say(pieces, words.OPEN_EXCEPTION, text, state)
            put_spot(data, kind, text, state)
            say(pieces, words.CLOSE_EXCEPTION, text, state)
    if opened:
        put(text, state, CLOSE_ARRAY)
    return True


@step
def _microseconds(data: Bytes, spot: int, state: Ints) -> int:
    """Return a whole number of microseconds; -1 if there is none that fits."""
    if spot == 0 or data[spot_start(spot)] == 110:
        return -1
    integer(data, spot_start(spot), spot_end(spot), state)
    value = signed(state[VALUE])
    if state[BAD] or state[INEXACT] or value < 0 or value > _LARGEST_US:
        return -1
    return value


@step
def put_span(
    data: Bytes,
    pieces: Bytes,
    rows: Ints,
    row: int,
    trace: int,
    spare: int,
    text: Bytes,
    state: Ints,
    table: Words,
) -> bool:
    """Write one span; False if anything about it is unusual."""
    apart()
    if rows[row + TRACE]:
        trace = rows[row + TRACE]
    start = _microseconds(data, rows[row + STARTED], state)
    lasted = _microseconds(data, rows[row + LASTED], state)
    usual = start >= 0 and lasted >= 0 and trace != 0 and rows[row + SPAN] != 0
    if not usual or rows[row + PARENT] or rows[row + TAG_MAP]:
        return False
    if data[spot_start(trace)] != QUOTE or spot_end(trace) - spot_start(trace) < 3:
        return False
    parent = parent_reference(data, rows, row, trace, spare, state, table)
    if parent == -2:
        return False
    say(pieces, words.TRACE_ID_IS, text, state)
    put_spot(data, trace, text, state)
    say(pieces, words.SPAN_ID_IS, text, state)
    put_spot(data, rows[row + SPAN], text, state)
    if parent >= 0:
        say(pieces, words.PARENT_IS, text, state)
        put_references(data, pieces, rows, row, parent, False, spare, text, state, table)
    say(pieces, words.NAME_IS, text, state)
    put_string(data, pieces, rows[row + NAME], text, state)
    say(pieces, words.KIND_IS, text, state)
    put_integer(rows[row + KIND], text, state)
    say(pieces, words.START_IS, text, state)
    put_integer(start * 1000, text, state)
    say(pieces, words.END_IS, text, state)
    put_integer((start + lasted) * 1000, text, state)
    say(pieces, words.ATTRIBUTES_ARE, text, state)
    if not put_tags(data, pieces, rows[row + TAGS], False, False, text, state, table):
        return False
    say(pieces, words.STATUS_IS, text, state)
    put_integer(rows[row + STATUS], text, state)
    say(pieces, words.LINKS_ARE, text, state)
    if not put_references(data, pieces, rows, row, parent, True, spare, text, state, table):
        return False
    say(pieces, words.STATE_IS, text, state)
    put_string(data, pieces, rows[row + TRACE_STATE], text, state)
    if not _put_exceptions(data, pieces, rows[row + LOGS], text, state, table):
        return False
    put(text, state, CLOSE_OBJECT)
    return True
