"""Names that the translating kernels look for, and pieces of OTLP/JSON that they write."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tracemap.ingest.kernels.json_writer import put_piece
from tracemap.ingest.kernels.layout import (
    FIELD_CODES,
    FIELD_HASHES,
    KEY_CODES,
    KEY_HASHES,
    TABLES,
    Bytes,
    Ints,
    Words,
)
from tracemap.ingest.kernels.machine import SLACK, step
from tracemap.ingest.kernels.names import put_word

_written = bytearray()


def _piece(text: str) -> int:
    """Return where a piece of text lies in `PIECES`, and its length."""
    start = len(_written)
    _written.extend(text.encode())
    return start | (len(text) << 16)


OPEN_DOCUMENT = _piece('{"resourceSpans":[')
OPEN_RESOURCE = _piece('{"resource":{"attributes":[')
OPEN_SCOPES = _piece(']},"scopeSpans":[{"scope":{"name":')
NEXT_SCOPE = _piece(']},{"scope":{"name":')
OPEN_SPANS = _piece('},"spans":[')
CLOSE_RESOURCE = _piece("]}]}")
CLOSE_DOCUMENT = _piece("]}")
TRACE_ID_IS = _piece('{"traceId":')
SPAN_ID_IS = _piece(',"spanId":')
PARENT_IS = _piece(',"parentSpanId":')
NAME_IS = _piece(',"name":')
KIND_IS = _piece(',"kind":')
START_IS = _piece(',"startTimeUnixNano":')
END_IS = _piece(',"endTimeUnixNano":')
ATTRIBUTES_ARE = _piece(',"attributes":[')
KEY_IS = _piece('{"key":')
VALUE_IS = _piece(',"value":')
STATUS_IS = _piece('],"status":{"code":')
LINKS_ARE = _piece('},"links":[')
STATE_IS = _piece('],"traceState":')
FLAGS_ARE = _piece(',"flags":')
EVENTS_ARE = _piece(',"events":[')
OPEN_EXCEPTION = _piece(
    '{"name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":'
)
CLOSE_EXCEPTION = _piece("}}]}")
CLOSE_SPAN = _piece("]}")
SERVICE_NAME_IS = _piece('{"key":"service.name","value":')
EMPTY = _piece('""')
TRUE = _piece("true")
FALSE = _piece("false")

PIECES: Bytes = np.frombuffer(bytes(_written) + bytes(SLACK), np.uint8)


@step
def say(pieces: Bytes, piece: int, text: Bytes, state: Ints) -> None:
    """Write one of the pieces above."""
    put_piece(pieces, piece & 0xFFFF, piece >> 16, text, state)


def table_of(fields: Mapping[str, int], keys: Mapping[str, int]) -> Words:
    """Return a table of names of fields, and of keys and other words, with their codes."""
    table = np.zeros(TABLES, np.uint64)
    for name, code in fields.items():
        put_word(table, FIELD_HASHES, FIELD_CODES, name.encode(), code)
    for key, code in keys.items():
        put_word(table, KEY_HASHES, KEY_CODES, key.encode(), code)
    return table
