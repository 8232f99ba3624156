"""How spans that lie in columns are given to the kernel that writes them as OTLP/JSON.

Text stands in one buffer, `data`, behind the `WORDS` the documents are made of; columns of integers
say where. So whatever a table can say is judged by the same rules as what a Collector wrote.
"""

from __future__ import annotations

from tracemap.ingest.kernels.json_scan import COMMA, OPEN_ARRAY
from tracemap.ingest.kernels.json_writer import put, put_piece
from tracemap.ingest.kernels.layout import TEXT, Bytes, Ints
from tracemap.ingest.kernels.machine import step

# Columns of a span. Of what is text: where it starts, and its length.
(
    TRACE_ID, TRACE_ID_LENGTH, SPAN_ID, SPAN_ID_LENGTH, PARENT_ID, PARENT_ID_LENGTH,
    NAME, NAME_LENGTH, SCOPE, SCOPE_LENGTH, STATE, STATE_LENGTH,
    START, END, KIND, STATUS, DROPPED, RECORD, RESOURCE,
    ATTRIBUTES, ATTRIBUTES_END, EVENTS, EVENTS_END, LINKS, LINKS_END,
) = range(25)  # fmt: skip
SPAN_WIDTH = 25
# Columns of a resource, an event, a link.
RESOURCE_ATTRIBUTES, RESOURCE_ATTRIBUTES_END = range(2)
EVENT_NAME, EVENT_NAME_LENGTH, EVENT_ATTRIBUTES, EVENT_ATTRIBUTES_END = range(4)
LINK_TRACE, LINK_TRACE_LENGTH, LINK_SPAN, LINK_SPAN_LENGTH = range(4)
# Columns of an attribute: its key, and what FIRST and SECOND mean.
KEY, KEY_LENGTH, SORT, FIRST, SECOND = range(5)
ATTRIBUTE_WIDTH = 5
ABSENT, NULL, STRING, INTEGER, BOOLEAN, NUMBER, PIECE, ARRAY, OBJECT = range(9)
"""Of STRING (plain text), NUMBER (as it stands), PIECE (JSON of OTLP) and OBJECT (its members, JSON
or as ClickHouse writes maps) start and length, of ARRAY the rows of its elements; ABSENT is left
out."""

WORDS = bytearray()
"""What stands at the start of `data`."""


def _word(text: bytes) -> int:
    start = len(WORDS)
    WORDS.extend(text)
    return start << 8 | len(text)


WORD_DOCUMENT = _word(b'{"resourceSpans":[')
WORD_RESOURCE = _word(b'{"resource":{"attributes":[')
WORD_SCOPE = _word(b']},"scopeSpans":[{"scope":{"name":')
WORD_SPANS = _word(b'},"spans":[')
WORD_RESOURCE_END = _word(b"]}]}")
WORD_DOCUMENT_END = _word(b"]}\n")
WORD_TRACE_ID = _word(b'{"traceId":')
WORD_SPAN_ID = _word(b',"spanId":')
WORD_PARENT_ID = _word(b',"parentSpanId":')
WORD_STATE = _word(b',"traceState":')
WORD_NAME = _word(b',"name":')
WORD_KIND = _word(b',"kind":')
WORD_START = _word(b',"startTimeUnixNano":')
WORD_END = _word(b',"endTimeUnixNano":')
WORD_DROPPED = _word(b',"droppedAttributesCount":')
WORD_STATUS = _word(b',"status":{"code":')
WORD_ATTRIBUTES = _word(b'},"attributes":[')
WORD_EVENTS = _word(b'],"events":[')
WORD_EVENT = _word(b'{"name":"exception","attributes":[')
WORD_EVENT_END = _word(b"]}")
WORD_LINKS = _word(b'],"links":[')
WORD_SPAN_END = _word(b"]}")
WORD_KEY = _word(b'{"key":')
WORD_VALUE = _word(b',"value":')
WORD_VALUES = _word(b'{"arrayValue":{"values":[')
WORD_KEYED_VALUES = _word(b'{"kvlistValue":{"values":[')
WORD_VALUES_END = _word(b"]}}")
WORD_EXCEPTION = _word(b"exception")


@step
def put_word(data: Bytes, word: int, text: Bytes, state: Ints) -> None:
    """Write one of the words."""
    put_piece(data, word >> 8, word & 255, text, state)


@step
def between(text: Bytes, state: Ints) -> None:
    """Write a comma unless a list has just been opened."""
    if text[state[TEXT] - 1] != OPEN_ARRAY:
        put(text, state, COMMA)
