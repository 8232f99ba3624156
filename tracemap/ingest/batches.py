"""A decoded block as a `model.Batch`."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.ingest.block import Block
from tracemap.ingest.kernels.interning import (
    NO_DURATION,
    OUT_DURATION,
    OUT_ERROR,
    OUT_HTTP_STATUS,
    OUT_OPERATION,
    OUT_RESEND,
    OUT_START,
    OUT_WIDTH,
    intern,
)
from tracemap.ingest.kernels.layout import (
    BAD_PROTOBUF,
    BAD_SYNTAX,
    CUT_SHORT,
    FLAGS,
    LINK_ID,
    LINK_SPAN,
    LINK_TRACE_HIGH,
    LINK_TRACE_LOW,
    LOGS,
    METRICS,
    NOT_OTLP,
    PARENT_ID,
    QUALITY,
    REASONS,
    REJECTS_MORE,
    RESOURCE,
    RESOURCE_TEXT,
    SPAN_ID,
    STATUS,
    TEXT_END,
    TEXT_START,
    TRACE_HIGH,
    TRACE_LOW,
    Columns,
    Ints,
)
from tracemap.ingest.kernels.layout import LINKS as LINK_COUNT
from tracemap.ingest.kernels.layout import REJECTS as REJECT_COUNT
from tracemap.ingest.kernels.layout import SPANS as SPAN_COUNT
from tracemap.ingest.operations import error_types, operations
from tracemap.ingest.resources import Resources
from tracemap.ingest.texts import Texts, column
from tracemap.model import LINKS, REJECTS, SPANS, Batch, Quality

_EXCERPT_BYTES = 200
_CUT = REASONS[CUT_SHORT]


def as_batch(block: Block, columns: Columns, resources: Resources) -> Batch:
    """Return what a decoder found in `block` as a batch."""
    state = columns.registers
    count = int(state[SPAN_COUNT])
    skipped = {"logs": int(state[LOGS]), "metrics": int(state[METRICS])}
    batch = Batch(
        rejects=_rejects(block, columns),
        skipped={name: seen for name, seen in skipped.items() if seen},
    )
    if count == 0:
        return batch
    rows = columns.spans[:count]
    texts = Texts(block.data, columns.extra)
    batch.resources, resource_ids = _resources(rows[:, RESOURCE], columns, texts, resources)
    out = np.empty((count, OUT_WIDTH), np.int64)
    weights = np.empty(count, np.float64)
    signatures, numbered, errors = _intern(block, columns, count, out, weights)
    batch.operations, operation_ids, bits = operations(columns.spans, signatures, numbered, texts)
    own = out[:, OUT_OPERATION]
    kinds = error_types(errors, texts)
    error_numbers = pl.Series(out[:, OUT_ERROR])
    duration = pl.Series(out[:, OUT_DURATION])
    http_status = pl.Series(out[:, OUT_HTTP_STATUS])
    offsets = np.append(rows[:, TEXT_START], rows[-1, TEXT_END])
    written = column(columns.text, offsets, rows[:, TEXT_START] < rows[:, TEXT_END])
    batch.spans = SPANS.conform(
        pl.DataFrame(
            {
                "trace_high": _unsigned(rows, TRACE_HIGH),
                "trace_low": _unsigned(rows, TRACE_LOW),
                "span_id": _unsigned(rows, SPAN_ID),
                "parent_id": _unsigned(rows, PARENT_ID),
                "start_ns": out[:, OUT_START],
                "duration_ns": duration.set(duration == NO_DURATION, None),
                "operation_id": operation_ids.gather(own),
                "resource_id": resource_ids,
                "status_code": rows[:, STATUS],
                "flags": rows[:, FLAGS],
                "http_status": http_status.set(http_status < 0, None),
                "resend_count": out[:, OUT_RESEND],
                "error_type": kinds.gather(error_numbers.set(error_numbers < 0, None)),
                "weight": weights,
                "quality": rows[:, QUALITY] | bits.to_numpy()[own],
                "attributes": pl.from_arrow(written),
            }
        )
    )
    if block.mended:
        batch.spans = _with_damage(batch)
    batch.links = _links(columns, rows)
    return batch


def _with_damage(batch: Batch) -> pl.DataFrame:
    """Return the spans of a batch, those marked whose text had to be mended."""
    named = batch.operations["name"].str.contains("\ufffd", literal=True)
    damaged = pl.col("attributes").str.contains("\ufffd", literal=True).fill_null(value=False)
    damaged |= pl.lit(named.gather(batch.spans["operation_id"]))
    return batch.spans.with_columns(
        quality=pl.col("quality") | damaged.cast(pl.UInt32) * int(Quality.TEXT_DAMAGED)
    )


def _unsigned(rows: Ints, at: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.ascontiguousarray(rows[:, at]).view(np.uint64)


def _intern(
    block: Block,
    columns: Columns,
    count: int,
    out: Ints,
    weights: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> tuple[Ints, Ints, Ints]:
    """Number signatures, operations and errors; return one row for each distinct one."""
    width = 1 << (2 * count).bit_length()
    signatures = np.empty(count, np.int64)
    numbered = np.empty((count, 3), np.int64)
    errors = np.empty((count, 2), np.int64)
    counts = np.zeros(3, np.int64)
    intern(
        block.data,
        columns.extra,
        columns.spans,
        count,
        np.full((3, width), -1, np.int64),
        signatures,
        numbered,
        errors,
        out,
        weights,
        columns.registers,
        counts,
    )
    return signatures[: counts[0]], numbered[: counts[1]], errors[: counts[2]]


def _resources(
    numbers: Ints, columns: Columns, texts: Texts, known: Resources
) -> tuple[pl.DataFrame, Ints]:
    """Return the table of the resources that have spans, and the id of each span's."""
    used = np.unique(numbers)
    references = np.where(used < 0, 0, columns.resources[used, RESOURCE_TEXT])
    table, ids = known.table(texts.gather(references).to_pylist())
    return table, np.array(ids, np.int64)[np.searchsorted(used, numbers)]


