"""What playing a call tree leaves: spans and executions by place, as arrays over requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from tracemap.model import Kind
from tracemap.simulate.blueprint import Call, OperationKey
from tracemap.simulate.draws import Integers, Mask


class Outcome(IntEnum):
    """How a span ended."""

    OK = 0
    FAILED = 1
    TIMEOUT = 2  # downstream's deadline was over
    REJECTED = 3  # a circuit breaker let no call through
    CANCELLED = 4  # another attempt was faster
    REDIRECTED = 5  # asked to send the request again, elsewhere; no failure


@dataclass(frozen=True)
class Sort:
    """What spans of one place are.

    Attributes:
        kind: Their kind.
        service: Who records them.
        subject: Which operation they stand for.
        resend: How often the request was sent before (``http.request.resend_count``).
    """

    kind: Kind
    service: str
    subject: OperationKey
    resend: int = 0


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
    outcome: Integers | None = None
    """As `Outcome`; None: FAILED where there is an error."""

    @property
    def outcomes(self) -> Integers:
        """How each ended, as `Outcome`."""
        return self.error.astype(np.int64) if self.outcome is None else self.outcome


@dataclass
class Block:
    """All calls that one `Call` made, per execution of the operation that made them.

    Attributes:
        call: The call.
        length_ns: From the first to the last, pauses and fallbacks included.
        waited_ns: Sum of what downstream waited for attempts.
        abandoned_ns: Sum of what upstream went on after downstream had left.
        calls: Attempts that reached upstream.
        attempts_failed: Those of them that failed.
        failed: Downstream got no answer it can use.
    """

    call: Call
    length_ns: Integers
    waited_ns: Integers
    abandoned_ns: Integers
    calls: Integers
    attempts_failed: Integers
    failed: Mask

    @classmethod
    def of(cls, call: Call, size: int) -> Block:
        """Return a block with no calls."""
        zeros = np.zeros((5, size), dtype=np.int64)
        return cls(call, zeros[0], zeros[1], zeros[2], zeros[3], zeros[4], zeros[0] > 0)

    def spread(self, alive: Integers, size: int) -> Block:
        """Return the block over `size` executions, with no calls where not `alive`."""
        if len(alive) == size:
            return self
        whole = Block.of(self.call, size)
        for name in ("length_ns", "waited_ns", "abandoned_ns", "calls", "attempts_failed"):
            getattr(whole, name)[alive] = getattr(self, name)
        whole.failed[alive] = self.failed
        return whole


@dataclass
class Execution:
    """All executions of an operation at one place, with what it takes to time them anew."""

    path: str
    key: OperationKey
    rows: Integers
    start_ns: Integers
    replica: Integers
    own_ns: Integers
    wait_ns: Integers
    """How much of its own time it stood in the queue for a slot."""
    duration_ns: Integers
    error: Mask
    stages: list[list[Block]] = field(default_factory=list)


def stage_ns(blocks: Sequence[Block]) -> Integers:
    """Return how long a stage takes: as long as the slowest call that is waited for."""
    lengths = [block.length_ns for block in blocks if block.call.waits]
    return np.max(lengths, axis=0) if lengths else np.zeros_like(blocks[0].length_ns)
