"""Files of many spans, made without a loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from tests.builders import NOON_NS, span, span_batch
from tracemap.model import HOUR_NS, SPANS, Batch

_SPANS_A_TRACE = 8


@dataclass
class ManySpans:
    """A `Reading` of `size` spans that depend on `number` only; files overlap by a few spans."""

    number: int
    size: int
    path: str = "many.json"
    size_bytes: int = 0
    format: str = "test"
    content_hash: str | None = None

    def __post_init__(self) -> None:
        self.content_hash = f"{self.number}-{self.size}"

    def identify(self) -> None:
        """Do nothing: the hash is known."""

    def batches(self) -> Iterator[Batch]:
        """Yield four batches."""
        names = span_batch([span(1, name=name) for name in ("GET /", "GET /cart", "POST /pay")])
        first = self.number * (self.size - 100)
        numbers = np.arange(first, first + self.size, dtype=np.uint64)
        for part in np.array_split(numbers, 4):
            yield Batch(spans=_spans(part), operations=names.operations, resources=names.resources)


def _spans(numbers: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> pl.DataFrame:
    scattered = numbers * np.uint64(0x9E3779B97F4A7C15)
    trace = numbers // np.uint64(_SPANS_A_TRACE)
    columns = {name: np.zeros(len(numbers), dtype=np.int64) for name in SPANS.schema}
    return SPANS.conform(
        pl.DataFrame(columns).with_columns(
            trace_high=trace * np.uint64(0xC2B2AE3D27D4EB4F),
            trace_low=trace + np.uint64(1),
            span_id=scattered | np.uint64(1),
            start_ns=NOON_NS + (trace % np.uint64(5)).astype(np.int64) * HOUR_NS,
            duration_ns=(scattered >> np.uint64(40)).astype(np.int64),
            operation_id=(numbers % np.uint64(3)).astype(np.int32),
            weight=1.0,
            error_type=None,
            attributes=pl.concat_str(pl.lit('{"n":'), pl.Series(numbers), pl.lit("}")),
        )
    )
