"""One file, or standard input, from its bytes to batches."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import polars as pl
import xxhash

from tracemap.errors import InputError
from tracemap.ingest.ahead import in_order
from tracemap.ingest.contents import open_contents
from tracemap.ingest.cutting import BLOCK_BYTES
from tracemap.ingest.registry import FORMATS, format_of
from tracemap.ingest.rejected import excerpt
from tracemap.ingest.sources import STANDARD_INPUT, Source
from tracemap.ingest.streams import CHUNK_BYTES, BrokenStreamError
from tracemap.model import REJECTS, Batch

UNKNOWN_FORMAT = "unknown"
_PROBLEMS = {
    "unreadable_file": "{!r} cannot be read",
    "empty_file": "{!r} is empty",
    "not_a_trace_file": "{!r} is no trace file that tracemap can read",
    "truncated_tail": "{!r} ends before its first record does",
    "corrupt_compression": "{!r} is damaged: it cannot be decompressed",
    "decompression_bomb": "{!r} expands beyond all reason",
    "nested_too_deep": "{!r} is compressed too many times over",
    "message_too_large": "{!r} holds a message that is too large",
}


class FileReading:
    """A file being read; see `tracemap.model.Reading`.

    Standard input has no content hash and no size until its last batch was given.

    Args:
        source: What is read.
        file: Its bytes; None: it could not be opened.
        block_bytes: See `open_source`.
    """

    def __init__(
        self, source: Source, file: BinaryIO | None, *, block_bytes: int = BLOCK_BYTES
    ) -> None:
        self.path = source.path
        self.size_bytes = 0
        self.format = UNKNOWN_FORMAT
        self.content_hash: str | None = None
        self._named = source.named
        self._file = file
        self._block_bytes = block_bytes
        if file is None:
            # Not the hash of any contents: once it can be read, the file is new.
            self.content_hash = xxhash.xxh3_128_hexdigest(f"unreadable {self.path}".encode())
        elif source.path != STANDARD_INPUT:
            self._drain(self._chunks())
            file.seek(0)

    def _chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they are stored; at the end their hash and number are known."""
        digest = xxhash.xxh3_128()
        size_bytes = 0
        while chunk := self._read():
            digest.update(chunk)
            size_bytes += len(chunk)
            yield chunk
        self.content_hash = digest.hexdigest()
        self.size_bytes = size_bytes

    def _read(self) -> bytes:
        try:
            return self._file.read(CHUNK_BYTES) if self._file is not None else b""
        except OSError as error:
            raise unreadable(self.path, error) from error

    @staticmethod
    def _drain(chunks: Iterator[bytes]) -> None:
        deque(chunks, maxlen=0)

    def batches(self) -> Iterator[Batch]:
        """Yield the file's contents in order, each batch of bounded size.

        Raises:
            InputError: If the user named this file and it holds nothing tracemap understands, or
                if it can no longer be read.
        """
        chunks = self._chunks()
        if self._file is None:
            yield self._refused("unreadable_file")
            return
        try:
            contents = open_contents(chunks)
        except BrokenStreamError as error:
            self._drain(chunks)
            yield self._refused(error.reason)
            return
        found = format_of(contents)
        if found is None:
            self._drain(chunks)
            yield self._refused(
                "not_a_trace_file" if contents.head else "empty_file", contents.head
            )
            return
        self.format = found.name
        yield from in_order(found.read(contents, self._block_bytes))
        self._drain(chunks)  # what a reader left, so that the hash is of all of it

    def _refused(self, reason: str, head: bytes = b"") -> Batch:
        if self._named:
            raise refusal(self.path, reason)
        return refused(reason, head)


def refusal(path: str, reason: str) -> InputError:
    """Return the error for a file that the user named, and of which nothing can be taken."""
    known = ", ".join(each.name for each in FORMATS)
    return InputError(
        _PROBLEMS[reason].format(path),
        where=path,
        hint=f"formats tracemap reads: {known}; as they are or in gzip or zstd",
    )


def refused(reason: str, head: bytes = b"") -> Batch:
    """Return the batch of a file of which nothing can be taken: one reject."""
    row = (0, reason, 1, excerpt(head))
    return Batch(rejects=pl.DataFrame([row], schema=REJECTS.schema, orient="row"))


def unreadable(path: str, error: OSError) -> InputError:
    """Return the error for a file that cannot be opened or read."""
    return InputError(
        f"cannot read {path!r}: {error.strerror}",
        where=path,
        hint="check that the file is there and that you may read it",
    )


@contextmanager
def open_source(source: Source, *, block_bytes: int = BLOCK_BYTES) -> Iterator[FileReading]:
    """Open one of `find_inputs` and give it as a `tracemap.model.Reading`.

    Args:
        source: What to read.
        block_bytes: Size of the pieces in which it is decoded; a record that is larger gets a
            piece of its own. The result does not depend on it.

    Raises:
        InputError: If the user named this file and it cannot be opened.
    """
    if source.path == STANDARD_INPUT:
        yield FileReading(source, sys.stdin.buffer, block_bytes=block_bytes)
        return
    try:
        file = Path(source.path).open("rb")  # noqa: SIM115  (closed below; only opening may fail)
    except OSError as error:
        if source.named:
            raise unreadable(source.path, error) from error
        yield FileReading(source, None)
        return
    with file:
        yield FileReading(source, file, block_bytes=block_bytes)
