"""The names of OTLP's fields, in both spellings, and the table that finds them by hash."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from tracemap.ingest.kernels.layout import (
    CODE_PREFIX,
    FIELD_CODES,
    FIELD_HASHES,
    KEY_CODES,
    KEY_HASHES,
    PREFIXES,
    PREFIXES_MAX,
    TABLE_SIZE,
    TABLES,
    Words,
)
from tracemap.ingest.kernels.strings import text_hash

(
    RESOURCE_SPANS,
    RESOURCE_FIELD,
    SCOPE_SPANS,
    OLD_SCOPE_SPANS,
    SCOPE_FIELD,
    SPANS_FIELD,
    TRACE_ID,
    SPAN_ID_FIELD,
    PARENT_SPAN_ID,
    TRACE_STATE_FIELD,
    NAME_FIELD,
    KIND_FIELD,
    START_TIME,
    END_TIME,
    ATTRIBUTES,
    EVENTS,
    LINKS_FIELD,
    STATUS_FIELD,
    CODE,
    FLAGS_FIELD,
    DROPPED_COUNT,
    KEY,
    VALUE_FIELD,
    STRING_VALUE,
    BOOL_VALUE,
    INT_VALUE,
    DOUBLE_VALUE,
    ARRAY_VALUE,
    KVLIST_VALUE,
    BYTES_VALUE,
    VALUES,
    RESOURCE_LOGS,
    SCOPE_LOGS,
    LOG_RECORDS,
    RESOURCE_METRICS,
    SCOPE_METRICS,
    METRICS_FIELD,
) = range(1, 38)

_FIELDS = {
    RESOURCE_SPANS: ("resourceSpans", "batches", "trace", "result"),
    RESOURCE_FIELD: ("resource",),
    SCOPE_SPANS: ("scopeSpans",),
    OLD_SCOPE_SPANS: ("instrumentationLibrarySpans", "deprecatedScopeSpans"),
    SCOPE_FIELD: ("scope", "instrumentationLibrary"),
    SPANS_FIELD: ("spans",),
    TRACE_ID: ("traceId",),
    SPAN_ID_FIELD: ("spanId",),
    PARENT_SPAN_ID: ("parentSpanId",),
    TRACE_STATE_FIELD: ("traceState",),
    NAME_FIELD: ("name",),
    KIND_FIELD: ("kind",),
    START_TIME: ("startTimeUnixNano",),
    END_TIME: ("endTimeUnixNano",),
    ATTRIBUTES: ("attributes",),
    EVENTS: ("events",),
    LINKS_FIELD: ("links",),
    STATUS_FIELD: ("status",),
    CODE: ("code",),
    FLAGS_FIELD: ("flags",),
    DROPPED_COUNT: ("droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"),
    KEY: ("key",),
    VALUE_FIELD: ("value",),
    STRING_VALUE: ("stringValue",),
    BOOL_VALUE: ("boolValue",),
    INT_VALUE: ("intValue",),
    DOUBLE_VALUE: ("doubleValue",),
    ARRAY_VALUE: ("arrayValue",),
    KVLIST_VALUE: ("kvlistValue",),
    BYTES_VALUE: ("bytesValue",),
    VALUES: ("values",),
    RESOURCE_LOGS: ("resourceLogs",),
    SCOPE_LOGS: ("scopeLogs",),
    LOG_RECORDS: ("logRecords",),
    RESOURCE_METRICS: ("resourceMetrics",),
    SCOPE_METRICS: ("scopeMetrics",),
    METRICS_FIELD: ("metrics",),
}

KIND_NAMES, STATUS_NAMES = 64, 80
_ENUMERATIONS = {
    KIND_NAMES: (
        "SPAN_KIND_",
        ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"),
    ),
    STATUS_NAMES: ("STATUS_CODE_", ("UNSET", "OK", "ERROR")),
}


def put_word(table: Words, hashes: int, codes: int, text: bytes, code: int) -> None:
    """Add a word and its code to one of the parts of a table."""
    hashed = text_hash(text)
    index = hashed % TABLE_SIZE
    while table[hashes + index]:
        index = (index + 1) % TABLE_SIZE
    table[hashes + index] = hashed
    table[codes + index] = code


def tables(keys: Mapping[str, int], dropped_prefixes: Iterable[str]) -> Words:
    """Return the table of all known words.

    Args:
        keys: Attribute key to its packed code (`layout.CODE_COLUMN` and following).
        dropped_prefixes: Attributes whose key starts with one of these are left out.
    """
    table = np.zeros(TABLES, np.uint64)
    for code, names in _FIELDS.items():
        for name in names:
            snake = re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)
            for spelling in {name, snake}:
                put_word(table, FIELD_HASHES, FIELD_CODES, spelling.encode(), code)
    for first, (prefix, names) in _ENUMERATIONS.items():
        for number, name in enumerate(names):
            for spelling in (name, prefix + name):
                put_word(table, FIELD_HASHES, FIELD_CODES, spelling.encode(), first + number)
    for key, code in keys.items():
        put_word(table, KEY_HASHES, KEY_CODES, key.encode(), code)
    prefixes = sorted(dropped_prefixes)
    if len(prefixes) >= PREFIXES_MAX:
        raise ValueError(len(prefixes))
    for start in sorted({prefix[:8] for prefix in prefixes}):
        put_word(table, KEY_HASHES, KEY_CODES, start.encode(), CODE_PREFIX)
    for index, prefix in enumerate(prefixes):
        table[PREFIXES + 2 * index] = len(prefix)
        table[PREFIXES + 2 * index + 1] = text_hash(prefix.encode())
    return table
