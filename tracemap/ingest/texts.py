"""Text that decoded rows refer to, taken out as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tracemap.ingest.kernels.layout import Bytes, Ints
from tracemap.ingest.kernels.machine import SLACK
from tracemap.ingest.kernels.strings import LENGTH_MAX, LENGTH_SHIFT, gather


@dataclass
class Texts:
    """The buffers that references of one block point into."""

    data: Bytes
    extra: Bytes

    def gather(self, references: Ints) -> pa.Array:
        """Return the texts that `references` point to, as a column; empty text for 0."""
        references = np.ascontiguousarray(references, np.int64)
        size = int(((references >> LENGTH_SHIFT) & LENGTH_MAX).sum())
        offsets = np.empty(references.size + 1, np.int64)
        target = np.empty(size + SLACK, np.uint8)
        gather(self.data, self.extra, references, references.size, offsets, target)
        return column(target, offsets)


def column(text: Bytes, offsets: Ints, present: np.ndarray | None = None) -> pa.Array:
    """Return a column of strings: text `i` is ``text[offsets[i]:offsets[i + 1]]``; no copy."""
    validity = None
    if present is not None:
        validity = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(
        pa.large_string(),
        offsets.size - 1,
        [validity, pa.py_buffer(offsets), pa.py_buffer(text)],
    )
