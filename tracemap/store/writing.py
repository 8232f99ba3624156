"""Write batches of a file, or of a parcel of small files, into the tables, each span once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.model import HOUR_NS, LINKS, REJECTS, ParcelBatch, iso
from tracemap.store.dirty import TRACE, mark_dirty, mark_linking, mark_spans_of, mark_traces
from tracemap.store.duplicates import has_copies, settled, without_stored
from tracemap.store.pruning import REASON, rename_pruned
from tracemap.store.shared_ids import sides_apart
from tracemap.store.tables import insert, read, staged

if TYPE_CHECKING:
    from tracemap.model import Batch, Numbers
    from tracemap.store.catalog import Catalog
    from tracemap.store.tables import Connection


def whole_traces(spans: pl.DataFrame) -> pl.DataFrame:
    """Return `spans` with whole traces together, in the order of their start.

    That lets the ids of traces compress to nothing, and a range of time is then a range of rows.
    """
    return spans.sort(pl.col("start_ns").min().over(TRACE), *TRACE, "start_ns", "span_id")


def parts_of(spans: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each trace of `spans`, which are as `whole_traces` gives them.

    Columns ``trace_high``, ``trace_low``, ``first_ns`` and ``last_ns`` (starts of its first and
    last span) and ``spans``, in the order of `spans`.
    """
    high, low = (spans[name].to_numpy() for name in TRACE)
    other = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    first = np.flatnonzero(np.concatenate((np.ones(min(spans.height, 1), np.bool_), other)))
    after = np.append(first[1:], spans.height)[: first.size]
    starts_ns = spans["start_ns"].to_numpy()
    return pl.DataFrame(
        {
            "trace_high": high[first],
            "trace_low": low[first],
            "first_ns": starts_ns[first],
            "last_ns": starts_ns[after - 1],
            "spans": after - first,
        }
    )


