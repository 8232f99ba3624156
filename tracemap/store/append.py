"""Take one file into the database: all of it or nothing."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import FILES
from tracemap.store.tables import insert, read
from tracemap.store.writing import FileWriter, whole_traces

if TYPE_CHECKING:
    from tracemap.model import Reading
    from tracemap.store.catalog import Catalog
    from tracemap.store.tables import Connection


@dataclass(frozen=True)
class Appended:
    """What became of one file: its row of `FILES`, and whether it was there before.

    Attributes:
        known: A file with the same bytes had been taken in before; nothing was changed, and the
            counts are those of that time.
    """

    path: str
    size_bytes: int
    content_hash: str
    format: str
    records: int
    spans: int
    duplicates: int
    rejected: int
    skipped: int
    ingested_at: str
    known: bool


def known_file(connection: Connection, reading: Reading) -> Appended | None:
    """Return what became of the same bytes before; None if they are new or not known yet."""
    if reading.content_hash is None:
        return None
    rows = read(
        connection, "SELECT * FROM files WHERE content_hash = $hash", hash=reading.content_hash
    )
    for row in FILES.conform(rows).iter_rows(named=True):
        return replace(Appended(**row, known=True), path=reading.path)
    return None


def append_file(
    connection: Connection, catalog: Catalog, reading: Reading, *, ingested_at: str
) -> Appended:
    """Write all batches of `reading` and its row of `files`, in the caller's transaction.

    A batch is written while the next one is decoded. Standard input has no hash before its end: if
    only then the bytes turn out to be known, the result says so, and the caller must roll back.
    """
    hash_was_known = reading.content_hash is not None
    writer = FileWriter(connection, catalog)
    with ThreadPoolExecutor(max_workers=1) as behind:
        writing: Future[None] | None = None
        for batch in reading.batches():
            ordered = replace(batch, spans=whole_traces(batch.spans))
            if writing is not None:
                writing.result()
            writing = behind.submit(writer.write, ordered)
        if writing is not None:
            writing.result()
    known = None if hash_was_known else known_file(connection, reading)
    if known is not None:
        return known
    writer.finish()
    appended = Appended(
        path=reading.path,
        size_bytes=reading.size_bytes,
        content_hash=reading.content_hash or "",
        format=reading.format,
        records=writer.records,
        spans=writer.spans,
        duplicates=writer.duplicates,
        rejected=writer.rejected,
        skipped=writer.skipped,
        ingested_at=ingested_at,
        known=False,
    )
    row = pl.DataFrame([{name: getattr(appended, name) for name in FILES.schema}], FILES.schema)
    insert(connection, "files", row.with_columns(file_id=pl.lit(writer.file_id, dtype=pl.Int32)))
    return appended
