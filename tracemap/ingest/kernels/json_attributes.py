"""OTLP/JSON attributes, rewritten as one JSON object, known keys noted in the span's row.

``[{"key":"a","value":{"intValue":"5"}}]`` becomes ``{"a":5}``. Strings are copied as they stand,
escapes included. Values may nest `ATTRIBUTE_NESTING_MAX` levels; what lies deeper is ``null``.
"""

from __future__ import annotations

import numpy as np

from tracemap.ingest.kernels.json_scan import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    END_OF_OBJECT,
    LONE_SURROGATE,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    element,
    fail,
    key_end,
    member,
    rest_of_object,
    skip_value,
)
from tracemap.ingest.kernels.json_values import plain_value
from tracemap.ingest.kernels.json_writer import end_object, put, put_null, put_quoted
from tracemap.ingest.kernels.layout import (
    ATTRIBUTE_NESTING_MAX,
    BAD_SYNTAX,
    CODE_COLUMN,
    CODE_DROP,
    DEPTH,
    ESCAPED,
    FIELD,
    HASH,
    KEY_START,
    KEY_STOP,
    PUSHED,
    RESUME,
    SAMPLING,
    STACK,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import apart, inlined, load, signed, step
from tracemap.ingest.kernels.names import (
    ARRAY_VALUE,
    BYTES_VALUE,
    DOUBLE_VALUE,
    INT_VALUE,
    KEY,
    KVLIST_VALUE,
    STRING_VALUE,
    VALUE_FIELD,
    VALUES,
)
from tracemap.ingest.kernels.slots import known_key

# A frame of the stack: what sort of list it is, and what has been seen of it.
_KEYED, _SEEN, _WRITTEN = 1, 2, 4


def _eight(text: bytes) -> np.uint64:
    """Return eight bytes as `load` does."""
    return np.uint64(int.from_bytes(text, "little"))


# What exporters write around a key and a value, without any space: two loads tell, where member by
# member they would be looked up. Whatever differs takes the slow way, with the same result.
_KEY_OPENS = _eight(b'{"key":"')
_VALUE_FOLLOWS, _VALUE_FOLLOWS_END = _eight(b'","value'), _eight(b'"value":')
_STRING_OPENS, _STRING_OPENS_END = _eight(b'{"string'), _eight(b'gValue":')
_INTEGER_OPENS, _INTEGER_OPENS_END = _eight(b'{"intVal'), _eight(b'tValue":')


@step
def _locate(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Find key and value of a key-value object whose members come in an unusual order."""
    apart()
    state[KEY_START] = state[KEY_STOP] = 0
    value = 0
    hashed = 0
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        first = False
        if state[FIELD] == END_OF_OBJECT:
            break
        if state[FIELD] == KEY and data[at] == QUOTE and state[KEY_START] == 0:
            state[KEY_START] = at + 1
            at = key_end(data, at, end, state)
            if at < 0:
                return -1
            state[KEY_STOP] = at
            hashed = state[HASH]
            at += 1
            continue
        if state[FIELD] == VALUE_FIELD and value == 0:
            value = at
        at = skip_value(data, at, end, state)
        if at < 0:
            return -1
    state[RESUME] = at
    state[HASH] = hashed
    return value


@step
def key_value(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Return where the value of the key-value object at `at` starts; 0 if it has none.

    The registers KEY_START, KEY_STOP and HASH say what the key is, RESUME where the object ends
    if that is known already, else 0.
    """
    apart()
    start = at
    if data[at] != OPEN_OBJECT:
        return fail(state, BAD_SYNTAX)
    if load(data, at) == _KEY_OPENS:
        state[KEY_START] = at + 8
        at = key_end(data, at + 7, end, state)
        if at < 0:
            return -1
        if (
            load(data, at) == _VALUE_FOLLOWS
            and load(data, at + 2) == _VALUE_FOLLOWS_END
            and signed(data[at + 10]) > 32
            and at + 10 < end
            and state[ESCAPED] != LONE_SURROGATE
        ):
            state[KEY_STOP] = at
            state[RESUME] = 0
            return at + 10
        at = start
    at = member(data, at + 1, end, True, state, table)
    if at < 0:
        return -1
    if state[FIELD] == KEY and data[at] == QUOTE:
        state[KEY_START] = at + 1
        at = key_end(data, at, end, state)
        if at < 0:
            return -1
        state[KEY_STOP] = at
        hashed = state[HASH]
        escaped = state[ESCAPED]
        at = member(data, at + 1, end, False, state, table)
        if at < 0:
            return -1
        if state[FIELD] == VALUE_FIELD and escaped != LONE_SURROGATE:
            state[HASH] = hashed
            state[RESUME] = 0
            return at
    return _locate(data, start, end, state, table)


@inlined
def _list_start(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Return the position behind the bracket that opens the list in an array or key-value list.

    0 if there is no list in it; then RESUME is the position behind the object.
    """
    if data[at] != OPEN_OBJECT:
        at = skip_value(data, at, end, state)
        state[RESUME] = at
        return min(at, 0)
    first = True
    at += 1
    while True:
        at = member(data, at, end, first, state, table)
        if at < 0:
            return -1
        if state[FIELD] == END_OF_OBJECT:
            state[RESUME] = at
            return 0
        if state[FIELD] == VALUES and data[at] == OPEN_ARRAY:
            return at + 1
        at = skip_value(data, at, end, state)
        if at < 0:
            return -1
        first = False


@step
def _nested(
    data: Bytes, at: int, end: int, keyed: bool, text: Bytes, state: Ints, table: Words
) -> int:
    """Enter the list at `at` (PUSHED is set), or write that it is empty or too deep."""
    apart()
    if state[DEPTH] >= ATTRIBUTE_NESTING_MAX:
        put_null(text, state)
        return skip_value(data, at, end, state)
    at = _list_start(data, at, end, state, table)
    if at < 0:
        return -1
    put(text, state, OPEN_OBJECT if keyed else OPEN_ARRAY)
    if at == 0:
        put(text, state, CLOSE_OBJECT if keyed else CLOSE_ARRAY)
        return signed(state[RESUME])
    state[DEPTH] += 1
    state[STACK + 2 * state[DEPTH]] = _KEYED if keyed else 0
    state[PUSHED] = 1
    return at


@inlined
def _tag_end(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Return where the value starts whose tag is the first member of the object at `at`."""
    word = load(data, at)
    if word == _STRING_OPENS and load(data, at + 7) == _STRING_OPENS_END:
        if at + 15 < end and signed(data[at + 15]) > 32:
            state[FIELD] = STRING_VALUE
            return at + 15
    elif word == _INTEGER_OPENS and load(data, at + 4) == _INTEGER_OPENS_END:
        if at + 12 < end and signed(data[at + 12]) > 32:
            state[FIELD] = INT_VALUE
            return at + 12
    return member(data, at + 1, end, True, state, table)


@inlined
def _any_value(
    data: Bytes,
    at: int,
    end: int,
    code: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    state: Ints,
    table: Words,
) -> int:
    """Write the tagged value at `at`; for a list only its opening bracket (PUSHED is set)."""
    state[PUSHED] = 0
    if data[at] != OPEN_OBJECT:
        if data[at] == OPEN_ARRAY:
            put_null(text, state)
            return skip_value(data, at, end, state)
        state[FIELD] = STRING_VALUE
        return plain_value(data, at, end, code, text, extra, spans, row, state)
    at = _tag_end(data, at, end, state, table)
    while at >= 0:
        field = state[FIELD]
        if field == END_OF_OBJECT:
            put_null(text, state)
            return at
        if field == ARRAY_VALUE or field == KVLIST_VALUE:
            at = _nested(data, at, end, field == KVLIST_VALUE, text, state, table)
            if at < 0 or state[PUSHED]:
                return at
            break
        scalar = data[at] != OPEN_OBJECT and data[at] != OPEN_ARRAY
        if scalar and STRING_VALUE <= field <= BYTES_VALUE:
            if field == BYTES_VALUE or (field == DOUBLE_VALUE and code & CODE_COLUMN != SAMPLING):
                code &= ~CODE_COLUMN
            at = plain_value(data, at, end, code, text, extra, spans, row, state)
            break
        at = skip_value(data, at, end, state)
        if at >= 0:
            at = member(data, at, end, False, state, table)
    if at < 0:
        return -1
    return rest_of_object(data, at, end, False, state, table)


@inlined
def _close_list(data: Bytes, at: int, end: int, text: Bytes, state: Ints, table: Words) -> int:
    """Finish the list whose bracket closes at `at`, and what it was the value of."""
    frame = state[STACK + 2 * state[DEPTH]]
    put(text, state, CLOSE_OBJECT if frame & _KEYED else CLOSE_ARRAY)
    state[DEPTH] -= 1
    at = rest_of_object(data, at + 1, end, False, state, table)
    if at >= 0:
        at = rest_of_object(data, at, end, False, state, table)
    return at


@step
def _after_value(data: Bytes, at: int, end: int, state: Ints, table: Words) -> int:
    """Finish the key-value object, if the value just written was in one."""
    slot = STACK + 2 * state[DEPTH]
    if state[slot] & _KEYED == 0:
        return at
    if state[slot + 1]:
        return signed(state[slot + 1])
    return rest_of_object(data, at, end, False, state, table)


@step
def _write_key(data: Bytes, text: Bytes, state: Ints) -> None:
    slot = STACK + 2 * state[DEPTH]
    if state[slot] & _WRITTEN:
        put(text, state, COMMA)
    state[slot] |= _WRITTEN
    if state[slot] & _KEYED:
        state[ESCAPED] = LONE_SURROGATE if state[RESUME] else 0
        put_quoted(data, state[KEY_START], state[KEY_STOP], text, state)
        put(text, state, COLON)


@step
def attributes(
    data: Bytes,
    at: int,
    end: int,
    text: Bytes,
    extra: Bytes,
    spans: Ints,
    row: int,
    state: Ints,
    table: Words,
) -> int:
    """Write the attributes whose list opens at `at` as a JSON object to `text`.

    Known keys are noted in row `row` of `spans` (-1: nowhere). An attribute without a key is
    left out, as are those whose key says that they hold a secret.
    """
    apart()
    state[DEPTH] = 0
    state[STACK] = _KEYED
    put(text, state, OPEN_OBJECT)
    at += 1
    while at >= 0:
        slot = STACK + 2 * state[DEPTH]
        keyed = state[slot] & _KEYED
        close = CLOSE_ARRAY
        at = element(data, at, end, state[slot] & _SEEN == 0, close, state)
        if at < 0:
            break
        if data[at] == close:
            if state[DEPTH] == 0:
                end_object(text, state)
                return at + 1
            at = _close_list(data, at, end, text, state, table)
            if at >= 0:
                at = _after_value(data, at, end, state, table)
            continue
        state[slot] |= _SEEN
        code = 0
        if keyed:
            at = key_value(data, at, end, state, table)
            if at < 0:
                break
            state[slot + 1] = state[RESUME]
            length = state[KEY_STOP] - state[KEY_START]
            if state[DEPTH] == 0:
                hashed = np.uint64(state[HASH])
                code = known_key(data, state[KEY_START], length, hashed, table)
            if length == 0 or code & CODE_DROP:
                if at > 0:
                    at = skip_value(data, at, end, state)
                if at >= 0:
                    at = _after_value(data, at, end, state, table)
                continue
        _write_key(data, text, state)
        if at == 0:
            put_null(text, state)
            at = state[RESUME]
            continue
        at = _any_value(data, at, end, code, text, extra, spans, row, state, table)
        if at >= 0 and state[PUSHED] == 0:
            at = _after_value(data, at, end, state, table)
    return -1
