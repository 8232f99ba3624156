"""The order in which a Collector would write spans: batches of many services, traces interleaved.

Every instance exports what ended, every five seconds, each at its own moment; the Collector writes
one batch (a line, a message) a second, grouped by resource and scope, of at most 4,096 spans.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tracemap.model import SECOND_NS
from tracemap.simulate.draws import Integers
from tracemap.simulate.flat import Catalogue

EXPORT_NS = 5 * SECOND_NS
COLLECT_NS = SECOND_NS
MOST_SPANS = 4_096


@dataclass(frozen=True)
class Export:
    """Spans in the order in which they are written, and where groups begin.

    Attributes:
        spans: Columns as `flat.FLAT`, plus ``end_ns`` and ``scope_id``.
        scopes: Names of the instrumentation scopes.
        group_start: Row at which each group (one scope of one resource in one batch) begins.
        new_batch: Per group: it begins a batch.
        new_resource: Per group: it begins a resource (as every batch does).
    """

    spans: pl.DataFrame
    scopes: tuple[str, ...]
    group_start: Integers
    new_batch: list[bool]
    new_resource: list[bool]


def export_order(spans: pl.DataFrame, catalogue: Catalogue) -> Export:
    """Return spans (columns as `flat.FLAT`) in the order of their export."""
    scopes = tuple(sorted({one.scope for one in catalogue.descriptions}))
    scope_ids = pl.Series(
        [scopes.index(one.scope) for one in catalogue.descriptions], dtype=pl.Int32
    )
    phase_ns = pl.col("resource_id").cast(pl.Int64) * 1_700_000_001 % EXPORT_NS
    exported_ns = ((pl.col("end_ns") + phase_ns) // EXPORT_NS + 1) * EXPORT_NS - phase_ns
    ordered = (
        spans.with_columns(
            end_ns=pl.col("start_ns") + pl.col("duration_ns"),
            scope_id=scope_ids.gather(spans["description_id"]),
        )
        .with_columns(tick=exported_ns // COLLECT_NS)
        .sort("tick", "resource_id", "scope_id", "end_ns", "span_id")
        .with_columns(batch=pl.int_range(pl.len()).over("tick") // MOST_SPANS)
    )
    keys = ordered.select("tick", "batch", "resource_id", "scope_id")
    changed = [
        (column := keys[name].to_numpy(), np.flatnonzero(column[1:] != column[:-1]) + 1)[1]
        for name in keys.columns
    ]
    new_batch = np.union1d(changed[0], changed[1])
    new_resource = np.union1d(new_batch, changed[2])
    first = np.zeros(min(1, ordered.height), dtype=np.int64)
    group_start = np.union1d(first, np.union1d(new_resource, changed[3])).astype(np.int64)
    return Export(
        spans=ordered.drop("tick", "batch"),
        scopes=scopes,
        group_start=group_start,
        new_batch=np.isin(group_start, np.union1d(first, new_batch)).tolist(),
        new_resource=np.isin(group_start, np.union1d(first, new_resource)).tolist(),
    )
