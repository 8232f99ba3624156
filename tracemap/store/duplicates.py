"""Several copies of one span: store one, count the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import SPANS, Quality
from tracemap.store.dirty import TRACE, mark_traces
from tracemap.store.tables import insert, read, staged

if TYPE_CHECKING:
    from tracemap.store.catalog import Catalog
    from tracemap.store.tables import Connection

_CONTENT = [name for name in SPANS.schema if name not in (*SPANS.key, "quality")]
_COMPARED = [*_CONTENT, "quality_seen"]
_IDS = ("operation_id", "resource_id")
_CONFLICT = pl.lit(int(Quality.ID_CONFLICT), dtype=pl.UInt32)
_FLAGGED = pl.col("quality") != pl.col("quality_seen")


def has_copies(spans: pl.DataFrame) -> bool:
    """Return whether two rows of `spans` have the same key.

    Span ids alone are nearly always distinct, and that is four times cheaper to see.
    """
    if spans["span_id"].n_unique() == spans.height:
        return False
    return bool(spans.select(SPANS.key).is_duplicated().any())


def settled(copies: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Return one row per span, whatever the order in which its copies came.

    SDKs and collectors send again what was not acknowledged, so most copies are equal: any is kept.
    Where they differ, the one that ends latest is kept (a copy without an end was exported before
    the span was over), then the one with the longest attributes, then the least by content; it is
    marked ``ID_CONFLICT``. It keeps the lowest ``file_id`` of all copies: the file in whose ledger
    the span is counted.

    Args:
        copies: As `SPANS` with ids of the store, plus ``file_id``. Rows without a copy stay as
            they are.
        catalog: Where the ids come from, to compare what they stand for.

    Returns:
        Columns as `copies`, in no particular order.
    """
    repeated = copies.select(SPANS.key).is_duplicated()
    ranked = _ranked(catalog.with_content_order(copies.filter(repeated)))
    again = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in SPANS.key)
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in _COMPARED)
    conflicts = ranked.filter((again & differs) | _FLAGGED).select(SPANS.key).unique()
    lowest = ranked.group_by(SPANS.key).agg(pl.col("file_id").min().alias("lowest_file_id"))
    kept = (
        ranked.unique(SPANS.key, keep="first", maintain_order=True)
        .join(lowest, on=SPANS.key, how="left")
        .join(conflicts.with_columns(conflict=_CONFLICT), on=SPANS.key, how="left")
        .with_columns(
            pl.col("quality") | pl.col("conflict").fill_null(0),
            pl.col("lowest_file_id").alias("file_id"),
        )
        .select(copies.columns)
    )
    return pl.concat([copies.filter(~repeated), kept])


def _ranked(copies: pl.DataFrame) -> pl.DataFrame:
    """Return `copies` by key, the one to keep first."""
    best = ["end_ns", "attributes_size"]
    least = [*(name for name in _COMPARED if name not in _IDS), "operation_order", "resource_order"]
    return (
        _comparable(copies)
        .with_columns(
            end_ns=pl.col("start_ns") + pl.col("duration_ns"),
            attributes_size=pl.col("attributes").str.len_bytes().fill_null(0),
        )
        .sort(
            [*SPANS.key, *best, *least],
            descending=[name in best for name in [*SPANS.key, *best, *least]],
            nulls_last=True,
        )
    )


def _comparable(copies: pl.DataFrame) -> pl.DataFrame:
    """Add ``quality_seen``: what was odd about the span before copies of it were compared."""
    return copies.with_columns(quality_seen=pl.col("quality") & ~_CONFLICT)


def without_stored(
    connection: Connection, catalog: Catalog, spans: pl.DataFrame, known: pl.DataFrame
) -> pl.DataFrame:
    """Return those of `spans` that are not stored yet; where a copy is better, store it instead.

    Args:
        connection: The database, in a transaction.
        catalog: Of the same database.
        spans: As `SPANS` with ids of the store, plus ``file_id``; each span once.
        known: The traces of `spans` that are stored already, with ``first_ns`` and ``last_ns``:
            stored spans are read from that stretch of time only.
    """
    incoming = spans.join(known, on=TRACE, how="semi")
    with staged(connection, incoming=incoming.select(SPANS.key)):
        stored = read(
            connection,
            """
            SELECT * FROM stored_spans
            SEMI JOIN incoming USING (trace_high, trace_low, span_id)
            WHERE start_ns BETWEEN $first_ns AND $last_ns
            """,
            first_ns=known["first_ns"].min(),
            last_ns=known["last_ns"].max(),
        )
    if stored.is_empty():
        return spans
    again = _comparable(incoming.join(stored, on=SPANS.key, how="semi").select(stored.columns))
    equal = again.filter(~_FLAGGED).join(
        _comparable(stored), on=[*SPANS.key, *_COMPARED], how="semi", nulls_equal=True
    )
    other = again.join(equal, on=SPANS.key, how="anti")
    if other.height:
        contested = stored.join(other, on=SPANS.key, how="semi")
        kept = settled(pl.concat([contested, other.select(stored.columns)]), catalog)
        _replace(connection, kept.join(contested, on=kept.columns, how="anti", nulls_equal=True))
    return spans.join(stored, on=SPANS.key, how="anti", maintain_order="left")


def _replace(connection: Connection, better: pl.DataFrame) -> None:
    """Store `better` in place of the rows with the same keys, and index their traces anew."""
    if better.is_empty():
        return
    traces = better.select(TRACE).unique()
    mark_traces(connection, traces)
    with staged(connection, better=better, touched=traces):
        connection.execute(
            """
            DELETE FROM stored_spans WHERE (trace_high, trace_low, span_id) IN
                (SELECT (trace_high, trace_low, span_id) FROM better)
            """
        )
        insert(connection, "stored_spans", better)
        connection.execute(
            """
            DELETE FROM trace_parts WHERE (trace_high, trace_low) IN
                (SELECT (trace_high, trace_low) FROM touched)
            """
        )
        connection.execute(
            """
            INSERT INTO trace_parts
            SELECT trace_high, trace_low, min(start_ns), max(start_ns), count(*)
            FROM stored_spans SEMI JOIN touched USING (trace_high, trace_low)
            GROUP BY trace_high, trace_low
            """
        )
    mark_traces(connection, traces)
