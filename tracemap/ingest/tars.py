"""Members of a tar archive, read from a stream: nothing is looked up, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tracemap.ingest.streams import BrokenStreamError

_BLOCK_BYTES = 512
_LONG_BYTES_MAX = 1 << 20
_CHECKSUM = slice(148, 156)
_REGULAR = (b"0", b"\0", b"7")
_FOLDER = b"5"
_SPARSE = b"S"
_LONG_NAME, _LONG_TARGET = b"L", b"K"
_EXTENDED, _EXTENDED_FOR_ALL = b"x", b"g"
_LINKS = (b"1", b"2")
_BASE_256 = 0x80


@dataclass
class TarMember:
    """What the header of a member says.

    Attributes:
        name: As written; it is never used as a path.
        sort: ``file``, ``folder``, ``link``, ``special`` (device, pipe), ``sparse`` or ``damaged``.
        size_bytes: Size of its contents in the archive.
        chunks: Its contents; what is left of them is passed over when the next member is asked for.
    """

    name: str
    sort: str
    size_bytes: int = 0
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))


def is_tar(head: bytes) -> bool:
    """Return whether a stream that starts with `head` is a tar archive: its first sum is right."""
    return len(head) >= _BLOCK_BYTES and _is_header(head[:_BLOCK_BYTES])


def _is_header(block: bytes) -> bool:
    said = block[_CHECKSUM].split(b"\0")[0].strip()
    if not said or any(byte not in b"01234567" for byte in said):
        return False
    return int(said, 8) == sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")


class _Stream:
    """A stream that is read by number of bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def some(self, size: int) -> bytes:
        """Return at least one and at most `size` bytes; none at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece

    def exactly(self, size: int) -> Iterator[bytes]:
        """Yield `size` bytes in pieces.

        Raises:
            BrokenStreamError: ``truncated_tail``
        """
        while size:
            piece = self.some(size)
            if not piece:
                raise BrokenStreamError("truncated_tail")
            size -= len(piece)
            yield piece

    def block(self) -> bytes:
        """Return the next block; nothing at the end."""
        first = self.some(_BLOCK_BYTES)
        return first and first + b"".join(self.exactly(_BLOCK_BYTES - len(first)))


def tar_members(chunks: Iterator[bytes]) -> Iterator[TarMember]:
    """Yield the members of an archive in order.

    A header that is damaged gives one ``damaged`` member; the next header is then looked for, block
    by block. Archives behind one another are read as one.

    Raises:
        BrokenStreamError: If the stream breaks or ends inside of a member.
    """
    stream = _Stream(chunks)
    said: dict[str, str] = {}
    searching = False
    while block := stream.block():
        if not any(block):
            searching = False
            continue
        if not _is_header(block) or (size := _size(block, said)) < 0:
            if not searching:
                yield TarMember("", "damaged")
            searching = True
            continue
        searching = False
        sort = block[156:157]
        contents = stream.exactly(size)
        padding = -size % _BLOCK_BYTES
        if sort in (_LONG_NAME, _LONG_TARGET, _EXTENDED, _EXTENDED_FOR_ALL):
            if size <= _LONG_BYTES_MAX:
                said |= _long(sort, b"".join(contents))
            else:
                yield TarMember("", "damaged")
        else:
            name = said.get("path") or _name(block)
            yield TarMember(name, _sort(sort, name, said), size, contents)
            said = {}
        for _ in contents:
            pass
        for _ in stream.exactly(padding):
            pass


def _sort(sort: bytes, name: str, said: dict[str, str]) -> str:
    if any(key.startswith("GNU.sparse.") for key in said) or sort == _SPARSE:
        return "sparse"
    if sort in _LINKS:
        return "link"
    if sort == _FOLDER or (sort in _REGULAR and name.endswith("/")):
        return "folder"
    return "file" if sort in _REGULAR else "special"


def _size(block: bytes, said: dict[str, str]) -> int:
    """Return how many bytes of contents follow; -1: the header makes no sense."""
    if block[156:157] in _LINKS:
        return 0
    written = said.get("size", "")
    if written:
        return int(written) if written.isascii() and written.isdigit() and len(written) < 20 else -1  # noqa: PLR2004
    size = block[124:136]
    if size[0] == _BASE_256:
        return int.from_bytes(size[1:], "big")
    digits = size.split(b"\0")[0].strip()
    if any(byte not in b"01234567" for byte in digits):
        return -1
    return int(digits or b"0", 8)


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def _name(block: bytes) -> str:
    name, prefix = _text(block[:100]), _text(block[345:500])
    is_posix = block[257:263] == b"ustar\0"
    return f"{prefix}/{name}" if prefix and is_posix else name


def _long(sort: bytes, raw: bytes) -> dict[str, str]:
    """Return what a header about the next member says."""
    if sort == _LONG_NAME:
        return {"path": _text(raw)}
    if sort in (_LONG_TARGET, _EXTENDED_FOR_ALL):
        return {}
    said = {}
    at = 0
    while at < len(raw):
        length, _, _ = raw[at : at + 20].partition(b" ")
        if not length.isdigit() or int(length) <= len(length):
            break
        record = raw[at + len(length) + 1 : at + int(length) - 1]
        key, _, value = record.partition(b"=")
        said[_text(key)] = _text(value)
        at += int(length)
    return said
