"""The order in which a Collector would write spans: batches of many services, traces interleaved.

Every instance exports what ended, every five seconds, each at its own moment; the Collector writes
one batch (a line, a message) a second, grouped by resource and scope, of at most 4,096 spans.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from tracemap.model import SECOND_NS
from tracemap.simulate.draws import Integers
from tracemap.simulate.flat import Catalogue

EXPORT_NS = 5 * SECOND_NS
COLLECT_NS = SECOND_NS
MOST_SPANS = 4_096
SCOPE_VERSION = "0.66.0"


class Group(NamedTuple):
    """Consecutive spans of one scope of one resource in one batch.

    Attributes:
        start: Row of its first span.
        resource_id: Whose.
        scope_id: Which scope.
        new_batch: It begins a batch.
        new_resource: It begins a resource, as every batch does.
    """

    start: int
    resource_id: int
    scope_id: int
    new_batch: bool
    new_resource: bool


@dataclass(frozen=True)
class Export:
    """Spans in the order in which they are written, and where groups begin.

    Attributes:
        spans: Columns as `flat.FLAT`, plus ``end_ns``, ``scope_id``, ``tick`` and ``batch``.
        scopes: Names of the instrumentation scopes.
        group_start: Row at which each group begins.
    """

    spans: pl.DataFrame
    scopes: tuple[str, ...]
    group_start: Integers

    def groups(self) -> Iterator[Group]:
        """Yield the groups, in order."""
        columns = self.spans.select("resource_id", "scope_id", "tick", "batch")
        previous: tuple[int, ...] = ()
        for start, row in zip(self.group_start, columns[self.group_start].rows(), strict=True):
            resource_id, scope_id, *batch = row
            new_batch = batch != [*previous[2:]]
            new_resource = new_batch or resource_id != previous[0]
            yield Group(int(start), resource_id, scope_id, new_batch, new_resource)
            previous = row


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
    keys = ordered.select("tick", "batch", "resource_id", "scope_id").to_numpy()
    begins = np.ones(ordered.height, dtype=np.bool_)
    begins[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return Export(ordered, scopes, np.flatnonzero(begins))
