"""What a reader of a format is. The readers themselves register in `registry`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from tracemap.ingest.block import Block, give_back
from tracemap.ingest.contents import Contents
from tracemap.ingest.resources import Resources
from tracemap.model import Batch

Task: TypeAlias = Callable[[], Batch]
"""What is left to do for one batch. Tasks of a file run in parallel, batches come in order."""


@dataclass(frozen=True)
class Blocks:
    """A format whose files are cut into blocks of records, which are decoded one by one.

    Attributes:
        cut: Yields the blocks of a file, none larger than so many bytes unless a record is.
        decode: Decodes a block of one file, or one of several joined.
    """

    cut: Callable[[Contents, int], Iterator[Block]]
    decode: Callable[[Block, Resources], Batch]

    def read(self, contents: Contents, block_bytes: int) -> Iterator[Task]:
        """Yield one task for each block of a file, as `Format.read`."""
        resources = Resources()
        for block in self.cut(contents, block_bytes):
            yield partial(self._decoded, block, resources)

    def _decoded(self, block: Block, resources: Resources) -> Batch:
        batch = self.decode(block, resources)
        give_back(block)
        return batch


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of trace files.

    `tracemap formats`, the README and docs/formats.md are made of these.

    Attributes:
        name: As shown to people and kept in ``files``; lower-case words with hyphens.
        description: What it is and who writes it, in one sentence without a full stop.
        example: The shortest line that is a file of this format, or, of a binary format, how a
            file of it starts, in angle brackets.
        loses: What of OTLP's spans this format cannot say, in a few words; empty: nothing.
        sniff: Tells from the first bytes whether a file is in this format. No two formats may
            both say yes to a file.
        read: Yields tasks in the order of the file; it reads, they decode. Takes the size of a
            block in bytes.
        blocks: How small files of this format are decoded together; None: one by one, which
            takes longer.
    """

    name: str
    description: str
    example: str
    loses: str = ""
    sniff: Callable[[Contents], bool]
    read: Callable[[Contents, int], Iterator[Task]]
    blocks: Blocks | None = None
