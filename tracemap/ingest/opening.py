"""What was found, opened: files, pipes, standard input, objects."""

from __future__ import annotations

import io
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from tracemap.errors import InputError
from tracemap.ingest.objects import is_address, object_beside, open_object
from tracemap.ingest.sources import STANDARD_INPUT, Source, shown_name
from tracemap.ingest.stored import OpenFile, Stored, stored_file, unreadable
from tracemap.ingest.streams import CHUNK_BYTES

_BESIDE_BYTES_MAX = 1 << 20
_PIPE_TRIES, _PIPE_PAUSE_SECONDS = 100, 0.1


@contextmanager
def opened(source: Source) -> Iterator[Stored]:
    """Open one of `find_inputs`.

    Raises:
        InputError: If the user named it and it cannot be opened.
    """
    try:
        file = _open(source.path)
    except InputError:
        if source.named:
            raise
        yield Stored(
            shown_name(source.path),
            named=False,
            chunks=lambda: iter(()),
            repeatable=True,
            is_readable=False,
        )
        return
    try:
        yield _stored(source, file)
    finally:
        if source.path != STANDARD_INPUT:
            file.close()


def _open(path: str) -> OpenFile:
    if path == STANDARD_INPUT:
        return OpenFile(path, sys.stdin.buffer, unreadable)
    return open_object(path) if is_address(path) else _open_local(path)


def _stored(source: Source, file: OpenFile) -> Stored:
    shown = shown_name(source.path)
    if source.path != STANDARD_INPUT and file.seekable():
        neighbour = partial(object_beside if is_address(source.path) else beside, source.path)
        return stored_file(
            shown_name(source.path), file.as_binary(), named=source.named, beside=neighbour
        )
    chunks: Callable[[], Iterator[bytes]] = partial(iter, partial(file.read, CHUNK_BYTES), b"")
    return Stored(shown, source.named, chunks, repeatable=False)


def beside(path: str, name: str) -> bytes | None:
    """Return what is in the small file `name` in the folder of `path`; None: there is none."""
    other = Path(path).with_name(name)
    with suppress(OSError):
        if other.is_file() and other.stat().st_size <= _BESIDE_BYTES_MAX:
            return other.read_bytes()
    return None


def _open_local(path: str) -> OpenFile:
    """Open a file or pipe; a pipe that nobody writes to must not stop everything.

    Raises:
        InputError: If it cannot be opened, or is neither.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags)
        mode = os.fstat(number).st_mode
    except OSError as error:
        raise unreadable(path, error) from error
    file = os.fdopen(number, "rb")
    if stat.S_ISREG(mode):
        return OpenFile(path, file, unreadable)
    if stat.S_ISFIFO(mode):
        return OpenFile(path, cast("BinaryIO", _Pipe(path, file)), unreadable)
    file.close()
    raise InputError(
        f"{path!r} is neither a file nor a pipe",
        where=path,
        hint="name files, folders or patterns of traces, or - for standard input",
    )


class _Pipe(io.RawIOBase):
    """A pipe that somebody writes to.

    Raises:
        InputError: If nobody does for ten seconds.
    """

    def __init__(self, path: str, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._first = self._awaited(path)
        os.set_blocking(file.fileno(), True)

    def _awaited(self, path: str) -> bytes:
        for _ in range(_PIPE_TRIES):
            try:
                first = os.read(self._file.fileno(), CHUNK_BYTES)
            except BlockingIOError:  # there is a writer, and nothing written yet
                return b""
            if first:
                return first
            time.sleep(_PIPE_PAUSE_SECONDS)
        self._file.close()
        raise InputError(
            f"nobody writes to the pipe {path!r}", where=path, hint="start what writes to it first"
        )

    def seekable(self) -> bool:
        """Return false."""
        return False

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size` but for the first; none at the end."""
        first, self._first = self._first, b""
        return first or self._file.read(size)

    def close(self) -> None:
        """Close it."""
        self._file.close()
        super().close()