class FileWriter:
    """Writes files, batch by batch, inside a transaction that the caller opens and ends.

    A span is a duplicate when its trace id and span id were seen before, in this file or in any
    other. To know, the batch's traces are looked up in the index of traces. Spans are read only
    when some of these are stored already, and only from the stretch of time in which they have
    spans, so a file of new traces never touches the spans of other files.

    Args:
        connection: The database, in a transaction.
        catalog: Of the same database.
        files: How many files there are: one, or all those of a parcel.

    Attributes:
        first_file_id: Number of the first file; the others follow.
        records: For each file the span records read, bad ones included.
        spans: Spans stored.
        rejected: Records that could not be taken.
        skipped: Records of other signals.
    """

    def __init__(self, connection: Connection, catalog: Catalog, files: int = 1) -> None:
        self._connection = connection
        self._catalog = catalog
        self._starts_ns = pl.Series(dtype=pl.Int64)
        self._files = files
        self.first_file_id = catalog.files + 1
        self.records, self.spans, self.rejected, self.skipped = np.zeros((4, files), np.int64)

    def write(self, batch: Batch) -> None:
        """Add one batch: a parcel's; or the one file's, its spans as `whole_traces` gives them."""
        copies = has_copies(batch.spans)
        if copies:
            batch = replace(batch, spans=sides_apart(batch))
        spans = self._catalog.numbered(batch)
        if isinstance(batch, ParcelBatch):
            span_files, reject_files = batch.span_files, batch.reject_files
            spans = whole_traces(spans.with_columns(self._file_ids(span_files)))
            self.skipped += batch.skipped_of
        else:
            span_files = np.zeros(batch.spans.height, np.int64)
            reject_files = np.zeros(batch.rejects.height, np.int64)
            spans = spans.with_columns(self._file_ids(span_files))
            self.skipped += sum(batch.skipped.values())
        rejects = REJECTS.conform(batch.rejects).with_columns(self._file_ids(reject_files))
        insert(self._connection, "rejects", rejects)
        rejected = np.bincount(reject_files, rejects["records"], self._files).astype(np.int64)
        self.rejected += rejected
        self.records += np.bincount(span_files, minlength=self._files) + rejected
        links = batch.links
        late = self._late(spans)
        if late.any():
            self._reject_late(spans.filter(late))
            spans = spans.filter(~late)
            links = links.join(spans, on=[*TRACE, "span_id"], how="semi", maintain_order="left")
        read_spans = spans
        if copies:
            spans = whole_traces(settled(spans, self._catalog))
        known = self._known(spans)
        if known.height:
            spans = without_stored(self._connection, self._catalog, spans, known)
        stored = spans["file_id"].to_numpy() - self.first_file_id
        self.spans += np.bincount(stored, minlength=self._files)
        self._add_spans(spans, known)
        self._add_links(links, known)
        if spans.height < read_spans.height:
            self._add_duplicates(read_spans, spans)

    def _late(self, spans: pl.DataFrame) -> pl.Series:
        """Return which spans start in an hour whose spans were pruned."""
        hours = spans["start_ns"] // HOUR_NS * HOUR_NS
        return hours.is_in(self._catalog.pruned_ns.implode())

    def _reject_late(self, late: pl.DataFrame) -> None:
        """Count spans that came too late: with them, facts of their hour could only get worse."""
        rows = late.group_by("file_id").agg(
            records=pl.len().cast(pl.Int64), first_ns=pl.col("start_ns").min()
        )
        rows = rows.sort("file_id")
        excerpts = [f"spans from {iso(first_ns)} on" for first_ns in rows["first_ns"]]
        rejects = rows.select(
            "file_id",
            "records",
            line=pl.lit(0, dtype=pl.Int64),
            reason=pl.lit(REASON),
            excerpt=pl.Series(excerpts, dtype=pl.String),
        )
        insert(self._connection, "rejects", rejects)
        self.rejected[rows["file_id"].to_numpy() - self.first_file_id] += rows["records"].to_numpy()

    def _file_ids(self, numbers: Numbers) -> pl.Series:
        return pl.Series("file_id", self.first_file_id + numbers, pl.Int32)

    def finish(self) -> None:
        """Mark the hours whose facts the files put out of date."""
        mark_dirty(self._connection, self._starts_ns)
        last_file_id = self.first_file_id + self._files - 1
        if self._catalog.has_links:
            mark_linking(self._connection, self.first_file_id, last_file_id)
        renamed = self._catalog.renamed()
        if renamed.height:
            mark_spans_of(self._connection, renamed)
            if self._catalog.pruned_ns.len():
                rename_pruned(self._connection, self._catalog.moves)
        self._catalog.learn_rpc_services(last_file_id)
        recalled = self._catalog.recalled()
        if recalled.height:
            mark_spans_of(self._connection, recalled)
        self._catalog.files = last_file_id

    def _known(self, spans: pl.DataFrame) -> pl.DataFrame:
        """Return the traces of `spans` that are stored, with their first and last start."""
        with staged(self._connection, incoming=parts_of(spans).select(TRACE)):
            return read(
                self._connection,
                """
                SELECT trace_high, trace_low, min(first_ns) AS first_ns, max(last_ns) AS last_ns
                FROM trace_parts SEMI JOIN incoming USING (trace_high, trace_low)
                GROUP BY trace_high, trace_low
                """,
            )

    def _add_spans(self, spans: pl.DataFrame, known: pl.DataFrame) -> None:
        """Store `spans`, index their traces, and mark the hours these start in, before and now."""
        parts = parts_of(spans)
        insert(self._connection, "stored_spans", spans)
        insert(self._connection, "trace_parts", parts)
        if known.is_empty():
            self._touch(parts["first_ns"])
            return
        before_ns = known.join(parts, on=TRACE, how="semi")["first_ns"]
        now_ns = parts.join(known, on=TRACE, how="left", suffix="_before").select(
            pl.min_horizontal("first_ns", "first_ns_before")
        )
        self._touch(before_ns)
        self._touch(now_ns.to_series())

    def _add_links(self, links: pl.DataFrame, known: pl.DataFrame) -> None:
        """Store the links that are not stored: a copy of a span brings the same links again."""
        if links.is_empty():
            return
        distinct = LINKS.conform(links).unique(maintain_order=True)
        again = distinct.join(known, on=TRACE, how="semi", maintain_order="left")
        if again.height:
            with staged(self._connection, again=again):
                columns = ", ".join(LINKS.schema)
                again = read(
                    self._connection,
                    f"FROM again ANTI JOIN links USING ({columns})",
                )
            mark_traces(self._connection, again)
        insert(self._connection, "links", again)
        insert(self._connection, "links", distinct.join(known, on=TRACE, how="anti"))
        self._catalog.has_links = True

    def _add_duplicates(self, read_spans: pl.DataFrame, stored: pl.DataFrame) -> None:
        """Store how many spans of each file and resource were copies."""
        key = ["file_id", "resource_id"]
        counted = read_spans.group_by(key).agg(read=pl.len().cast(pl.Int64))
        kept = stored.group_by(key).agg(kept=pl.len().cast(pl.Int64))
        copies = counted.join(kept, on=key, how="left").select(
            *key, spans=pl.col("read") - pl.col("kept").fill_null(0)
        )
        copies = copies.filter(pl.col("spans") > 0).sort(key)
        insert(self._connection, "duplicates", copies)

    def _touch(self, starts_ns: pl.Series) -> None:
        """Remember the hours that hold `starts_ns`."""
        hours = starts_ns // HOUR_NS * HOUR_NS
        self._starts_ns = pl.concat([self._starts_ns, hours.unique()]).unique()
