"""Parquet files: what columns they have, and their rows, batch by batch in bounded memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tracemap.ingest.contents import Contents
from tracemap.ingest.formats import Task
from tracemap.ingest.resources import Resources
from tracemap.ingest.streams import BrokenStreamError, Budget, joined
from tracemap.ingest.tabular.shape import Shape, fits
from tracemap.model import REJECTS, Batch

MAGIC = b"PAR1"
_VALUES_MAX = 1 << 18
_BLOCK_SHARE = 2  # of a block's bytes: documents are larger than the columns they are made of
_THRIFT_MAX = 1 << 26
_DAMAGE = (pa.ArrowException, OSError, MemoryError, OverflowError, ValueError)
_COLUMNS_SHOWN = 30
_CORRUPT = "corrupt_parquet"

Decode = Callable[[pa.RecordBatch, int, Resources], Batch]
"""Decodes a batch of rows; the number of its first row, from 1."""


def opened_parquet(contents: Contents) -> pq.ParquetFile | None:
    """Return a file as Parquet; None: it is none, or so damaged that `problem` says why.

    One that is compressed as a whole, or cannot be read at any place, is kept in memory.
    """
    if not contents.head.startswith(MAGIC) or contents.problem:
        return None
    try:
        if contents.file is None:
            contents.file = io.BytesIO(joined(contents.pieces))
            contents.pieces = iter(())
        contents.file.seek(0)
        return pq.ParquetFile(
            contents.file,
            thrift_string_size_limit=_THRIFT_MAX,
            thrift_container_size_limit=_THRIFT_MAX,
            page_checksum_verification=True,
        )
    except BrokenStreamError as error:
        contents.problem = error.reason
    except _DAMAGE:
        contents.problem = _CORRUPT
    return None


def is_parquet_of(contents: Contents, shape: Mapping[str, Shape]) -> bool:
    """Return whether this is a Parquet file whose columns have a shape.

    Which columns it has is remarked on, for the case that no format knows them.
    """
    file = opened_parquet(contents)
    if file is None:
        return False
    schema = file.schema_arrow
    contents.remark = f"Parquet with the columns {', '.join(schema.names[:_COLUMNS_SHOWN])}"
    return fits(pa.struct(list(schema)), dict(shape))


def read_parquet(
    contents: Contents, block_bytes: int, wanted: Callable[[str], bool], decode: Decode
) -> Iterator[Task]:
    """Yield one task for each batch of rows; a group of rows that is damaged is rejected.

    Args:
        contents: A Parquet file.
        block_bytes: Size of a block.
        wanted: Tells by the dotted path of a column in the file whether it is read.
        decode: Decodes a batch.
    """
    file = opened_parquet(contents)
    if file is None or contents.file is None:
        return
    size_bytes = contents.file.seek(0, io.SEEK_END)
    budget = Budget(size_bytes)
    paths = [file.schema.column(number).path for number in range(len(file.schema))]
    columns = {number: path for number, path in enumerate(paths) if wanted(path)}
    resources = Resources()
    first = 1
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        row = first
        first += max(0, group.num_rows)
        try:
            read = partial(file.iter_batches, row_groups=[number], columns=[*columns.values()])
            next(read(1), None)  # Raises what `_rows` would end the process for.
            for batch in read(_rows(group, list(columns), block_bytes)):
                budget.spend(batch.nbytes)
                _check_numbers(batch)
                yield partial(decode, batch, row, resources)
                row += batch.num_rows
        except BrokenStreamError as error:
            yield partial(_lost, row, error.reason, 1)
            return
        except _DAMAGE:
            yield partial(_lost, row, _CORRUPT, _believable(first - row, size_bytes))
        else:
            if row < first:  # pyarrow ends without a word at a column that has no bytes
                yield partial(_lost, row, _CORRUPT, _believable(first - row, size_bytes))


def _check_numbers(rows: pa.RecordBatch) -> None:
    """Check that columns of numbered texts number only texts that are there.

    Those numbers are the file's own, and pyarrow reads them as they are; all other offsets and
    lengths it makes itself.

    Raises:
        pyarrow.ArrowInvalid: Some number has no text, or one of the texts is no UTF-8.
    """
    for column in rows.columns:
        if _has_numbered(column.type):
            column.validate(full=True)


def _has_numbered(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind)) or any(
        _has_numbered(kind.field(number).type) for number in range(kind.num_fields)
    )


def _rows(group: pq.RowGroupMetaData, columns: list[int], block_bytes: int) -> int:
    """Return how many rows to read at a time, by their bytes and by what the longest column holds.

    Columns may be encoded in next to nothing, and a row of Tempo's has any number of spans.

    Args:
        group: A group of rows.
        columns: Numbers of the columns that are read. A row of theirs must have been read before:
            pyarrow ends the process, instead of raising, where it is asked about a column whose
            metadata contradict each other. Reading checks the same metadata, and raises.
        block_bytes: Size of a block.
    """
    values = max((group.column(number).num_values for number in columns), default=0)
    by_values = group.num_rows * _VALUES_MAX // max(1, values)
    by_bytes = group.num_rows * block_bytes // (_BLOCK_SHARE * max(1, group.total_byte_size))
    return int(min(max(1, by_bytes), max(1, by_values), _VALUES_MAX))


def _believable(rows: int, size_bytes: int) -> int:
    """Return how many rows to count as lost; their number may be as wrong as the rest."""
    return max(1, min(rows, size_bytes))


def _lost(row: int, reason: str, records: int) -> Batch:
    return Batch(
        rejects=pl.DataFrame([(row, reason, records, "")], schema=REJECTS.schema, orient="row")
    )
