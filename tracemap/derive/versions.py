"""VERSION_FACTS: which versions of a service recorded spans, and when."""

from __future__ import annotations

import polars as pl

from tracemap.derive.cells import Grid
from tracemap.derive.grouping import grouped
from tracemap.derive.spans import Spans
from tracemap.model import VERSION_FACTS


def version_facts(spans: Spans, grid: Grid) -> pl.DataFrame:
    """Return spans per cell, service and version, as `model.VERSION_FACTS`, sorted by key."""
    summed = grouped(
        {
            "cell": grid.of_trace[spans.trace],
            "service": spans.service,
            "version": spans.version,
        },
        {"first_ns": spans.start, "last_ns": spans.start},
        smallest=("first_ns",),
        largest=("last_ns",),
    )
    return VERSION_FACTS.conform(
        summed.with_columns(
            grid.decoded("cell"),
            *spans.vocabulary.decoded("service", "version"),
            spans=pl.col("rows"),
        )
    )
