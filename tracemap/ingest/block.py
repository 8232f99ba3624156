"""A piece of a file in memory, cut where records end."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tracemap.ingest.kernels.layout import Bytes, Ints
from tracemap.ingest.kernels.machine import SLACK


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
    """Some whole records of one file.

    Attributes:
        data: The bytes, and `SLACK` zero bytes behind them.
        bounds: Where each record starts and ends, Int64 of shape (records, 2).
        first: Number in the file of the first record, from 1.
        rejects: What was found to be wrong while cutting.
        cut_short: The file ended in the middle of the last record here.
        broken: Why the file could not be followed behind this block, if it could not.
        mended: Bytes that were no text have been replaced by U+FFFD.
    """

    data: Bytes
    bounds: Ints
    first: int
    rejects: list[Reject] = field(default_factory=list)
    cut_short: bool = False
    broken: tuple[str, ...] = ()
    mended: bool = False


def padded(*pieces: bytes | bytearray | memoryview) -> Bytes:
    """Return the pieces behind one another, with the zero bytes behind them that kernels need."""
    size = sum(len(piece) for piece in pieces)
    data = np.empty(size + SLACK, np.uint8)
    at = 0
    for piece in pieces:
        data[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        at += len(piece)
    data[at:] = 0
    return data
