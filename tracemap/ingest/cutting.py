"""Streams of bytes cut into blocks of whole records."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from tracemap.ingest.block import Block, Reject, padded
from tracemap.ingest.contents import BYTE_ORDER_MARK, Contents
from tracemap.ingest.kernels.bounds import document_bounds, field_bounds, line_bounds
from tracemap.ingest.kernels.layout import Bytes
from tracemap.ingest.kernels.machine import SLACK
from tracemap.ingest.streams import MESSAGE_BYTES_MAX, BrokenStreamError

BLOCK_BYTES = 1 << 24
_NEWLINE = 10


class _Pile:
    """Bytes that wait to become a block."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self.size += len(piece)

    def take(self) -> Bytes:
        data = padded(*self.pieces)
        self.pieces, self.size = [], 0
        return data


def _until_broken(pieces: Iterator[bytes], broken: list[str]) -> Iterator[bytes]:
    """Yield the pieces; if the stream breaks, note why in `broken` and end."""
    try:
        yield from pieces
    except BrokenStreamError as error:
        broken.append(error.reason)


def _last_words(broken: list[str], line: int) -> list[Reject]:
    return [Reject(line, reason) for reason in broken]


def lines(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of lines; the last line may lack its newline.

    A line of more than `MESSAGE_BYTES_MAX` is rejected.
    """
    pile = _Pile()
    broken: list[str] = []
    first = 1
    oversize = False
    for piece in _without_mark(_until_broken(contents.pieces, broken)):
        cut = piece.rfind(b"\n") + 1
        if oversize and cut:
            start = piece.find(b"\n") + 1
            yield Block(
                padded(), np.empty((0, 2), np.int64), first, [Reject(first, "message_too_large")]
            )
            first += 1
            piece, cut, oversize = piece[start:], cut - start, False
        if oversize:
            continue
        if pile.size + len(piece) >= block_bytes and cut:
            pile.add(piece[:cut])
            block = _block_of_lines(pile, first)
            first += len(block.bounds)
            yield block
            piece = piece[cut:]
        pile.add(piece)
        if pile.size > MESSAGE_BYTES_MAX:
            pile.take()
            oversize = True
    block = _block_of_lines(pile, first)
    block.cut_short = bool(block.bounds.size) and block.data[block.bounds[-1, 1]] != _NEWLINE
    number = first + len(block.bounds) - (1 if block.cut_short else 0)
    if oversize:
        block.rejects.append(Reject(first, "message_too_large"))
    if block.cut_short and broken == ["truncated_tail"]:
        # The one line that was cut is the record that is missing: the decoder rejects it.
        broken = []
    block.rejects += _last_words(broken, number)
    yield block


def _block_of_lines(pile: _Pile, first: int) -> Block:
    size = pile.size
    data = pile.take()
    bounds = np.empty((size + 1, 2), np.int64)
    found = line_bounds(data, size, bounds)
    return Block(data, bounds[:found].copy(), first)


def _without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.removeprefix(BYTE_ORDER_MARK)
        break
    yield from pieces


def are_lines(head: bytes) -> bool:
    """Return whether JSON text has one record a line, judged by its first two lines.

    It has not if the first line is but the beginning of something and the second one, too, is
    nothing by itself: then it is one document over many lines, or several.
    """
    first, newline, rest = head.partition(b"\n")
    if not newline or _completeness(first) != 0:
        return True
    second = rest.lstrip().partition(b"\n")[0]
    return len(first.strip()) > 1 and second.startswith(b"{") and _completeness(second) == 1


def _completeness(line: bytes) -> int:
    """Return 1 if a line is a JSON value, 0 if it could be the beginning of one, else -1."""
    text = line.strip().decode("utf-8", "replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return 0 if error.pos >= len(text) else -1
    except RecursionError:
        return -1
    return 1


def documents(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of JSON documents that may span lines and stand behind one another."""
    broken: list[str] = []
    pile = _Pile()
    first = 1
    wanted = block_bytes
    for piece in _without_mark(_until_broken(contents.pieces, broken)):
        pile.add(piece)
        if pile.size >= wanted:
            block, rest = _block_of_documents(pile, first, last=False)
            if len(block.bounds):
                first += len(block.bounds)
                yield block
            wanted = max(block_bytes, 2 * len(rest))
            pile.add(rest)
            if pile.size > MESSAGE_BYTES_MAX:
                broken.append("message_too_large")
                pile.take()
                break
    block, _ = _block_of_documents(pile, first, last=True)
    if block.cut_short and broken == ["truncated_tail"]:
        broken = []
    block.rejects += _last_words(broken, first + len(block.bounds))
    yield block


def _block_of_documents(pile: _Pile, first: int, *, last: bool) -> tuple[Block, bytes]:
    """Return the whole documents in the pile, and what is left behind them."""
    size = pile.size
    data = pile.take()
    bounds = np.empty((size // 2 + 2, 2), np.int64)
    found, end = document_bounds(data, size, bounds)
    rest = b""
    cut_short = False
    if end < size and last:
        bounds[found] = end, size
        found += 1
        cut_short = True
    elif end < size:
        rest = bytes(data[end:size])
        data[end : end + SLACK] = 0
    return Block(data, bounds[:found].copy(), first, cut_short=cut_short), rest


def framed(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of whole messages."""
    broken: list[str] = []
    pile = _Pile()
    first = 1
    for message in _until_broken(contents.pieces, broken):
        pile.add(message)
        if pile.size >= block_bytes:
            block = _block_of_messages(pile, first)
            first += len(block.bounds)
            yield block
    block = _block_of_messages(pile, first)
    block.rejects += _last_words(broken, first + len(block.bounds))
    yield block


def _block_of_messages(pile: _Pile, first: int) -> Block:
    ends = np.cumsum([len(piece) for piece in pile.pieces], dtype=np.int64)
    starts = np.concatenate(([0], ends[:-1])) if ends.size else ends
    return Block(pile.take(), np.ascontiguousarray(np.stack([starts, ends], axis=1)), first)


def fields(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of the fields of one bare protobuf message, as if each were a message.

    A repeated field may be split anywhere between its elements: that is how protobuf merges.
    """
    broken: list[str] = []
    pile = _Pile()
    first = 1
    wanted = block_bytes
    for piece in _until_broken(contents.pieces, broken):
        pile.add(piece)
        if pile.size >= wanted:
            block, rest = _block_of_fields(pile, first, last=False)
            if len(block.bounds):
                first += len(block.bounds)
                yield block
            wanted = max(block_bytes, 2 * len(rest))
            pile.add(rest)
            if pile.size > MESSAGE_BYTES_MAX:
                broken.append("message_too_large")
                pile.take()
                break
    block, _ = _block_of_fields(pile, first, last=True)
    if block.cut_short and broken == ["truncated_tail"]:
        broken = []
    block.rejects += _last_words(broken, first + len(block.bounds))
    yield block


def _block_of_fields(pile: _Pile, first: int, *, last: bool) -> tuple[Block, bytes]:
    size = pile.size
    data = pile.take()
    bounds = np.empty((size // 2 + 2, 2), np.int64)
    found, end = field_bounds(data, size, bounds)
    rest = b""
    cut_short = False
    if end < size and last:
        bounds[found] = end, size
        found += 1
        cut_short = True
    elif end < size:
        rest = bytes(data[end:size])
    return Block(data, bounds[:found].copy(), first, cut_short=cut_short), rest
