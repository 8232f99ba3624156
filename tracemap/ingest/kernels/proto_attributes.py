"""OTLP protobuf attributes, written as members of one JSON object; known keys are noted.

The text is the same as that of `json_attributes` for the same attributes.
"""

from __future__ import annotations

from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    OPEN_ARRAY,
    OPEN_OBJECT,
)
from tracemap.ingest.kernels.json_writer import (
    put,
    put_base64,
    put_boolean,
    put_double,
    put_integer,
    put_marked_double,
    put_null,
    put_string,
)
from tracemap.ingest.kernels.layout import (
    ATTRIBUTE_NESTING_MAX,
    CODE_COLUMN,
    CODE_DROP,
    CODE_URL,
    DEPTH,
    DOUBLES,
    EXTRA,
    FIELD,
    KEY_START,
    KEY_STOP,
    PUSHED,
    SAMPLING,
    STACK,
    TEXT,
    VALUE,
    VALUE_LENGTH,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, inlined, signed, step
from tracemap.ingest.kernels.proto_wire import after, field, text_reference
from tracemap.ingest.kernels.slots import clean_url, known_key, note_reference, note_value, url_end
from tracemap.ingest.kernels.strings import IN_EXTRA, hash_bytes

KEY, VALUE_MESSAGE = 1 * 8 + 2, 2 * 8 + 2
STRING, BOOLEAN, INTEGER, DOUBLE = 1 * 8 + 2, 2 * 8 + 0, 3 * 8 + 0, 4 * 8 + 1
ARRAY, KEY_VALUES, RAW = 5 * 8 + 2, 6 * 8 + 2, 7 * 8 + 2
ELEMENT = 1 * 8 + 2

# A frame of the stack: where the list goes on, where it ends, and what has been seen of it.
_AT, _END, _SORT = range(3)
_KEYED, _WRITTEN = 1, 4


@step
def key_value(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Find key and value of the key-value message in ``data[at:end]``.

    KEY_START and KEY_STOP say where the key is; the position of the value is returned, 0 if it has
    none, and its length is VALUE_LENGTH.
    """
    apart()
    state[KEY_START] = state[KEY_STOP] = at
    value = 0
    length = 0
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        if state[FIELD] == KEY:
            state[KEY_START] = at
            state[KEY_STOP] = at + state[VALUE]
        elif state[FIELD] == VALUE_MESSAGE:
            value = at
            length = state[VALUE]
        at = after(at, state)
    state[VALUE_LENGTH] = length
    return value


@step
def any_value(data: Bytes, at: int, end: int, state: Ints) -> int:
    """Find what the tagged value in ``data[at:end]`` holds.

    FIELD is the field (0: none), VALUE the number or length; where bytes start is returned.
    """
    apart()
    found = start = value = 0
    while at < end:
        at = field(data, at, end, state)
        if at < 0:
            return -1
        if state[FIELD] & ~7 <= RAW:
            found = state[FIELD]
            start = at
            value = state[VALUE]
        at = after(at, state)
    state[FIELD] = found
    state[VALUE] = value
    return start


@step
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
    apart()
    if code & CODE_URL:
        end = url_end(data, start, end)
        at = state[EXTRA]
        stop = clean_url(data, start, end, extra, at)
        if stop != at:
            state[EXTRA] = stop
            put_string(extra, at, stop, text, state)
            if row >= 0:
                copied = text_reference(extra, at, stop, extra, state)
                note_reference(spans, row, code, copied | IN_EXTRA if copied else 0)
            return
    put_string(data, start, end, text, state)
    if code & CODE_COLUMN and row >= 0:
        note_reference(spans, row, code, text_reference(data, start, end, extra, state))


@step
def _leave_double(row: int, text: Bytes, doubles: Ints, state: Ints) -> None:
    """Leave writing a number to Python: of a span its place is noted, of a resource it is marked.

    The text of a resource moves, so that places in it would not hold.
    """
    if row < 0:
        put_marked_double(state[VALUE], text, state)
        return
    entry = state[DOUBLES] * 2
    doubles[entry] = state[TEXT]
    doubles[entry + 1] = state[VALUE]
    state[DOUBLES] += 1


@step
def _number(
    code: int, text: Bytes, extra: Bytes, spans: Ints, row: int, doubles: Ints, state: Ints
) -> None:
    """Write the boolean, integer or double in FIELD and VALUE, and note it if its key is known."""
    apart()
    before = state[TEXT]
    if state[FIELD] == INTEGER:
        put_integer(state[VALUE], text, state)
    elif state[FIELD] == BOOLEAN:
        put_boolean(state[VALUE], text, state)
    elif not put_double(state[VALUE], text, state):
        _leave_double(row, text, doubles, state)
    if code & CODE_COLUMN and row >= 0:
        after_number = state[TEXT]
        if state[FIELD] == DOUBLE:
            if code & CODE_COLUMN != SAMPLING:
                return
            if after_number == before:
                put_marked_double(state[VALUE], text, state)
        at = state[EXTRA]
        length = state[TEXT] - before
        for index in range(length):
            extra[at + index] = text[before + index]
        state[EXTRA] = at + length
        state[TEXT] = after_number
        note_value(spans, row, code, at, length, IN_EXTRA)


@step
def _value(
    data: Bytes,
    at: int,
    end: int,
    code: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    doubles: Ints,
    state: Ints,
) -> int:
    """Write the tagged value in ``data[at:end]``; of a list the opening bracket (PUSHED is set)."""
    apart()
    state[PUSHED] = 0
    start = any_value(data, at, end, state)
    if start < 0:
        return -1
    found = state[FIELD]
    length = state[VALUE]
    if found == STRING:
        _string(data, start, start + length, code, text, extra, spans, row, state)
    elif found == INTEGER or found == BOOLEAN or found == DOUBLE:
        _number(code, text, extra, spans, row, doubles, state)
    elif found == RAW:
        put_base64(data, start, start + length, text, state)
    elif (found == ARRAY or found == KEY_VALUES) and state[DEPTH] < ATTRIBUTE_NESTING_MAX:
        keyed = found == KEY_VALUES
        put(text, state, OPEN_OBJECT if keyed else OPEN_ARRAY)
        state[DEPTH] += 1
        frame = STACK + 3 * state[DEPTH]
        state[frame + _AT] = start
        state[frame + _END] = start + length
        state[frame + _SORT] = _KEYED if keyed else 0
        state[PUSHED] = 1
    else:
        put_null(text, state)
    return start


@inlined
def _lists(
    data: Bytes,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    doubles: Ints,
    state: Ints,
) -> int:
    """Write what is in the lists on the stack, innermost first, until all are closed."""
    while state[DEPTH] > 0:
        frame = STACK + 3 * state[DEPTH]
        at = state[frame + _AT]
        keyed = state[frame + _SORT] & _KEYED
        if at >= state[frame + _END]:
            put(text, state, CLOSE_OBJECT if keyed else CLOSE_ARRAY)
            state[DEPTH] -= 1
            continue
        at = field(data, at, state[frame + _END], state)
        if at < 0:
            return -1
        length = state[VALUE]
        state[frame + _AT] = after(at, state)
        if state[FIELD] != ELEMENT:
            continue
        if keyed:
            at = key_value(data, at, at + length, state)
            length = state[VALUE_LENGTH]
            if at < 0:
                return -1
            if state[KEY_START] == state[KEY_STOP]:
                continue
        if state[frame + _SORT] & _WRITTEN:
            put(text, state, COMMA)
        state[frame + _SORT] |= _WRITTEN
        if keyed:
            put_string(data, state[KEY_START], state[KEY_STOP], text, state)
            put(text, state, COLON)
        if _value(data, at, at + length, 0, text, extra, spans, row, doubles, state) < 0:
            return -1
    return 0


@step
def _short_string(data: Bytes, at: int, end: int) -> int:
    """Return where the value starts if ``data[at:end]`` is a key and a string, both short; else 0.

    Most attributes are that, key first, with lengths of one byte: seeing it at one glance is a
    third faster than reading field by field.
    """
    if end - at < 6 or data[at] != KEY or data[at + 1] >= 0x80:
        return 0
    value = at + 2 + signed(data[at + 1])
    if value + 4 > end or data[value] != VALUE_MESSAGE or data[value + 2] != STRING:
        return 0
    length = signed(data[value + 3])
    if length > 125 or data[value + 1] != length + 2 or value + 4 + length != end:
        return 0
    return value + 4


@step
def attribute(
    data: Bytes,
    at: int,
    end: int,
    first: bool,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    doubles: Ints,
    state: Ints,
    table: Words,
) -> int:
    """Write the attribute in ``data[at:end]`` as a member of the object at the end of `text`.

    The first one opens the object; the caller closes it. An attribute without a key is left out,
    as are those whose key says that they hold a secret.
    """
    apart()
    value = _short_string(data, at, end)
    short = value > 0
    if short:
        state[KEY_START] = at + 2
        state[KEY_STOP] = value - 4
    else:
        value = key_value(data, at, end, state)
        if value < 0:
            return -1
    length = state[VALUE_LENGTH]
    start = state[KEY_START]
    size = state[KEY_STOP] - start
    hashed = hash_bytes(data, start, size)
    code = known_key(data, start, size, hashed, table)
    if first:
        put(text, state, OPEN_OBJECT)
    if size == 0 or code & CODE_DROP:
        return 0
    if text[state[TEXT] - 1] != OPEN_OBJECT:
        put(text, state, COMMA)
    put_string(data, start, state[KEY_STOP], text, state)
    put(text, state, COLON)
    if short:
        _string(data, value, end, code, text, extra, spans, row, state)
        return 0
    state[DEPTH] = 0
    if _value(data, value, value + length, code, text, extra, spans, row, doubles, state) < 0:
        return -1
    return _lists(data, text, extra, spans, row, doubles, state)
