"""A decoded block as a `model.Batch`."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.ingest.block import Block
from tracemap.ingest.kernels.interning import (
    NO_DURATION,
    OUT_COLUMNS,
    OUT_DURATION,
    OUT_ERROR,
    OUT_FLAGS,
    OUT_HTTP_STATUS,
    OUT_OPERATION,
    OUT_PARENT_ID,
    OUT_QUALITY,
    OUT_RESEND,
    OUT_RESOURCE,
    OUT_SPAN_ID,
    OUT_START,
    OUT_STATUS,
    OUT_TEXT_END,
    OUT_TEXT_START,
    OUT_TRACE_HIGH,
    OUT_TRACE_LOW,
    intern,
)
from tracemap.ingest.kernels.layout import (
    BEFORE_LOGS,
    BEFORE_METRICS,
    BEFORE_SPANS,
    LINK_ID,
    LINK_SPAN,
    LINK_TRACE_HIGH,
    LINK_TRACE_LOW,
    LOGS,
    METRICS,
    RESOURCE_TEXT,
    Columns,
    Ints,
)
from tracemap.ingest.kernels.layout import LINKS as LINK_COUNT
from tracemap.ingest.kernels.layout import SPANS as SPAN_COUNT
from tracemap.ingest.operations import error_types, operations
from tracemap.ingest.rejected import rejected_of
from tracemap.ingest.resources import Resources
from tracemap.ingest.sampling import note_weights
from tracemap.ingest.texts import Texts, column
from tracemap.model import LINKS, SPANS, Batch, ParcelBatch, Quality


def as_batch(block: Block, columns: Columns, resources: Resources) -> Batch:
    """Return what a decoder found in `block` as a batch; of joined blocks, as a parcel's."""
    batch = _without_spans(block, columns)
    count = int(columns.registers[SPAN_COUNT])
    if count == 0:
        return batch
    rows = columns.spans[:count]
    texts = Texts(block.data, columns.extra)
    out = np.empty((OUT_COLUMNS, count), np.int64)
    weights = np.empty(count, np.float64)
    signatures, numbered, errors = _intern(block, columns, count, out, weights)
    note_weights(rows, texts, out[OUT_QUALITY], weights)
    batch.resources, resource_ids = _resources(out[OUT_RESOURCE], columns, texts, resources)
    batch.operations, operation_ids, bits = operations(columns.spans, signatures, numbered, texts)
    own = out[OUT_OPERATION]
    kinds = error_types(errors, texts)
    error_numbers = pl.Series(out[OUT_ERROR])
    duration = pl.Series(out[OUT_DURATION])
    http_status = pl.Series(out[OUT_HTTP_STATUS])
    offsets = np.append(out[OUT_TEXT_START], out[OUT_TEXT_END, -1])
    written = column(columns.text, offsets, out[OUT_TEXT_START] < out[OUT_TEXT_END])
    batch.spans = SPANS.conform(
        pl.DataFrame(
            {
                "trace_high": out[OUT_TRACE_HIGH].view(np.uint64),
                "trace_low": out[OUT_TRACE_LOW].view(np.uint64),
                "span_id": out[OUT_SPAN_ID].view(np.uint64),
                "parent_id": out[OUT_PARENT_ID].view(np.uint64),
                "start_ns": out[OUT_START],
                "duration_ns": duration.set(duration == NO_DURATION, None),
                "operation_id": operation_ids.gather(own),
                "resource_id": resource_ids,
                "status_code": out[OUT_STATUS],
                "flags": out[OUT_FLAGS],
                "http_status": http_status.set(http_status < 0, None),
                "resend_count": out[OUT_RESEND],
                "error_type": kinds.gather(error_numbers.set(error_numbers < 0, None)),
                "weight": weights,
                "quality": out[OUT_QUALITY] | bits.to_numpy()[own],
                "attributes": pl.from_arrow(written),
            }
        )
    )
    if block.mended is not None:
        batch.spans = _with_damage(batch, block.mended[_records(columns)])
    batch.links = _links(columns, out)
    return batch


