"""Bytes of a file with every layer of compression taken off, in pieces of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import chain

import zstandard

CHUNK_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
MESSAGE_BYTES_MAX = 1 << 29
"""A line, document or message of more bytes is refused: it is decoded in one piece."""
_WINDOW_BYTES_MAX = 1 << 27
_LAYERS_MAX = 4

# Bytes of zstd given to the decoder at a time: it answers with all they expand to, and a block
# of 128 KiB can be written in four bytes.
_ZSTD_BITE_BYTES = 4096
_BOMB_BYTES_MIN = 1 << 28
_BOMB_RATIO = 2000


class BrokenStreamError(Exception):
    """The stream cannot be followed any further; what came before is good.

    Args:
        reason: Why, as in ``rejects`` (docs/messages.md).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """How much may come out of what is stored in one place, all layers and members together.

    Raises nothing by itself; `spend` does. What is stored is counted as it is read, or known at
    once.

    Args:
        stored_bytes: Size of what is stored, as far as it is known.
    """

    def __init__(self, stored_bytes: int = 0) -> None:
        self._stored_bytes = stored_bytes
        self._made_bytes = 0

    def counted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks of what is stored; each allows for more to come out."""
        for chunk in chunks:
            self._stored_bytes += len(chunk)
            yield chunk

    def spend(self, size_bytes: int) -> None:
        """Note that so much came out.

        Raises:
            BrokenStreamError: ``decompression_bomb``, if it is more than what is stored can stand
                for.
        """
        self._made_bytes += size_bytes
        if self._made_bytes > max(_BOMB_BYTES_MIN, _BOMB_RATIO * self._stored_bytes):
            raise BrokenStreamError("decompression_bomb")

    def spent(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks of something that came out."""
        for chunk in chunks:
            self.spend(len(chunk))
            yield chunk


def gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the contents of a gzip file of one member or several.

    Raises:
        BrokenStreamError: ``truncated_tail`` or ``corrupt_compression``.
    """
    decoder = zlib.decompressobj(wbits=31)
    started = False
    for chunk in chunks:
        rest = chunk
        while rest:
            if not started:
                # Tapes and block devices pad with zeros; a member never starts with one.
                rest = rest.lstrip(b"\0")
                started = bool(rest)
                continue
            try:
                made = decoder.decompress(rest, CHUNK_BYTES)
            except zlib.error as error:
                raise BrokenStreamError("corrupt_compression") from error
            left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
            if made:
                yield made
            if decoder.eof:
                decoder = zlib.decompressobj(wbits=31)
                started = False
            elif not made and not left:
                break
            rest = left
    if started:
        raise BrokenStreamError("truncated_tail")


def unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the contents of a zstd file of one frame or several.

    Raises:
        BrokenStreamError: ``truncated_tail`` or ``corrupt_compression``.
    """
    context = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX)
    decoder: zstandard.ZstdDecompressionObj | None = None
    for chunk in chunks:
        for start in range(0, len(chunk), _ZSTD_BITE_BYTES):
            rest = chunk[start : start + _ZSTD_BITE_BYTES]
            while rest:
                decoder = decoder or context.decompressobj()
                try:
                    made = decoder.decompress(rest)
                except zstandard.ZstdError as error:
                    raise BrokenStreamError("corrupt_compression") from error
                if made:
                    yield made
                rest = b""
                if decoder.eof:
                    rest = decoder.unused_data
                    decoder = None
    if decoder is not None:
        raise BrokenStreamError("truncated_tail")


_LAYERS: tuple[tuple[bytes, Callable[[Iterator[bytes]], Iterator[bytes]]], ...] = (
    (GZIP_MAGIC, gunzipped),
    (ZSTD_MAGIC, unzstd),
)


def peeked(chunks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `size` bytes or more (all there are, if fewer), and the whole stream.

    A stream that breaks in its first bytes breaks again when it is read.
    """
    head: list[bytes] = []
    seen = 0
    try:
        while seen < size:
            chunk = next(chunks)
            head.append(chunk)
            seen += len(chunk)
    except StopIteration:
        chunks = iter(())
    except BrokenStreamError as error:
        chunks = Breaking(error)
    return b"".join(head), chain(head, chunks)


class Breaking:
    """A stream that breaks at once."""

    def __init__(self, error: BrokenStreamError) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        raise self._error


def unpacked(chunks: Iterator[bytes], budget: Budget | None = None) -> Iterator[bytes]:
    """Return the stream with all its layers of gzip and zstd taken off (at most four).

    Args:
        chunks: The stream.
        budget: What all that is made of it counts against; without one, against its own size.

    Raises:
        BrokenStreamError: ``nested_too_deep``; while it is read also ``truncated_tail``,
            ``corrupt_compression`` or, all layers taken together, ``decompression_bomb``.
    """
    if budget is None:
        budget = Budget()
        chunks = budget.counted(chunks)
    for _ in range(_LAYERS_MAX + 1):
        head, chunks = peeked(chunks, len(ZSTD_MAGIC))
        layer = next((open_ for magic, open_ in _LAYERS if head.startswith(magic)), None)
        if layer is None:
            return chunks
        chunks = budget.spent(layer(chunks))
    raise BrokenStreamError("nested_too_deep")


def joined(chunks: Iterator[bytes], size_max: int = MESSAGE_BYTES_MAX) -> bytes:
    """Return a whole stream in memory.

    Raises:
        BrokenStreamError: ``message_too_large`` if it has more than `size_max` bytes, or as of the
            stream.
    """
    whole = bytearray()
    for chunk in chunks:
        whole += chunk
        if len(whole) > size_max:
            raise BrokenStreamError("message_too_large")
    return bytes(whole)
