"""Bytes as they lie somewhere: in a file, a pipe, an object store, an archive."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, cast

from tracemap.errors import InputError
from tracemap.ingest.contents import nothing_beside
from tracemap.ingest.streams import CHUNK_BYTES, Breaking, BrokenStreamError

KEPT_BYTES_MAX = 1 << 25
"""What can be read once only and is no larger is kept in memory, so that it can be read twice."""


@dataclass
class Stored:
    """Bytes as they lie somewhere.

    Attributes:
        path: As shown to people.
        named: The user named this very thing (`sources.Source`).
        chunks: Opens the stream of the bytes. Reading it may raise `InputError`, of a member of an
            archive `BrokenStreamError`.
        repeatable: `chunks` may be called more than once.
        file: The bytes for reading at any place, if that can be done.
        beside: Returns what is in another, small file of the same folder; None: there is none.
        is_readable: It could be opened at all.
    """

    path: str
    named: bool
    chunks: Callable[[], Iterator[bytes]]
    repeatable: bool
    file: BinaryIO | None = None
    beside: Callable[[str], bytes | None] = nothing_beside
    is_readable: bool = True


class OpenFile(io.RawIOBase):
    """An open file whose problems are told as such of the input.

    Args:
        path: As shown to people.
        file: The file itself.
        problem: Makes of what the system says something for people.
    """

    def __init__(
        self, path: str, file: BinaryIO, problem: Callable[[str, OSError], InputError]
    ) -> None:
        super().__init__()
        self._path = path
        self._file = file
        self._problem = problem

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return whether it can be read at any place."""
        return self._file.seekable()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""
        try:
            return self._file.read() if size < 0 else self._file.read(size)
        except OSError as error:
            raise self._problem(self._path, error) from error

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        try:
            self._file.seek(offset, whence)
            return self._file.tell()
        except OSError as error:
            raise self._problem(self._path, error) from error

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def as_binary(self) -> BinaryIO:
        """Return this, as what it is used as."""
        return cast("BinaryIO", self)


def unreadable(path: str, error: OSError) -> InputError:
    """Return the error for a file that cannot be read."""
    return InputError(
        f"cannot read {path!r}: {error.strerror}",
        where=path,
        hint="check that the file is there and that you may read it",
    )


def stored_file(
    path: str,
    file: BinaryIO,
    *,
    named: bool = False,
    beside: Callable[[str], bytes | None] = nothing_beside,
) -> Stored:
    """Return the bytes of an open file that can be read at any place, as often as wanted."""

    def chunks() -> Iterator[bytes]:
        at = 0
        # Others may read elsewhere in the file between two chunks.
        while file.seek(at) == at and (chunk := file.read(CHUNK_BYTES)):
            at += len(chunk)
            yield chunk

    return Stored(path, named, chunks, repeatable=True, file=file, beside=beside)


def stored_stream(path: str, chunks: Iterator[bytes], *, named: bool = False) -> Stored:
    """Return the bytes of something that can be read once only; if it is small, they are kept."""
    kept: list[bytes] = []
    size_bytes = 0
    rest = chunks
    try:
        while size_bytes <= KEPT_BYTES_MAX:
            chunk = next(chunks)
            kept.append(chunk)
            size_bytes += len(chunk)
    except StopIteration:
        return stored_file(path, io.BytesIO(b"".join(kept)), named=named)
    except BrokenStreamError as error:
        broken = error
        return Stored(path, named, lambda: chain(kept, Breaking(broken)), repeatable=True)
    return Stored(path, named, lambda: chain(kept, rest), repeatable=False)
