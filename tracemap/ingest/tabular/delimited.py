r"""ClickHouse's text exports with a line of names: ``CSVWithNames`` and ``TabSeparatedWithNames``.

In CSV a field is quoted and its quotes are doubled; in TSV backslashes escape. Maps and lists stand
in fields as ClickHouse writes them: ``{'key':'value'}``, ``['a','b']``.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from functools import partial

import polars as pl
import pyarrow as pa
from pyarrow import csv

from tracemap.ingest.contents import Contents
from tracemap.ingest.formats import Task
from tracemap.ingest.rejected import excerpt
from tracemap.ingest.resources import Resources
from tracemap.ingest.streams import BrokenStreamError
from tracemap.ingest.tabular.clickhouse import REQUIRED, WANTED, decoded_rows
from tracemap.ingest.tabular.columns import words
from tracemap.model import REJECTS, Batch

_WHOLE = ("Duration",)
_LISTS = ("Events.Name", "Events.Attributes", "Links.TraceId", "Links.SpanId")
_PLAIN = ("SpanName", "ScopeName", "TraceState", "ServiceName")
_MAP = r"\{(?:[^'{}]|'(?:[^'\\]|\\.)*')*\}"
_TEXT = r"'(?:[^'\\]|\\.)*'"
_REJECTS_MAX = 1000


def is_clickhouse_text(contents: Contents) -> bool:
    """Return whether the first line names the columns of ClickHouse's traces."""
    return _delimiter(contents.head) is not None


def _delimiter(head: bytes) -> str | None:
    first = head.partition(b"\n")[0].decode("utf-8", "replace").strip("\r")
    for delimiter in (",", "\t"):
        names = {name.strip('"') for name in first.split(delimiter)}
        if names >= REQUIRED:
            return delimiter
    return None


class _Pieces(io.RawIOBase):
    """The pieces of a stream as a file; where it breaks it ends, and `broken` says why.

    What is no UTF-8 becomes U+FFFD: pyarrow cannot even report a row in which it is.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = b""
        self._text = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self.broken = ""

    def readable(self) -> bool:
        """Return true."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        try:
            while not self._rest and (piece := next(self._pieces, None)) is not None:
                self._rest = self._text.decode(piece).encode()
        except BrokenStreamError as error:
            self.broken = error.reason
        if not self._rest:
            self._rest = self._text.decode(b"", final=True).encode()
        size = len(self._rest) if size < 0 else size
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class _BadRows:
    """Rows that do not have as many fields as there are columns."""

    def __init__(self) -> None:
        self._found: list[tuple[int, str, int, str]] = []

    def __call__(self, row: csv.InvalidRow) -> str:
        """Note one, and leave it out."""
        if len(self._found) == _REJECTS_MAX:
            line, reason, records, shown = self._found[-1]
            self._found[-1] = line, reason, records + 1, shown
        else:
            self._found.append((row.number or 0, "bad_row", 1, excerpt((row.text or "").encode())))
        return "skip"

    def taken(self) -> list[tuple[int, str, int, str]]:
        """Return those found since this was last asked for."""
        found, self._found = self._found, []
        return found


def read_clickhouse_text(contents: Contents, block_bytes: int) -> Iterator[Task]:
    """Yield one task for each block of rows."""
    delimiter = _delimiter(contents.head) or ","
    pieces = _Pieces(contents.pieces)
    bad = _BadRows()
    resources = Resources()
    row = 1
    try:
        reader = _opened(pieces, delimiter, block_bytes, bad)
        for batch in reader:
            yield partial(_decoded, batch, row, bad.taken(), resources, delimiter=delimiter)
            row += batch.num_rows
    except pa.ArrowInvalid:
        yield partial(_lost, [*bad.taken(), (row, pieces.broken or "bad_row", 1, "")])
        return
    left = bad.taken()
    if pieces.broken:
        left.append((row, pieces.broken, 1, ""))
    if left:
        yield partial(_lost, left)


def _opened(
    pieces: _Pieces, delimiter: str, block_bytes: int, bad: _BadRows
) -> csv.CSVStreamingReader:
    names = [name for name in WANTED if "." in name or not name.startswith(("Events", "Links"))]
    quoted = delimiter == ","
    return csv.open_csv(
        pieces,
        read_options=csv.ReadOptions(block_size=block_bytes, use_threads=False),
        parse_options=csv.ParseOptions(
            delimiter=delimiter,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
            invalid_row_handler=bad,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.large_binary()),
            include_columns=names,
            include_missing_columns=True,
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def _lost(rejects: list[tuple[int, str, int, str]]) -> Batch:
    return Batch(rejects=pl.DataFrame(rejects, schema=REJECTS.schema, orient="row"))


def _decoded(
    rows: pa.RecordBatch,
    first: int,
    rejects: list[tuple[int, str, int, str]],
    resources: Resources,
    *,
    delimiter: str,
) -> Batch:
    """Decode a block of rows; what could not be cut before it is rejected with it."""
    batch = decoded_rows(_typed(rows, unescape=delimiter == "\t"), first, resources)
    if rejects:
        batch.rejects = pl.concat([_lost(rejects).rejects, batch.rejects])
    return batch


def _typed(rows: pa.RecordBatch, *, unescape: bool) -> pa.RecordBatch:
    """Return rows of text with numbers and lists as such."""
    frame = pl.DataFrame({name: words(rows.column(name)) for name in rows.schema.names})
    texts = [pl.col(name) for name in frame.columns if frame[name].dtype == pl.String]
    frame = frame.with_columns(each.replace("\\N", "") for each in texts)
    there = [name for name in _LISTS if name in frame.columns and frame[name].dtype == pl.String]
    said = pl.col([name for name in _WHOLE if name in frame.columns])
    made = [said.cast(pl.Int64, strict=False)]
    made += [
        pl.col(name).str.extract_all(_MAP if name.endswith("Attributes") else _TEXT)
        for name in there
    ]
    frame = frame.with_columns(made)
    frame = frame.with_columns(
        pl.col(name).list.eval(_plain(pl.element().str.slice(1).str.head(-1)))
        for name in there
        if not name.endswith("Attributes")
    )
    if unescape:
        frame = frame.with_columns(_plain(pl.col(name)) for name in _PLAIN)
    return frame.to_arrow().combine_chunks().to_batches()[0] if len(frame) else rows


def _plain(text: pl.Expr) -> pl.Expr:
    """Return text without the commonest of ClickHouse's escapes."""
    for escaped, plain in ((r"\t", "\t"), (r"\n", "\n"), (r"\'", "'"), (r"\\", "\\")):
        text = text.str.replace_all(escaped, plain, literal=True)
    return text
