"""A piece of a file in memory, cut where records end; the pieces of small files joined."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracemap.ingest.kernels.layout import Bytes, Ints
from tracemap.ingest.kernels.machine import SLACK

_NEWLINE = 10
_SPARE_BYTES_MAX = 1 << 26
_spare: deque[Bytes] = deque(maxlen=2)
"""Memory of blocks that were decoded: new memory costs more than to fill it."""


@dataclass
class Reject:
    """Something that could not be taken before it reached a decoder.

    Attributes:
        line: Line or record, from 1; 0: the file as a whole.
        reason: Why (docs/messages.md).
        excerpt: The first bytes of it, if any.
    """

    line: int
    reason: str
    excerpt: bytes = b""


@dataclass
class Block:
    """Some whole records of one file, or of several small ones behind one another.

    Attributes:
        data: The bytes, and `SLACK` zero bytes behind them.
        bounds: Where each record starts and ends, Int64 of shape (records, 2).
        first: Number in the file of the first record, from 1.
        rejects: What was found to be wrong while cutting.
        cut_short: The file ended in the middle of the last record here.
        broken: Why the file could not be followed behind this block, if it could not.
        last: There is no block behind this one. Only cutters of documents say so.
        mended: Whether bytes of each record that were no text have been replaced by U+FFFD; None:
            nowhere.
        parts: The blocks that were joined to this one, whose records follow one another; only
            their `first`, `rejects`, `cut_short` and `broken` hold then. None: it is one by itself.
    """

    data: Bytes
    bounds: Ints
    first: int
    rejects: list[Reject] = field(default_factory=list)
    cut_short: bool = False
    broken: tuple[str, ...] = ()
    last: bool = False
    mended: NDArray[np.bool_] | None = None
    parts: tuple[Block, ...] | None = None

    def owners(self) -> Ints:
        """Return the number of the part that each record is of."""
        parts = self.parts or (self,)
        return np.repeat(np.arange(len(parts)), [len(part.bounds) for part in parts])


def joined(blocks: Sequence[Block]) -> Block:
    """Return one block with the records of all `blocks`, a newline behind each block."""
    sizes = [block.data.size - SLACK for block in blocks]
    starts = np.cumsum([0, *(size + 1 for size in sizes)])
    data = np.full(int(starts[-1]) + SLACK, _NEWLINE, np.uint8)
    for start, size, block in zip(starts.tolist(), sizes, blocks, strict=False):
        data[start : start + size] = block.data[:size]
    data[starts[-1] :] = 0
    shifts = np.repeat(starts[:-1], [len(block.bounds) for block in blocks])
    bounds = np.concatenate([block.bounds for block in blocks]) + shifts[:, None]
    return Block(data, bounds, first=0, parts=tuple(blocks))


def padded(*pieces: bytes | bytearray | memoryview) -> Bytes:
    """Return the pieces behind one another, with the zero bytes behind them that kernels need."""
    size = sum(len(piece) for piece in pieces)
    data = _memory(size + SLACK)
    at = 0
    for piece in pieces:
        data[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        at += len(piece)
    data[at:] = 0
    return data


def _memory(size: int) -> Bytes:
    """Return that of an earlier block if it is large enough, and not far too large; else new."""
    try:
        kept = _spare.popleft()
    except IndexError:
        kept = np.empty(0, np.uint8)
    return kept[:size] if size <= kept.size <= 2 * size else np.empty(size, np.uint8)


def give_back(block: Block) -> None:
    """Let the next block have the memory of one that nobody reads any more."""
    data = block.data if block.data.base is None else block.data.base
    if data.size <= _SPARE_BYTES_MAX:
        _spare.append(data)
