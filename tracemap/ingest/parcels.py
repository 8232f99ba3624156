"""Parcels: small files that are opened one by one and decoded together, as if they were one.

A file by itself costs some twenty milliseconds, however little is in it: kernels and threads are
started, some forty small queries run, a transaction ends. Exports to object stores come in files of
a few spans, by the ten thousand. So small files that stand in a row are read as one parcel.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import xxhash

from tracemap.errors import InputError
from tracemap.ingest.ahead import in_order
from tracemap.ingest.archives import archive_format
from tracemap.ingest.block import Block, joined
from tracemap.ingest.contents import Contents, open_contents
from tracemap.ingest.formats import Blocks, Format
from tracemap.ingest.joining import merged
from tracemap.ingest.opening import beside
from tracemap.ingest.reading import UNKNOWN_FORMAT, refusal, refused
from tracemap.ingest.registry import format_of
from tracemap.ingest.rejected import TooManyRejectsError
from tracemap.ingest.resources import Resources
from tracemap.ingest.sources import STANDARD_INPUT, Source, shown_name
from tracemap.ingest.stored import stored_file, unreadable
from tracemap.ingest.streams import BrokenStreamError
from tracemap.model import Batch, ParcelBatch

FILE_BYTES_MAX = 1 << 20
"""A file of more bytes is read by itself."""
PARCEL_BYTES = 1 << 24
"""A parcel is full with so many bytes of contents (which bounds memory), ..."""
PARCEL_FILES = 1000
"""... or with so many files (which bounds what an interruption costs)."""
_ONE_BLOCK_BYTES = 16 * PARCEL_BYTES

Other = TypeVar("Other")
_Found = tuple[Batch, Sequence[int]]


@dataclass
class SmallFile:
    """One file of a parcel, in memory; see `tracemap.model.ParcelFile`.

    Attributes:
        named: As of its `Source`.
        read: How its contents are read; None: they are not.
        contents: All of them.
        contents_bytes: Their size.
        refused: Why nothing of it can be taken, and its first bytes.
    """

    path: str
    content_hash: str
    size_bytes: int
    named: bool
    format: str = UNKNOWN_FORMAT
    error: InputError | None = None
    read: Format | None = None
    contents: Contents | None = None
    contents_bytes: int = 0
    refused: tuple[str, bytes] | None = None

    def blocks(self) -> list[Block]:
        """Return the contents cut into blocks, if the format has such."""
        if self.read is None or self.read.blocks is None or self.contents is None:
            return []
        return list(self.read.blocks.cut(self.contents, _ONE_BLOCK_BYTES))

    def batches(self) -> Iterator[Batch]:
        """Yield the contents as batches, one by one."""
        if self.refused is not None:
            yield refused(*self.refused)
        elif self.read is not None and self.contents is not None:
            for task in self.read.read(self.contents, PARCEL_BYTES):
                yield task()


class Parcel:
    """Some small files; see `tracemap.model.Parcel`."""

    def __init__(self, files: Sequence[SmallFile]) -> None:
        self.files = files

    def batch(self, wanted: Sequence[int]) -> ParcelBatch:
        """Return what is in those files that are `wanted`, numbered in that order.

        It can be asked for once.
        """
        found: list[_Found] = []
        together: dict[str, tuple[Blocks, list[int], list[Block]]] = {}
        for number, index in enumerate(wanted):
            file = self.files[index]
            blocks = file.blocks()
            if file.read is not None and file.read.blocks is not None:
                known = together.setdefault(file.format, (file.read.blocks, [], []))
                known[1].extend([number] * len(blocks))
                known[2].extend(blocks)
            else:
                found += [(batch, [number]) for batch in file.batches()]
        resources = Resources()
        for each in together.values():
            found += _decoded(*each, resources)
        return merged(found, len(wanted))


def _decoded(
    format_: Blocks, numbers: Sequence[int], blocks: Sequence[Block], resources: Resources
) -> Iterator[_Found]:
    """Yield what is in `blocks`, each of the file of that number: at one go if that is possible."""
    try:
        yield format_.decode(joined(blocks), resources), numbers
    except TooManyRejectsError:
        middle = len(blocks) // 2
        yield from _decoded(format_, numbers[:middle], blocks[:middle], resources)
        yield from _decoded(format_, numbers[middle:], blocks[middle:], resources)


def in_parcels(sources: Iterable[Source | Other]) -> Iterator[Parcel | Source | Other]:
    """Yield the small files among `sources` as parcels, and everything else as it is, in order.

    The next ones are read while the last ones are used.
    """
    tasks = (partial(_itself, each) for each in _grouped(sources))
    return in_order(tasks, reading_is="read parcel")


def _itself(each: Parcel | Source | Other) -> Parcel | Source | Other:
    return each


def _grouped(sources: Iterable[Source | Other]) -> Iterator[Parcel | Source | Other]:
    files: list[SmallFile] = []
    size = 0
    for source in sources:
        file = _small_file(source) if isinstance(source, Source) else None
        if files and (file is None or size + file.contents_bytes > PARCEL_BYTES):
            yield Parcel(files)
            files, size = [], 0
        if file is None:
            yield source
            continue
        files.append(file)
        size += file.contents_bytes
        if len(files) == PARCEL_FILES:
            yield Parcel(files)
            files, size = [], 0
    if files:
        yield Parcel(files)


def _small_file(source: Source) -> SmallFile | None:
    """Return a source as a file of a parcel; None: it has to be read by itself, as archives do."""
    path = shown_name(source.path)
    try:
        data = _small_bytes(source.path)
    except OSError as error:
        return SmallFile(path, "", 0, source.named, error=unreadable(source.path, error))
    if data is None:
        return None
    whole = stored_file(path, io.BytesIO(data), beside=partial(beside, source.path))
    if archive_format(whole)[0]:
        return None
    file = SmallFile(path, xxhash.xxh3_128_hexdigest(data), len(data), source.named)
    try:
        contents = open_contents(whole.chunks(), file=whole.file, beside=whole.beside)
        file.read = format_of(contents)
    except BrokenStreamError as error:
        file.refused = error.reason, b""
    else:
        if file.read is None:
            file.refused = contents.refusal()
        else:
            file.format = file.read.name
            _hold(file, contents)
            if file.contents is None:
                return None
    if file.refused is not None and source.named:
        file.error = refusal(file.path, *file.refused)
    return file


def _small_bytes(path: str) -> bytes | None:
    """Return the bytes of a small file; None: it is not small, no plain file, or not there."""
    if path == STANDARD_INPUT:
        return None
    try:
        status = os.stat(path)  # noqa: PTH116  (a Path costs as much as the call)
        if not stat.S_ISREG(status.st_mode) or status.st_size > FILE_BYTES_MAX:
            return None
        number = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    with open(number, "rb", buffering=0) as file:  # noqa: PTH123
        data = file.read(FILE_BYTES_MAX + 1)
    return None if len(data) > FILE_BYTES_MAX else data


def _hold(file: SmallFile, contents: Contents) -> None:
    """Give `file` its contents, unless they are more than a parcel takes."""
    pieces: list[bytes] = []
    size = 0
    broken: BrokenStreamError | None = None
    try:
        for piece in contents.pieces:
            pieces.append(piece)
            size += len(piece)
            if size > PARCEL_BYTES:
                return
    except BrokenStreamError as error:
        broken = error
    file.contents = replace(contents, pieces=_again(pieces, broken))
    file.contents_bytes = size


def _again(pieces: Sequence[bytes], broken: BrokenStreamError | None) -> Iterator[bytes]:
    yield from pieces
    if broken is not None:
        raise broken
