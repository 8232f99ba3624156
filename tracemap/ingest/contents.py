"""A file as its format sees it: decompressed, unframed, with its first bytes to recognise it by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import BinaryIO

from tracemap.ingest.messages import Messages
from tracemap.ingest.shapes import Shape, shapes
from tracemap.ingest.streams import (
    GZIP_MAGIC,
    MESSAGE_BYTES_MAX,
    ZSTD_MAGIC,
    BrokenStreamError,
    Budget,
    peeked,
    unpacked,
)

HEAD_BYTES = 1 << 16
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIRST_TAG = b"\x0a"
_LENGTH_BYTES_MAX = 5
_TEXT_BYTES = 64
_INNER_TAGS = b"\x0a\x12\x1a"


def nothing_beside(_name: str) -> bytes | None:
    """Return that there is no such file in the same folder."""
    return None


@dataclass
class Contents:
    """What is in a file.

    Attributes:
        head: The first bytes, white space before them left out; of the first message, if framed.
        pieces: Chunks of a stream of bytes, or whole messages if framed. Reading them may raise
            `BrokenStreamError`; what came before is good.
        framed: The file is a sequence of messages with their length before each.
        lost: If framed, the numbers of messages (from 1) that turned out to be damaged so far, and
            why; they are empty among the pieces.
        file: The same bytes for reading at any place, if they lie somewhere as they are.
        beside: Returns what is in another, small file of the same folder; None: there is none.
        problem: Why nothing of it can be read, as a format that knows its like found out.
        remark: What it is, if that is known though no format can read it.
    """

    head: bytes
    pieces: Iterator[bytes]
    framed: bool = False
    lost: Mapping[int, str] = field(default_factory=dict)
    file: BinaryIO | None = None
    beside: Callable[[str], bytes | None] = nothing_beside
    problem: str = ""
    remark: str = ""

    def refusal(self) -> tuple[str, bytes]:
        """Return why no format takes the file, and what to show of it."""
        if self.problem or not self.head:
            return self.problem or next(iter(self.lost.values()), "empty_file"), b""
        return "not_a_trace_file", self.remark.encode() or self.head

    @cached_property
    def _shapes(self) -> list[Shape]:
        return shapes(self.head[:HEAD_BYTES])

    def first_object(self, keys: Collection[str], without: Collection[str] = ()) -> Shape | None:
        """Return the first object of JSON text that has all of `keys` and none of `without`."""
        if self.head[:1] not in (b"{", b"["):
            return None
        if not all(f'"{key}"'.encode() in self.head for key in keys):
            return None
        for shape in self._shapes:
            if shape.keys.issuperset(keys) and shape.keys.isdisjoint(without):
                return shape
        return None


def is_text(head: bytes) -> bool:
    """Return whether `head` could start a JSON text, maybe behind white space.

    A newline is also the tag with which OTLP messages start, and a bracket a likely length. What
    tells them apart is that a message has control characters (other tags) near its start.
    """
    start = head[:_TEXT_BYTES]
    controls = any(byte < ord(" ") and byte not in b"\t\n\r" for byte in start)
    return head.lstrip()[:1] in (b"{", b"[") and not controls


def is_message(head: bytes) -> bool:
    """Return whether `head` could start a protobuf message whose field 1 is a message itself."""
    if head[:1] != _FIRST_TAG or is_text(head):
        return False
    at = 1
    while at < _LENGTH_BYTES_MAX and head[at : at + 1] >= b"\x80":
        at += 1
    if at >= len(head) or head[at] >= 0x80:  # noqa: PLR2004
        return False
    inner = head[at + 1 : at + 2]
    return not inner or inner in _INNER_TAGS


def is_framed(head: bytes) -> bool:
    """Return whether `head` starts with the length of a message and something readable."""
    size = int.from_bytes(head[:4], "big")
    start = head[4:8]
    if not start or not 0 < size <= MESSAGE_BYTES_MAX:
        return False
    return start[:1] in (b"\x0a", b"{", b"[") or start == ZSTD_MAGIC or start[:2] == b"\x1f\x8b"


def open_contents(
    chunks: Iterator[bytes],
    budget: Budget | None = None,
    *,
    file: BinaryIO | None = None,
    beside: Callable[[str], bytes | None] = nothing_beside,
) -> Contents:
    """Return what is in a stream, sniffed by content: never by the name of the file.

    Args:
        chunks: The stream as it is stored.
        budget: What all that comes out of it counts against (`streams.unpacked`).
        file: The same bytes for reading at any place, if that can be done.
        beside: See `Contents`.

    Raises:
        BrokenStreamError: If nothing at all can be read.
    """
    if budget is None:
        budget = Budget()
        chunks = budget.counted(chunks)
    magic, chunks = peeked(chunks, len(ZSTD_MAGIC))
    if magic.startswith((GZIP_MAGIC, ZSTD_MAGIC)):
        file = None
    head, chunks = peeked(unpacked(chunks, budget), HEAD_BYTES)
    if not head:
        next(chunks, None)  # raises if the stream broke before its first byte
    if not is_message(head) and is_framed(head):
        messages = Messages(chunks, budget)
        whole = iter(messages)
        before: list[bytes] = []
        while not (before and before[-1]) and (message := next(whole, None)) is not None:
            before.append(message)
        first = before[-1] if before else b""
        return Contents(
            _without_space(first[:HEAD_BYTES]),
            chain(before, whole),
            framed=True,
            lost=messages.lost,
        )
    return Contents(
        _without_space(head.removeprefix(BYTE_ORDER_MARK)), chunks, file=file, beside=beside
    )


def _without_space(head: bytes) -> bytes:
    """Return text without the white space before it; the first tag of a message looks like some."""
    return head if is_message(head) else head.lstrip()


__all__ = ["BrokenStreamError", "Contents", "is_framed", "is_message", "open_contents"]
