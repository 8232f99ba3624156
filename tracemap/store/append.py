"""Take a file, or a parcel of small ones, into the database: all of it or nothing."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import FILES
from tracemap.self_trace import stage
from tracemap.store.tables import insert, read, staged
from tracemap.store.writing import FileWriter, whole_traces

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tracemap.model import Batch, Parcel, ParcelFile, Reading
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


def known_files(connection: Connection, hashes: Sequence[str]) -> dict[str, Appended]:
    """Return what became of the bytes with these hashes before, as far as they are known."""
    with staged(
        connection, wanted=pl.DataFrame({"content_hash": hashes}, {"content_hash": pl.String})
    ):
        rows = read(connection, "SELECT * FROM files SEMI JOIN wanted USING (content_hash)")
    found = (Appended(**row, known=True) for row in FILES.conform(rows).iter_rows(named=True))
    return {each.content_hash: each for each in found}


def known_file(connection: Connection, reading: Reading) -> Appended | None:
    """Return what became of the same bytes before; None if they are new or not known yet.

    Only where a file of the same size was taken in are the bytes read for their hash alone.
    """
    if reading.content_hash is None and reading.size_bytes:
        sizes = "SELECT 1 FROM files WHERE size_bytes = $size_bytes LIMIT 1"
        if read(connection, sizes, size_bytes=reading.size_bytes).height:
            reading.identify()
    if reading.content_hash is None:
        return None
    known = known_files(connection, [reading.content_hash]).get(reading.content_hash)
    return known and replace(known, path=reading.path)


def append_file(
    connection: Connection, catalog: Catalog, reading: Reading, *, ingested_at: str
) -> Appended:
    """Write all batches of `reading` and its row of `files`, in the caller's transaction.

    A batch is written while the next one is decoded. Bytes that are read once have no hash before
    their end: if only then they turn out to be known, the result says so, and the caller must roll
    back.
    """
    hash_was_known = reading.content_hash is not None
    writer = FileWriter(connection, catalog)
    with ThreadPoolExecutor(max_workers=1) as behind:
        writing: Future[None] | None = None
        for batch in reading.batches():
            ordered = replace(batch, spans=whole_traces(batch.spans))
            if writing is not None:
                writing.result()
            writing = behind.submit(copy_context().run, _write, writer, ordered)
        if writing is not None:
            writing.result()
    known = None if hash_was_known else known_file(connection, reading)
    if known is not None:
        return known
    _finish(writer)
    (appended,) = _kept(connection, writer, [reading], ingested_at)
    return appended


def _write(writer: FileWriter, batch: Batch) -> None:
    with stage("store batch", spans=batch.spans.height):
        writer.write(batch)


def _finish(writer: FileWriter) -> None:
    with stage("mark hours"):
        writer.finish()


def unknown_files(parcel: Parcel, known: Collection[str]) -> list[int]:
    """Return which files of `parcel` there is something to do for: of equal ones the first."""
    wanted: dict[str, int] = {}
    for number, file in enumerate(parcel.files):
        if file.error is None and file.content_hash not in known:
            wanted.setdefault(file.content_hash, number)
    return list(wanted.values())


def append_parcel(
    connection: Connection,
    catalog: Catalog,
    parcel: Parcel,
    wanted: Sequence[int],
    *,
    ingested_at: str,
) -> list[Appended]:
    """Write those files of `parcel` that are `wanted`, in the caller's transaction."""
    writer = FileWriter(connection, catalog, files=len(wanted))
    with stage("decode parcel") as work:
        batch = parcel.batch(wanted)
        work.note(spans=batch.spans.height)
    _write(writer, batch)
    _finish(writer)
    return _kept(connection, writer, [parcel.files[number] for number in wanted], ingested_at)


def _kept(
    connection: Connection,
    writer: FileWriter,
    files: Sequence[Reading | ParcelFile],
    ingested_at: str,
) -> list[Appended]:
    """Write the rows of `files`, and return what they say."""
    found = [
        Appended(
            path=file.path,
            size_bytes=file.size_bytes,
            content_hash=file.content_hash or "",
            format=file.format,
            records=records,
            spans=spans,
            duplicates=records - rejected - spans,
            rejected=rejected,
            skipped=skipped,
            ingested_at=ingested_at,
            known=False,
        )
        for file, records, spans, rejected, skipped in zip(
            files,
            writer.records.tolist(),
            writer.spans.tolist(),
            writer.rejected.tolist(),
            writer.skipped.tolist(),
            strict=True,
        )
    ]
    columns = {name: [getattr(each, name) for each in found] for name in FILES.schema}
    rows = pl.DataFrame(columns, FILES.schema).with_row_index("file_id", writer.first_file_id)
    insert(connection, "files", rows.with_columns(pl.col("file_id").cast(pl.Int32)))
    return found
