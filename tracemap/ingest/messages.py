"""Streams of messages that have their length before each."""

from __future__ import annotations

from collections.abc import Iterator

from tracemap.ingest.streams import (
    GZIP_MAGIC,
    MESSAGE_BYTES_MAX,
    ZSTD_MAGIC,
    BrokenStreamError,
    Budget,
    joined,
    peeked,
    unpacked,
)

_LENGTH_BYTES = 4
_FRAME_BYTES_MIN = 9
_HEADER_BYTES = _LENGTH_BYTES + len(ZSTD_MAGIC)


class Messages:
    """The messages of a stream of length-prefixed ones, decompressed.

    Each has four bytes of length, highest first, before it, and may be a zstd frame or gzip member
    of its own (Collector ``fileexporter``). A damaged one costs itself only: an empty message is
    given for it, and `lost` says why. If they are zstd frames a wrong length does no more harm than
    that either: the next one is found by its magic number.

    Args:
        chunks: The stream.
        budget: What the contents of the messages count against.

    Attributes:
        lost: Number of each lost message, from 1, to the reason, as in ``rejects``.
    """

    def __init__(self, chunks: Iterator[bytes], budget: Budget) -> None:
        self.lost: dict[int, str] = {}
        self._chunks = chunks
        self._budget = budget
        self._number = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the messages.

        Raises:
            BrokenStreamError: ``truncated_tail``, ``message_too_large``, ``decompression_bomb``,
                or as of the stream.
        """
        head, chunks = peeked(self._chunks, _HEADER_BYTES)
        if head[_LENGTH_BYTES:_HEADER_BYTES] == ZSTD_MAGIC:
            yield from self._frames(chunks)
        else:
            for message in _delimited(chunks):
                yield self._content(message)

    def _content(self, message: bytes) -> bytes:
        """Return what is in a message; nothing if it is damaged."""
        self._number += 1
        if not message.startswith((GZIP_MAGIC, ZSTD_MAGIC)):
            return message
        try:
            return joined(unpacked(iter((message,)), self._budget))
        except BrokenStreamError as error:
            if error.reason == "decompression_bomb":
                raise
            self.lost[self._number] = error.reason
            return b""

    def _frames(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield messages that are zstd frames; where one should start and does not, look for it."""
        buffer = bytearray()
        ended = searching = False
        while True:
            size = int.from_bytes(buffer[:_LENGTH_BYTES], "big")
            starts = buffer[_LENGTH_BYTES:_HEADER_BYTES] == ZSTD_MAGIC
            starts = starts and _FRAME_BYTES_MIN <= size <= MESSAGE_BYTES_MAX
            if starts and len(buffer) >= _LENGTH_BYTES + size:
                message = bytes(buffer[_LENGTH_BYTES : _LENGTH_BYTES + size])
                yield self._content(message)
                damaged = self._number in self.lost
                inner = message.find(ZSTD_MAGIC, 1) - _LENGTH_BYTES if damaged else -1
                del buffer[: _LENGTH_BYTES + (inner if inner > 0 else size)]
                searching = False
                continue
            if not ended and (starts or len(buffer) < _HEADER_BYTES):
                ended = _fill(buffer, chunks)
                continue
            if not buffer:
                return
            found = buffer.find(ZSTD_MAGIC, _LENGTH_BYTES + 1)
            if not searching:
                if found < 0 and ended:
                    raise BrokenStreamError("truncated_tail")
                self._number += 1
                self.lost[self._number] = "corrupt_framing"
                searching = True
                yield b""
            if found < 0 and ended:
                return
            del buffer[: found - _LENGTH_BYTES if found > 0 else 1 - _HEADER_BYTES]
            if found < 0:
                ended = _fill(buffer, chunks)


def _fill(buffer: bytearray, chunks: Iterator[bytes]) -> bool:
    """Add the next chunk to the buffer; return whether there is none."""
    chunk = next(chunks, None)
    buffer += chunk or b""
    return chunk is None


def _delimited(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield messages of which nothing is known but their lengths."""
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= _LENGTH_BYTES:
            size = int.from_bytes(buffer[:_LENGTH_BYTES], "big")
            if size > MESSAGE_BYTES_MAX:
                raise BrokenStreamError("message_too_large")
            if len(buffer) < _LENGTH_BYTES + size:
                break
            yield bytes(buffer[_LENGTH_BYTES : _LENGTH_BYTES + size])
            del buffer[: _LENGTH_BYTES + size]
    if buffer:
        raise BrokenStreamError("truncated_tail")
