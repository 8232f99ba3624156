"""Write the batches of one file into the tables, each span once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import LINKS, REJECTS
from tracemap.store.dirty import (
    TRACE,
    mark_dirty,
    mark_linking,
    mark_renamed,
    mark_traces,
    service_names,
)
from tracemap.store.duplicates import has_copies, settled, without_stored
from tracemap.store.tables import insert, read, staged

if TYPE_CHECKING:
    from tracemap.model import Batch
    from tracemap.store.dictionary import Dictionaries
    from tracemap.store.tables import Connection

_LINK = ", ".join(LINKS.schema)


class FileWriter:
    """Writes one file, batch by batch, inside a transaction that the caller opens and ends.

    A span is a duplicate when its trace id and span id were seen before, in this file or in any
    other. To know, the batch's traces are looked up in the index of traces. Spans are read only
    when some of these are stored already, and only from the stretch of time in which they have
    spans, so a file of new traces never touches the spans of other files.

    Args:
        connection: The database, in a transaction.
        dictionaries: Of the same database.
        file_id: Number of the file.

    Attributes:
        records: Span records read, bad ones included.
        spans: Spans stored.
        duplicates: Spans that were stored already.
        rejected: Records that could not be taken.
        skipped: Records of other signals.
    """

    def __init__(self, connection: Connection, dictionaries: Dictionaries, file_id: int) -> None:
        self._connection = connection
        self._dictionaries = dictionaries
        self._file_id = pl.lit(file_id, dtype=pl.Int32).alias("file_id")
        self._services_before = service_names(connection)
        self.records = self.spans = self.duplicates = self.rejected = self.skipped = 0

    def write(self, batch: Batch) -> None:
        """Add one batch."""
        spans = self._dictionaries.numbered(batch).with_columns(self._file_id)
        if has_copies(spans):
            spans = settled(spans, self._dictionaries)
        known = self._known(spans)
        if known.height:
            spans = without_stored(self._connection, self._dictionaries, spans, known)
        self._add_spans(spans, known)
        self._add_links(batch.links, known)
        rejects = REJECTS.conform(batch.rejects)
        insert(self._connection, "rejects", rejects.with_columns(self._file_id))
        rejected = int(rejects["records"].sum())
        self.records += batch.spans.height + rejected
        self.spans += spans.height
        self.duplicates += batch.spans.height - spans.height
        self.rejected += rejected
        self.skipped += sum(batch.skipped.values())

    def finish(self) -> None:
        """Mark what the file as a whole changed: services that now have another name."""
        mark_renamed(self._connection, self._services_before)

    def _known(self, spans: pl.DataFrame) -> pl.DataFrame:
        """Return the traces of `spans` that are stored, with their first and last start."""
        with staged(self._connection, incoming=spans.select(TRACE).unique()):
            return read(
                self._connection,
                """
                SELECT trace_high, trace_low, min(first_ns) AS first_ns, max(last_ns) AS last_ns
                FROM trace_parts SEMI JOIN incoming USING (trace_high, trace_low)
                GROUP BY trace_high, trace_low
                """,
            )

    def _add_spans(self, spans: pl.DataFrame, known: pl.DataFrame) -> None:
        """Store `spans`, index their traces, and mark the hours these start in, before and now.

        Whole traces lie together, in the order of their start: that lets the ids of traces compress
        to nothing, and a range of time is then a range of rows.
        """
        start = pl.col("start_ns")
        parts = spans.group_by(TRACE).agg(
            start.min().alias("first_ns"),
            start.max().alias("last_ns"),
            pl.len().cast(pl.Int64).alias("spans"),
        )
        ordered = spans.sort(start.min().over(TRACE), *TRACE, "start_ns", "span_id")
        extended = parts.join(known, on=TRACE, how="semi")
        if extended.height:
            mark_traces(self._connection, extended)
        insert(self._connection, "stored_spans", ordered)
        insert(self._connection, "trace_parts", parts.sort("first_ns", *TRACE))
        if extended.height:
            mark_traces(self._connection, extended)
        mark_dirty(self._connection, parts.join(known, on=TRACE, how="anti")["first_ns"])
        mark_linking(self._connection, parts)

    def _add_links(self, links: pl.DataFrame, known: pl.DataFrame) -> None:
        """Store the links that are not stored: a copy of a span brings the same links again."""
        if links.is_empty():
            return
        distinct = LINKS.conform(links).unique(maintain_order=True)
        again = distinct.join(known, on=TRACE, how="semi", maintain_order="left")
        insert(self._connection, "links", distinct.join(known, on=TRACE, how="anti"))
        with staged(self._connection, again=again):
            self._connection.execute(
                f"INSERT INTO links SELECT * FROM again ANTI JOIN links USING ({_LINK})"  # noqa: S608
            )
