"""One file, or standard input, from its bytes to batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import polars as pl
import xxhash

from tracemap.errors import InputError
from tracemap.ingest.ahead import in_order
from tracemap.ingest.archives import DEPTH_MAX, Notes, archive_format, members
from tracemap.ingest.contents import open_contents
from tracemap.ingest.cutting import BLOCK_BYTES
from tracemap.ingest.formats import Task
from tracemap.ingest.opening import opened
from tracemap.ingest.registry import FORMATS, format_of
from tracemap.ingest.rejected import excerpt
from tracemap.ingest.sources import Source
from tracemap.ingest.stored import Stored
from tracemap.ingest.streams import BrokenStreamError, Budget
from tracemap.model import REJECTS, Batch
from tracemap.self_trace import stage

UNKNOWN_FORMAT = "unknown"
UNREADABLE_FORMAT = "unreadable"
_PROBLEMS = {
    "unreadable_file": "{!r} cannot be read",
    "empty_file": "{!r} is empty",
    "not_a_trace_file": "{!r} is no trace file that tracemap can read",
    "truncated_tail": "{!r} ends before its first record does",
    "corrupt_compression": "{!r} is damaged: it cannot be decompressed",
    "corrupt_archive": "{!r} is damaged: its archive cannot be followed",
    "corrupt_parquet": "{!r} is damaged: Parquet whose footer cannot be read",
    "decompression_bomb": "{!r} expands beyond all reason",
    "nested_too_deep": "{!r} is compressed too many times over",
    "message_too_large": "{!r} holds a message that is too large",
}


class FileReading:
    """A file being read; see `tracemap.model.Reading`.

    Its content hash is known after its last batch, for bytes are read once: `identify` reads them
    one more time, only to know it earlier. What can be read once only, as standard input, has no
    size before its end either.

    Args:
        stored: What is read.
        budget: What comes out of it counts against this.
        block_bytes: See `open_source`.
    """

    def __init__(
        self, stored: Stored, budget: Budget | None = None, *, block_bytes: int = BLOCK_BYTES
    ) -> None:
        self.path = stored.path
        self.size_bytes = 0
        self.format = UNKNOWN_FORMAT
        self.content_hash: str | None = None
        self._stored = stored
        self._budget = budget
        self._block_bytes = block_bytes
        if not stored.is_readable:
            self.format = UNREADABLE_FORMAT
            # Not the hash of any contents: once it can be read, the file is new.
            self.content_hash = xxhash.xxh3_128_hexdigest(f"unreadable {self.path}".encode())
        elif stored.file is not None:
            self.size_bytes = stored.file.seek(0, 2)
        elif stored.repeatable:
            self.identify()

    def identify(self) -> None:
        """Make the content hash known before the last batch, if the bytes can be read twice."""
        if self.content_hash is None and self._stored.repeatable:
            self._drain(self._hashed())

    def _hashed(self) -> Iterator[bytes]:
        """Yield the bytes as they are stored; at the end their hash and number are known."""
        digest = xxhash.xxh3_128()
        size_bytes = 0
        try:
            for chunk in self._stored.chunks():
                digest.update(chunk)
                size_bytes += len(chunk)
                yield chunk
        finally:
            self.content_hash = digest.hexdigest()
            self.size_bytes = size_bytes

    @staticmethod
    def _drain(chunks: Iterator[bytes]) -> str:
        """Read to the end, so that the hash is of all of it; return why that is not the end."""
        try:
            deque(chunks, maxlen=0)
        except BrokenStreamError as error:
            return error.reason
        return ""

    def batches(self) -> Iterator[Batch]:
        """Yield the file's contents in order, each batch of bounded size.

        Raises:
            InputError: If the user named this file and it holds nothing tracemap understands, or
                if it can no longer be read.
        """
        if not self._stored.is_readable:
            yield self._refused("unreadable_file")
            return
        chunks = self._hashed()
        try:
            contents = open_contents(
                chunks, self._budget, file=self._stored.file, beside=self._stored.beside
            )
        except BrokenStreamError as error:
            self._drain(chunks)
            yield self._refused(error.reason)
            return
        found = format_of(contents)
        if found is None:
            reason, shown = contents.refusal()
            yield self._refused(self._drain(chunks) or reason, shown)
            return
        self.format = found.name
        tasks = (partial(_decoded, task) for task in found.read(contents, self._block_bytes))
        yield from in_order(tasks, reading_is="read block")
        self._drain(chunks)

    def _refused(self, reason: str, head: bytes = b"") -> Batch:
        if self._stored.named:
            raise refusal(self.path, reason, head)
        return refused(reason, head)


def _decoded(task: Task) -> Batch:
    with stage("decode block") as work:
        batch = task()
        work.note(spans=batch.spans.height)
    return batch


def refusal(path: str, reason: str, shown: bytes = b"") -> InputError:
    """Return the error for a file that the user named, and of which nothing can be taken."""
    known = ", ".join(each.name for each in FORMATS)
    return InputError(
        _PROBLEMS[reason].format(path) + _remark(shown),
        where=path,
        hint=f"formats tracemap reads: {known}; as they are, in gzip or zstd, or in tar or zip"
        " archives",
    )


def _remark(shown: bytes) -> str:
    """Return what is known of a file that no format reads."""
    return f" ({shown.decode(errors='replace')})" if shown.startswith(b"Parquet with ") else ""


def refused(reason: str, head: bytes = b"") -> Batch:
    """Return the batch of a file of which nothing can be taken: one reject."""
    row = (0, reason, 1, excerpt(head))
    return Batch(rejects=pl.DataFrame([row], schema=REJECTS.schema, orient="row"))


@contextmanager
def open_source(source: Source, *, block_bytes: int = BLOCK_BYTES) -> Iterator[FileReading]:
    """Open one of `find_inputs` that is no archive and give it as a `tracemap.model.Reading`.

    Args:
        source: What to read.
        block_bytes: Size of the pieces in which it is decoded; a record that is larger gets a
            piece of its own. The result does not depend on it.

    Raises:
        InputError: If the user named this file and it cannot be opened.
    """
    with opened(source) as stored:
        yield FileReading(*_budgeted(stored), block_bytes=block_bytes)


@contextmanager
def open_sources(source: Source) -> Iterator[Iterator[FileReading | Notes]]:
    """Open one of `find_inputs`; give what is in it, each a `tracemap.model.Reading`.

    That is the file itself, or of an archive each file in it, one after the other, and at the end
    the archive itself, if there is anything to say about it. Each must be done with before the
    next one is asked for.

    Args:
        source: What to read.

    Raises:
        InputError: If the user named it and it cannot be opened.
    """
    with opened(source) as stored:
        yield _readings(*_budgeted(stored), depth=0)


def _budgeted(stored: Stored) -> tuple[Stored, Budget]:
    """Return what is stored, and the budget for all that comes out of it."""
    if stored.file is not None:
        return stored, Budget(stored.file.seek(0, 2))
    budget = Budget()
    return replace(stored, chunks=_counted(stored, budget)), budget


def _counted(stored: Stored, budget: Budget) -> Callable[[], Iterator[bytes]]:
    return lambda: budget.counted(stored.chunks())


def _readings(stored: Stored, budget: Budget, *, depth: int) -> Iterator[FileReading | Notes]:
    archive, stored = archive_format(stored)
    if not archive:
        yield FileReading(stored, budget)
        return
    notes = Notes(stored.path, archive)
    if depth == DEPTH_MAX:
        notes.reject(0, "nested_too_deep")
    else:
        for member in members(stored, notes, budget):
            yield from _readings(member, budget, depth=depth + 1)
    if notes:
        yield notes
