"""Write files, compressed or not, that depend on nothing but their content."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing, with gzip if its name ends in ``.gz``.

    The gzip header holds neither name nor time, so equal content gives equal bytes.
    """
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
            yield compressed  # type: ignore[misc]


def gzipped(content: bytes) -> bytes:
    """Return `content` compressed as well as gzip can, with neither name nor time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0, compresslevel=9) as file:
        file.write(content)
    return buffer.getvalue()
