"""What a reader of a format is. The readers themselves register in `registry`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tracemap.ingest.contents import Contents
from tracemap.model import Batch

Task: TypeAlias = Callable[[], Batch]
"""What is left to do for one batch. Tasks of a file run in parallel, batches come in order."""


@dataclass(frozen=True)
class Format:
    """One format of trace files.

    Attributes:
        name: As shown to people and kept in ``files``.
        description: One sentence.
        sniff: Tells from the first bytes whether a file is in this format.
        read: Yields tasks in the order of the file; it reads, they decode. Takes the size of a
            block in bytes.
    """

    name: str
    description: str
    sniff: Callable[[Contents], bool]
    read: Callable[[Contents, int], Iterator[Task]]
