"""Fill holes in templates: the only code that touches spans one by one, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracemap.compiled import kernel
from tracemap.simulate.templates import Form

_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_ZERO = ord("0")
_HEX, _DECIMAL, _BIG, _LITTLE = (
    int(Form.HEX), int(Form.DECIMAL), int(Form.BIG_ENDIAN), int(Form.LITTLE_ENDIAN)
)  # fmt: skip


@kernel
def fill(out: Any, row_start: Any, prefix: Any, template: Any, pieces: Any, words: Any) -> None:  # noqa: ANN401, PLR0917
    """Write each row's prefix and template to `out`, holes filled.

    Args:
        out: Bytes to write to.
        row_start: Where each row begins.
        prefix: Number of the piece before each row.
        template: Number of the piece that is each row's span.
        pieces: ``content``, ``start``, ``hole_start`` and ``holes`` of `Pieces`.
        words: One row a `Word`, one column a span; UInt64.
    """
    content, start, hole_start, holes = pieces
    for row in range(len(template)):
        at = row_start[row]
        at = _copy(out, at, content, start, prefix[row])
        piece = template[row]
        _copy(out, at, content, start, piece)
        for hole in range(hole_start[piece], hole_start[piece + 1]):
            word = words[holes[hole, 1], row]
            _write(out, at + holes[hole, 0], word, holes[hole, 2], holes[hole, 3])


@kernel
def _copy(out: Any, at: int, content: Any, start: Any, piece: int) -> int:  # noqa: ANN401
    """Copy a piece and return where it ends. Unsigned places spare a check a byte: 4x faster."""
    first = start[piece]
    size = start[piece + 1] - first
    for place in range(np.uint64(size)):
        out[np.uint64(at) + place] = content[np.uint64(first) + place]
    return int(at + size)


@kernel
def _write(out: Any, at: int, word: Any, form: int, width: int) -> None:  # noqa: ANN401
    if form == _HEX:
        for place in range(width):
            shift = np.uint64(4 * (width - 1 - place))
            out[at + place] = _HEX_DIGITS[(word >> shift) & np.uint64(15)]
    elif form == _DECIMAL:
        for place in range(width - 1, -1, -1):
            rest = word // np.uint64(10)
            out[at + place] = np.uint64(_ZERO) + word - rest * np.uint64(10)
            word = rest
    elif form == _BIG:
        for place in range(width):
            out[at + place] = (word >> np.uint64(8 * (width - 1 - place))) & np.uint64(255)
    elif form == _LITTLE:
        for place in range(width):
            out[at + place] = (word >> np.uint64(8 * place)) & np.uint64(255)
    else:
        for place in range(width):
            more = np.uint64(128) if place < width - 1 else np.uint64(0)
            out[at + place] = ((word >> np.uint64(7 * place)) & np.uint64(127)) | more
