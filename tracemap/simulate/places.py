"""What playing a call tree leaves: spans and executions by place, as arrays over requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tracemap.model import Kind
from tracemap.simulate.blueprint import Call, OperationKey
from tracemap.simulate.draws import Integers, Mask


@dataclass(frozen=True)
class Sort:
    """What spans of one place are: who records them, and which operation they stand for."""

    kind: Kind
    service: str
    subject: OperationKey


@dataclass
class SpanNode:
    """The spans of one place in the tree, one a row."""

    path: str
    sort: Sort
    trace: str
    parent: int
    linked: int
    rows: Integers
    start_ns: Integers
    duration_ns: Integers
    error: Mask
    replica: Integers


@dataclass
class Block:
    """All calls that one `Call` made, per execution of the operation that made them."""

    call: Call
    length_ns: Integers
    waited_ns: Integers
    calls: Integers
    failed: Mask

    @classmethod
    def of(cls, call: Call, size: int) -> Block:
        """Return a block with no calls."""
        zeros = np.zeros(size, dtype=np.int64)
        return cls(call, zeros, zeros.copy(), zeros.copy(), np.zeros(size, dtype=np.bool_))

    def spread(self, alive: Integers, size: int) -> Block:
        """Return the block over `size` executions, with no calls where not `alive`."""
        if len(alive) == size:
            return self
        whole = Block.of(self.call, size)
        whole.length_ns[alive] = self.length_ns
        whole.waited_ns[alive] = self.waited_ns
        whole.calls[alive] = self.calls
        whole.failed[alive] = self.failed
        return whole


@dataclass
class Execution:
    """All executions of an operation at one place, with what it takes to time them anew."""

    path: str
    key: OperationKey
    rows: Integers
    own_ns: Integers
    duration_ns: Integers
    error: Mask
    stages: list[list[Block]] = field(default_factory=list)


def stage_ns(blocks: Sequence[Block]) -> Integers:
    """Return how long a stage takes: as long as the slowest call that is waited for."""
    lengths = [block.length_ns for block in blocks if block.call.waits]
    return np.max(lengths, axis=0) if lengths else np.zeros_like(blocks[0].length_ns)
