"""Members of a zip archive, read from where its directory says that they lie."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tracemap.ingest.streams import CHUNK_BYTES, BrokenStreamError

_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 1
_STORED, _DEFLATED, _ZSTD = 0, 8, 93
_SYMLINK, _SORT_OF_FILE = 0o120000, 0o170000
_REGULAR = (0, 0o100000)
_TAIL_BYTES = 1 << 17
_END, _END_BYTES = b"PK\x05\x06", 22
_END_64, _END_64_BYTES = b"PK\x06\x06", 56
_DIRECTORY_BYTES_MAX = 1 << 25


@dataclass
class ZipMember:
    """What the directory says about a member.

    Attributes:
        name: As written; it is never used as a path.
        sort: ``file``, ``folder``, ``link``, ``special``, ``encrypted``, ``unknown_compression`` or
            ``overlapping``.
        info: Its entry in the directory.
    """

    name: str
    sort: str
    info: zipfile.ZipInfo


def is_zip(head: bytes) -> bool:
    """Return whether a file that starts with `head` is a zip archive."""
    return head.startswith(_MAGICS)


def zip_members(file: BinaryIO) -> list[ZipMember]:
    """Return the members of an archive in the order in which they lie in it.

    Raises:
        BrokenStreamError: ``truncated_tail`` if there is no directory at its end,
            ``too_many_members`` or ``corrupt_archive``.
    """
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            found = sorted(archive.infolist(), key=lambda info: info.header_offset)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError) as error:
        raise BrokenStreamError("corrupt_archive") from error
    members = []
    end = 0
    for info in found:
        sort = "overlapping" if info.header_offset < end else _sort(info)
        end = max(end, info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size)
        members.append(ZipMember(info.filename, sort, info))
    return members


def _check_directory(file: BinaryIO) -> None:
    """Look at the directory's size before anything is made of it."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        raise BrokenStreamError("truncated_tail")
    (directory_bytes,) = struct.unpack_from("<L", tail, at + 12)
    long = tail.rfind(_END_64, 0, at)
    if directory_bytes == (1 << 32) - 1 and long >= 0 and at - long >= _END_64_BYTES:
        (directory_bytes,) = struct.unpack_from("<Q", tail, long + 40)
    if directory_bytes > _DIRECTORY_BYTES_MAX:
        raise BrokenStreamError("too_many_members")
    file.seek(0)


def _sort(info: zipfile.ZipInfo) -> str:
    sort_of_file = (info.external_attr >> 16) & _SORT_OF_FILE
    if info.is_dir():
        return "folder"
    if sort_of_file == _SYMLINK:
        return "link"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if info.compress_type not in (_STORED, _DEFLATED, _ZSTD):
        return "unknown_compression"
    return "file" if sort_of_file in _REGULAR else "special"


def zip_chunks(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the contents of a member; of one in zstd the frames themselves.

    Raises:
        BrokenStreamError: ``corrupt_archive``, ``corrupt_compression`` or ``truncated_tail``.
    """
    raw = _raw(file, info)
    if info.compress_type == _ZSTD:
        yield from raw
        return
    checksum = 0
    for chunk in raw if info.compress_type == _STORED else _inflated(raw):
        checksum = zlib.crc32(chunk, checksum)
        yield chunk
    if checksum != info.CRC:
        raise BrokenStreamError("corrupt_compression")


def _raw(file: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of a member as they lie in the archive."""
    if info.header_offset < 0:
        raise BrokenStreamError("corrupt_archive")
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER_BYTES)
    if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(_MAGICS[0]):
        raise BrokenStreamError("corrupt_archive")
    name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
    at = info.header_offset + _LOCAL_HEADER_BYTES + name_bytes + extra_bytes
    end = at + info.compress_size
    while at < end:
        file.seek(at)
        chunk = file.read(min(CHUNK_BYTES, end - at))
        if not chunk:
            raise BrokenStreamError("truncated_tail")
        at += len(chunk)
        yield chunk


def _inflated(raw: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(wbits=-15)
    for chunk in raw:
        rest = chunk
        while rest and not decoder.eof:
            try:
                made = decoder.decompress(rest, CHUNK_BYTES)
            except zlib.error as error:
                raise BrokenStreamError("corrupt_compression") from error
            rest = decoder.unconsumed_tail
            if made:
                yield made
    yield decoder.flush()
    if not decoder.eof:
        raise BrokenStreamError("truncated_tail")