def _links(columns: Columns, rows: Ints) -> pl.DataFrame:
    links = columns.links[: columns.registers[LINK_COUNT]]
    if not len(links):
        return LINKS.empty()
    spans = rows[links[:, LINK_SPAN]]
    return LINKS.conform(
        pl.DataFrame(
            {
                "trace_high": _unsigned(spans, TRACE_HIGH),
                "trace_low": _unsigned(spans, TRACE_LOW),
                "span_id": _unsigned(spans, SPAN_ID),
                "linked_trace_high": _unsigned(links, LINK_TRACE_HIGH),
                "linked_trace_low": _unsigned(links, LINK_TRACE_LOW),
                "linked_span_id": _unsigned(links, LINK_ID),
            }
        )
    )


def _rejects(block: Block, columns: Columns) -> pl.DataFrame:
    state = columns.registers
    found = [(reject.line, reject.reason, 1, excerpt(reject.excerpt)) for reject in block.rejects]
    found += [_rejected(block, *row) for row in columns.rejects[: state[REJECT_COUNT]].tolist()]
    if state[REJECTS_MORE]:
        line, reason, _, shown = found[-1]
        found.append((line, reason, int(state[REJECTS_MORE]), shown))
    for reason in block.broken:
        # A record that was cut is the one that is missing; it must not count twice.
        if reason != _CUT or not found or found[-1][1] != _CUT:
            found.append((block.first + len(block.bounds), reason, 1, ""))
    return pl.DataFrame(found, schema=REJECTS.schema, orient="row")


def _rejected(
    block: Block, record: int, reason: int, start: int, end: int
) -> tuple[int, str, int, str]:
    """Return the row of a record that the decoder rejected."""
    whole = reason <= NOT_OTLP or reason == BAD_PROTOBUF
    if reason in (CUT_SHORT, BAD_PROTOBUF) and block.cut_short and record + 1 == len(block.bounds):
        reason = CUT_SHORT
    elif reason == CUT_SHORT:
        reason = BAD_SYNTAX
    lost = _spans_in(bytes(block.data[start:end])) if whole else 1
    shown = excerpt(bytes(block.data[start : min(end, start + _EXCERPT_BYTES)]))
    return block.first + record, REASONS[reason], lost, shown


def _spans_in(record: bytes) -> int:
    """Return how many spans a broken JSON record seems to hold, at least 1."""
    return max(1, record.count(b'"startTimeUnixNano"') + record.count(b'"start_time_unix_nano"'))


def excerpt(start: bytes) -> str:
    """Return the first bytes of something as text that a database takes."""
    return start[:_EXCERPT_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
