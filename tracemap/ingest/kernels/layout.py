"""What a decoder writes: one row of integers a span, references to text, counters.

Both decoders (JSON, protobuf) fill the same rows, so everything after them is shared. A
*reference* packs where a piece of text lies into one Int64: offset (32 bits), which buffer
(1 bit: 0 the block as read, 1 `extra`, where unescaped text is put), length (25 bits), and the
rank of the attribute key it came from (5 bits, smaller wins). 0 means absent or empty.
"""

from __future__ import annotations

from threading import local
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int64]
Words: TypeAlias = NDArray[np.uint64]
Doubles: TypeAlias = NDArray[np.float64]

# Columns of a span's row.
TRACE_HIGH, TRACE_LOW, SPAN_ID, PARENT_ID, START, END, FLAGS, KIND = range(8)
STATUS, QUALITY, RESOURCE, SCOPE, NAME, TRACE_STATE, TEXT_START, TEXT_END = range(8, 16)
FIRST_SLOT = 16

SLOTS = (
    # what distinguishes operations; `interning` compares all of these
    "http_method", "http_route", "url_template", "url_path", "rpc_system", "rpc_service",
    "rpc_method", "db_system", "db_namespace", "db_collection", "db_summary", "db_operation",
    "db_procedure", "messaging_system", "messaging_destination", "messaging_volatile",
    "messaging_type", "messaging_operation", "genai_system", "genai_operation", "peer_service",
    "server_address", "server_port", "http_host", "socket_address", "graphql_type",
    "graphql_name", "faas_name", "faas_trigger", "cloud_resource",
    # what is a span's own
    "url", "http_status", "resend", "error_type", "exception_type", "rpc_status",
    "sampling", "sampler_type",
)  # fmt: skip
"""Canonical attributes; the keys that feed them stand in `tracemap.ingest.semconv`."""


def slot(name: str) -> int:
    """Return the column of a span's row that holds the reference of a canonical attribute."""
    return FIRST_SLOT + SLOTS.index(name)


SIGNATURE_SLOTS = SLOTS.index("url")
MESSAGING_DESTINATION = slot("messaging_destination")
MESSAGING_VOLATILE = slot("messaging_volatile")
URL = slot("url")
HTTP_ROUTE = slot("http_route")
URL_TEMPLATE = slot("url_template")
URL_PATH = slot("url_path")
SERVER_ADDRESS = slot("server_address")
SERVER_PORT = slot("server_port")
HTTP_STATUS = slot("http_status")
RESEND = slot("resend")
ERROR_TYPE = slot("error_type")
EXCEPTION_TYPE = slot("exception_type")
RPC_STATUS = slot("rpc_status")
SAMPLING = slot("sampling")
SAMPLER_TYPE = slot("sampler_type")
WIDTH = FIRST_SLOT + len(SLOTS)

# Columns of a link's row, of a resource's row, of a reject's row.
LINK_SPAN, LINK_TRACE_HIGH, LINK_TRACE_LOW, LINK_ID = range(4)
RESOURCE_HASH, RESOURCE_START, RESOURCE_LENGTH, RESOURCE_TEXT = range(4)
REJECT_RECORD, REJECT_REASON, REJECT_START, REJECT_END = range(4)
REJECTS_MAX = 1000
# Columns of what had been counted before a record.
BEFORE_SPANS, BEFORE_LOGS, BEFORE_METRICS = range(3)

REASONS = (
    "",
    "bad_json",
    "truncated_tail",
    "nested_too_deep",
    "not_otlp",
    "trace_id_missing",
    "trace_id_invalid",
    "span_id_missing",
    "span_id_invalid",
    "time_invalid",
    "bad_protobuf",
    "not_a_span",
)
"""Why a record was rejected, by the number a kernel writes."""
(
    BAD_SYNTAX,
    CUT_SHORT,
    TOO_DEEP,
    NOT_OTLP,
    TRACE_ID_MISSING,
    TRACE_ID_INVALID,
    SPAN_ID_MISSING,
    SPAN_ID_INVALID,
    TIME_INVALID,
    BAD_PROTOBUF,
    NOT_A_SPAN,
) = range(1, len(REASONS))

# Bits of `model.Quality` that a kernel sets.
BAD_ID = 1
PRECISION_LOST = 1024
DROPPED_COUNTS = 524288
TRACE_PARTIAL = 2097152
TEXT_DAMAGED = 8388608

