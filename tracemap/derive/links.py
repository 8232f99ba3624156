"""Span links whose both ends are known, as arrays beside the spans of a bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bytes, Ints, Rows
from tracemap.derive.spans import UNKNOWN_DURATION, Spans, linked_columns
from tracemap.model import TraceBucket


@dataclass(frozen=True)
class Links:
    """Links, sorted by row; each array has one item a link.

    Attributes:
        row: Row of the span that carries the link.
        target: Row of the span it points at if that is in the same trace, else -1.
        end: When the linked span ended; `UNKNOWN_DURATION`: not known.
        kind, message, peer_kind, peer, service, operation: Of the linked span, as in `Spans`.
    """

    row: Rows
    target: Rows
    end: Ints
    kind: Bytes
    message: Bytes
    peer_kind: Bytes
    peer: Rows
    service: Rows
    operation: Rows


def links(spans: Spans, bucket: TraceBucket) -> Links:
    """Return the links of the spans in `spans`; a link given twice counts once.

    Links whose span is not in `spans` (its trace lies outside the windows) are left out.
    """
    if bucket.linked_spans.is_empty():
        return _none()
    here = pl.DataFrame(
        {
            "trace_high": spans.trace_high,
            "trace_low": spans.trace_low,
            "span_id": spans.span_id,
            "row": np.arange(len(spans), dtype=np.int32),
        }
    )
    ends = ["linked_trace_high", "linked_trace_low", "linked_span_id"]
    there = here.rename(dict(zip(here.columns, [*ends, "target"], strict=True)))
    found = (
        bucket.linked_spans.unique(["trace_high", "trace_low", "span_id", *ends], keep="first")
        .join(here, on=["trace_high", "trace_low", "span_id"])
        .join(there, on=ends, how="left")
        .filter(
            pl.col("linked_operation_id").is_in(bucket.operations["operation_id"].implode()),
            pl.col("linked_resource_id").is_in(bucket.resources["resource_id"].implode()),
        )
        .sort("row", *ends)
    )
    end = pl.when(pl.col("linked_duration_ns") >= 0).then(
        pl.col("linked_start_ns") + pl.col("linked_duration_ns")
    )
    return Links(
        row=found["row"].to_numpy(),
        target=found["target"].fill_null(-1).to_numpy(),
        end=found.select(end.fill_null(UNKNOWN_DURATION)).to_series().to_numpy(),
        **linked_columns(found, bucket, spans.vocabulary),
    )


def _none() -> Links:
    rows = np.empty(0, dtype=np.int32)
    small = np.empty(0, dtype=np.uint8)
    return Links(rows, rows, np.empty(0, dtype=np.int64), small, small, small, rows, rows, rows)