def _without_spans(block: Block, columns: Columns) -> Batch:
    """Return the batch of a block without its spans: what was rejected or skipped, and of whom."""
    rejects, reject_files = rejected_of(block, columns)
    before, state = columns.before, columns.registers
    counts = {
        "logs": np.diff(before[:, BEFORE_LOGS], append=state[LOGS]),
        "metrics": np.diff(before[:, BEFORE_METRICS], append=state[METRICS]),
    }
    skipped = {name: int(seen.sum()) for name, seen in counts.items() if seen.any()}
    if block.parts is None:
        return Batch(rejects=rejects, skipped=skipped)
    owners = block.owners()
    of_file = np.bincount(owners, sum(counts.values()), len(block.parts)).astype(np.int64)
    return ParcelBatch(
        rejects=rejects,
        skipped=skipped,
        span_files=owners[_records(columns)],
        reject_files=reject_files,
        skipped_of=of_file,
    )


def _records(columns: Columns) -> Ints:
    """Return the record that each span is of."""
    before, count = columns.before[:, BEFORE_SPANS], columns.registers[SPAN_COUNT]
    return np.repeat(np.arange(len(before)), np.diff(before, append=count))


def _with_damage(batch: Batch, mended: NDArray[np.bool_]) -> pl.DataFrame:
    """Return the spans of a batch, those marked whose text had to be mended.

    Args:
        batch: The batch.
        mended: For each span whether text of its record was.
    """
    named = batch.operations["name"].str.contains("\ufffd", literal=True)
    damaged = pl.col("attributes").str.contains("\ufffd", literal=True).fill_null(value=False)
    damaged |= pl.lit(named.gather(batch.spans["operation_id"]))
    damaged &= pl.lit(pl.Series(mended))
    return batch.spans.with_columns(
        quality=pl.col("quality") | damaged.cast(pl.UInt32) * int(Quality.TEXT_DAMAGED)
    )


def _unsigned(rows: Ints, at: int) -> NDArray[np.uint64]:
    """Return a column by itself: the next block is decoded into the same rows."""
    return rows[:, at].copy().view(np.uint64)


def _intern(
    block: Block,
    columns: Columns,
    count: int,
    out: Ints,
    weights: NDArray[np.float64],
) -> tuple[Ints, Ints, Ints]:
    """Number signatures, operations and errors; return one row for each distinct one."""
    width = 1 << (2 * count).bit_length()
    indexes = np.full((3, width), -1, np.int64)
    signatures = np.empty(count, np.int64)
    numbered = np.empty((count, 3), np.int64)
    errors = np.empty((count, 2), np.int64)
    counts = np.zeros(3, np.int64)
    intern(
        block.data,
        columns.extra,
        columns.extra.size,
        columns.spans,
        count,
        indexes[0],
        indexes[1],
        indexes[2],
        width - 1,
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
    # Most have been seen before, in a row: counting is far cheaper than sorting. -1: none at all.
    counts = np.bincount(numbers + 1, minlength=1)
    used = np.flatnonzero(counts) - 1
    references = np.where(used < 0, 0, columns.resources[used, RESOURCE_TEXT])
    table, ids = known.table(texts.gather(references).to_pylist())
    id_of = np.empty(counts.size, np.int64)
    id_of[used + 1] = ids
    return table, id_of[numbers + 1]


def _links(columns: Columns, out: Ints) -> pl.DataFrame:
    links = columns.links[: columns.registers[LINK_COUNT]]
    if not len(links):
        return LINKS.empty()
    spans = links[:, LINK_SPAN]
    return LINKS.conform(
        pl.DataFrame(
            {
                "trace_high": out[OUT_TRACE_HIGH, spans].view(np.uint64),
                "trace_low": out[OUT_TRACE_LOW, spans].view(np.uint64),
                "span_id": out[OUT_SPAN_ID, spans].view(np.uint64),
                "linked_trace_high": _unsigned(links, LINK_TRACE_HIGH),
                "linked_trace_low": _unsigned(links, LINK_TRACE_LOW),
                "linked_span_id": _unsigned(links, LINK_ID),
            }
        )
    )