# Counters and registers that the functions of a kernel share.
# The first SAVED of them count what a record gave, and go back if it is rejected.
(
    SPANS,
    LINKS,
    REJECTS,
    TEXT,
    LOGS,
    METRICS,
    DOUBLES,
    REJECTS_MORE,
    RESOURCES,
    EXTRA,
    ERROR,
    FIELD,
    ESCAPED,
    HASH,
    VALUE,
    VALUE_LENGTH,
    PLAIN,
    DEPTH,
    CURRENT_RESOURCE,
    CURRENT_SCOPE,
    BAD,
    KNOWN,
    DAMAGED,
    HIGH,
    LOW,
    KEY_START,
    KEY_STOP,
    RESUME,
    PUSHED,
    RECORD,
    INEXACT,
) = range(31)
SAVED = 8
FIRST_SAVED = 32
NESTING_MAX = 512
ATTRIBUTE_NESTING_MAX = 64
STACK = FIRST_SAVED + SAVED
FRAMES = STACK + 3 * (ATTRIBUTE_NESTING_MAX + 2)
FRAME_SIZE = 6
FRAMES_MAX = 16
REGISTERS = FRAMES + FRAME_SIZE * (FRAMES_MAX + 1)
RESOURCE_INDEX_SIZE = 1 << 16

TABLE_SIZE = 1024
FIELD_HASHES, FIELD_CODES = 0, TABLE_SIZE
KEY_HASHES, KEY_CODES = 2 * TABLE_SIZE, 3 * TABLE_SIZE
PREFIXES = 4 * TABLE_SIZE
PREFIXES_MAX = 32
TABLES = PREFIXES + 2 * PREFIXES_MAX

# What a known attribute key says, packed: column, rank, and what to do with the value.
CODE_COLUMN = 0xFF
CODE_RANK_SHIFT = 8
CODE_DROP = 1 << 16
CODE_URL = 1 << 17
CODE_PREFIX = 1 << 18


class Columns(NamedTuple):
    """Everything a decoder gives for one block; counts stand in `registers`."""

    spans: Ints
    links: Ints
    resources: Ints
    rejects: Ints
    text: Bytes
    extra: Bytes
    doubles: Ints
    before: Ints
    registers: Ints


class _Kept(local):
    """What a thread keeps from block to block: memory that is new costs more than to fill it."""

    def __init__(self) -> None:
        self.rows: dict[str, Ints] = {}


_KEPT = _Kept()
_KEPT_ROWS_MAX = 1 << 26


def room(name: str, rows: int, width: int) -> Ints:
    """Return room for rows, with anything in it: that of the last block again, if it is enough.

    Args:
        name: What it is for; a thread has one at a time of each.
        rows: How many rows; more than a block of usual size can have are not kept.
        width: Columns of a row.
    """
    kept = _KEPT.rows.get(name)
    if kept is None or len(kept) < rows:
        kept = np.empty((rows, width), np.int64)
        if rows <= _KEPT_ROWS_MAX:
            _KEPT.rows[name] = kept
    return kept[:rows]


def columns(size_bytes: int, slack: int, *, records: int, spans_max: int | None = None) -> Columns:
    """Return empty columns with room for whatever a block of `size_bytes` can hold.

    The bounds follow from the shortest encoding of each row. Nothing is touched before it is
    used, so the operating system gives memory only for what is there. All but `text` is `room` that
    the next block of the same thread gets again.

    Args:
        size_bytes: Size of the block.
        slack: Bytes that are spoilt behind the end of a piece of text.
        records: How many records the block has.
        spans_max: How many spans it holds at most, if that is known any better.
    """
    rows = min(size_bytes // 24, spans_max if spans_max is not None else size_bytes) + 2
    zeros = np.zeros(REGISTERS, np.int64)
    return Columns(
        spans=room("spans", rows, WIDTH),
        links=room("links", size_bytes // 20 + 2, 4),
        resources=room("resources", size_bytes // 4 + 2, 4),
        rejects=np.empty((REJECTS_MAX, 4), np.int64),
        text=np.empty(6 * size_bytes + slack, np.uint8),
        extra=room("extra", size_bytes + slack // 8 + 1, 1).reshape(-1).view(np.uint8),
        doubles=room("doubles", size_bytes // 9 + 2, 2),
        before=np.empty((records, 3), np.int64),
        registers=zeros,
    )
