"""Streams of bytes cut into blocks of whole records."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import repeat

import numpy as np

from tracemap.ingest.block import Block, Reject, padded
from tracemap.ingest.contents import BYTE_ORDER_MARK, Contents
from tracemap.ingest.kernels.bounds import (
    document_bounds,
    element_bounds,
    field_bounds,
    line_bounds,
)
from tracemap.ingest.kernels.layout import Bytes, Ints
from tracemap.ingest.kernels.machine import SLACK
from tracemap.ingest.streams import MESSAGE_BYTES_MAX, BrokenStreamError

BLOCK_BYTES = 1 << 25
_NEWLINE = 10
_NO_BOUNDS = np.empty((0, 2), np.int64)
_FindBounds = Callable[[Bytes, int, Ints, Ints], int]


class _Pile:
    """Bytes that wait to become a block."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.size += len(piece)

    def clear(self) -> None:
        self._pieces, self.size = [], 0

    def take(self) -> Bytes:
        data = padded(*self._pieces)
        self.clear()
        return data


def _sizes(block_bytes: int) -> Iterator[int]:
    """Yield the size of each block: small ones first, so that decoding and writing begin soon."""
    yield from (block_bytes >> shift for shift in (3, 2, 1))
    yield from repeat(block_bytes)


def _until_broken(pieces: Iterator[bytes], broken: list[str]) -> Iterator[bytes]:
    """Yield the pieces; if the stream breaks, note why in `broken` and end."""
    try:
        yield from pieces
    except BrokenStreamError as error:
        broken.append(error.reason)


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


def lines(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of lines; the last line may lack its newline.

    A line of more than `MESSAGE_BYTES_MAX` is rejected.
    """
    pile = _Pile()
    broken: list[str] = []
    first = 1
    oversize = False
    sizes = _sizes(block_bytes)
    wanted = next(sizes)
    for piece in _without_mark(_until_broken(contents.pieces, broken)):
        rest = piece
        if oversize:
            start = piece.find(b"\n") + 1
            if not start:
                continue
            yield _too_large(first)
            first += 1
            oversize = False
            rest = piece[start:]
        cut = rest.rfind(b"\n") + 1
        if cut and pile.size + len(rest) >= wanted:
            pile.add(rest[:cut])
            block = _block_of_lines(pile, first)
            first += len(block.bounds)
            yield block
            wanted = next(sizes)
            rest = rest[cut:]
        pile.add(rest)
        if pile.size > MESSAGE_BYTES_MAX:
            pile.clear()
            oversize = True
    if oversize:
        yield _too_large(first)
        first += 1
    block = _block_of_lines(pile, first)
    block.cut_short = bool(block.bounds.size) and block.data[block.bounds[-1, 1]] != _NEWLINE
    block.broken = tuple(broken)
    yield block


def _too_large(line: int) -> Block:
    return Block(padded(), _NO_BOUNDS, line, [Reject(line, "message_too_large")])


def _block_of_lines(pile: _Pile, first: int) -> Block:
    size = pile.size
    data = pile.take()
    bounds = np.empty((size + 1, 2), np.int64)
    found = line_bounds(data, size, bounds)
    return Block(data, bounds[:found].copy(), first)


def documents(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of JSON documents that may span lines and stand behind one another."""
    broken: list[str] = []
    pieces = _without_mark(_until_broken(contents.pieces, broken))
    yield from _found(pieces, broken, block_bytes, document_bounds)


class _Elements:
    """Finds the elements of a list inside a document, from one piece of it to the next."""

    def __init__(self, depth: int) -> None:
        self._wanted = depth
        self.open = 0

    def __call__(self, data: Bytes, size: int, bounds: Ints, ends: Ints) -> int:
        ends[1] = self.open
        found = element_bounds(data, size, bounds, ends, self._wanted)
        self.open = int(ends[1])
        return found


def elements(contents: Contents, depth: int, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of the values that stand inside `depth` brackets of JSON text.

    So a dump of many traces in one document, ``{"data":[{...},{...}]}``, is read trace by trace
    (`depth` 2). What stands around or beside the list must be no list or object of its own at
    that depth. A file that ends before its brackets close is cut short.
    """
    broken: list[str] = []
    pieces = _without_mark(_until_broken(contents.pieces, broken))
    find = _Elements(depth)
    for block in _found(pieces, broken, block_bytes, find):
        if block.last and find.open and not block.cut_short and not broken:
            block.broken = ("truncated_tail",)
        yield block


def fields(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of the fields of one bare protobuf message, as if each were a message.

    A repeated field may be split anywhere between its elements: that is how protobuf merges.
    """
    broken: list[str] = []
    pieces = _until_broken(contents.pieces, broken)
    yield from _found(pieces, broken, block_bytes, field_bounds)


def _found(
    pieces: Iterator[bytes], broken: list[str], block_bytes: int, find: _FindBounds
) -> Iterator[Block]:
    """Yield blocks of the records that `find` finds; what is left of one goes on in the next.

    While a record has no end yet, twice as many bytes are waited for each time.
    """
    pile = _Pile()
    first = 1
    sizes = _sizes(block_bytes)
    wanted = next(sizes)
    for piece in pieces:
        pile.add(piece)
        if pile.size < wanted:
            continue
        block, rest = _block_of_found(pile, first, find)
        if len(block.bounds):
            first += len(block.bounds)
            yield block
        if len(rest) > MESSAGE_BYTES_MAX:
            broken.append("message_too_large")
            break
        wanted = max(next(sizes), 2 * len(rest))
        pile.add(rest)
    block, rest = _block_of_found(pile, first, find)
    if rest:
        start = block.data.size - SLACK - len(rest)
        block.bounds = np.append(block.bounds, [[start, start + len(rest)]], axis=0)
        block.cut_short = True
    block.broken = tuple(broken)
    block.last = True
    yield block


def _block_of_found(pile: _Pile, first: int, find: _FindBounds) -> tuple[Block, bytes]:
    """Return the whole records in the pile, and what is left behind them."""
    size = pile.size
    data = pile.take()
    bounds = np.empty((size // 2 + 2, 2), np.int64)
    ends = np.zeros(2, np.int64)
    found = find(data, size, bounds, ends)
    end = int(ends[0])
    return Block(data, bounds[:found].copy(), first), bytes(data[end:size])


def framed(contents: Contents, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Yield blocks of whole messages; one that is damaged is rejected alone."""
    broken: list[str] = []
    waiting: list[bytes] = []
    size = 0
    number = 0
    sizes = _sizes(block_bytes)
    wanted = next(sizes)
    for message in _until_broken(contents.pieces, broken):
        number += 1
        reason = contents.lost.get(number)
        if reason is None:
            waiting.append(message)
            size += len(message)
        if reason is not None or size >= wanted:
            block = _block_of_messages(waiting, number - len(waiting) + (reason is None))
            block.rejects += [] if reason is None else [Reject(number, reason)]
            yield block
            waiting, size, wanted = [], 0, next(sizes)
    block = _block_of_messages(waiting, number - len(waiting) + 1)
    block.broken = tuple(broken)
    yield block


def _block_of_messages(waiting: list[bytes], first: int) -> Block:
    ends = np.cumsum([len(message) for message in waiting], dtype=np.int64)
    starts = np.concatenate(([0], ends[:-1])) if ends.size else ends
    return Block(padded(*waiting), np.ascontiguousarray(np.stack([starts, ends], axis=1)), first)
