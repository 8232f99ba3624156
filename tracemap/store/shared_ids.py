"""Split client and server spans that share one span id.

With Zipkin's B3 propagation a server may use the client's span id for its own span, and collectors
keep that id when they convert such spans. Readers of Zipkin's own format tell them apart; this does
the same for every other.
"""

from __future__ import annotations

import polars as pl

from tracemap.model import SPANS, Batch, Kind, Quality

_CALLING = [int(Kind.CLIENT), int(Kind.PRODUCER)]
_ANSWERING = [int(Kind.SERVER), int(Kind.CONSUMER)]
_KEY = list(SPANS.key)
_TURNED = 0x9E3779B97F4A7C15
"""Bits that are turned: different ids stay different."""


def sides_apart(batch: Batch) -> pl.DataFrame:
    """Return the spans of `batch` in their order, the answering side of a shared id as a child.

    That side gets an id of its own, made of the shared one, the shared id as its parent, and the
    mark ``SHARED_RESOLVED``. Spans that name the shared id as their parent go to the side of their
    own service, the calling one in case of doubt. Only spans of one batch are compared: whatever
    comes later under the same id is a copy that differs (``ID_CONFLICT``).
    """
    services = batch.resources.select("resource_id", service="service_name")
    kinds = batch.operations.select("operation_id", "kind")
    spans = batch.spans.join(kinds, on="operation_id", how="left", maintain_order="left").join(
        services, on="resource_id", how="left", maintain_order="left"
    )
    calling = spans.filter(pl.col("kind").is_in(_CALLING)).select(
        *_KEY, calling="service", shares=pl.lit(value=True)
    )
    calling = calling.unique(_KEY, keep="first", maintain_order=True)
    shared = spans.filter(pl.col("kind").is_in(_ANSWERING)).join(calling, on=_KEY)
    if shared.is_empty():
        return batch.spans
    sides = shared.filter(pl.col("service") != pl.col("calling")).select(
        "trace_high", "trace_low", "service", parent_id="span_id", inside=pl.lit(value=True)
    )
    own = pl.col("kind").is_in(_ANSWERING) & pl.col("shares").fill_null(value=False)
    within = pl.col("inside").fill_null(value=False) & ~own
    marked = spans.join(calling, on=_KEY, how="left", maintain_order="left").join(
        sides.unique(),
        on=["trace_high", "trace_low", "service", "parent_id"],
        how="left",
        maintain_order="left",
    )
    return SPANS.conform(
        marked.with_columns(
            span_id=pl.when(own).then(_own_id("span_id")).otherwise("span_id"),
            parent_id=pl.when(own)
            .then("span_id")
            .when(within)
            .then(_own_id("parent_id"))
            .otherwise("parent_id"),
            quality=pl.when(own)
            .then(pl.col("quality") | int(Quality.SHARED_RESOLVED))
            .otherwise("quality"),
        )
    )


def _own_id(column: str) -> pl.Expr:
    """Return another id for each, always the same for the same one."""
    return (pl.col(column) ^ pl.lit(_TURNED, dtype=pl.UInt64)).replace(0, 1)
