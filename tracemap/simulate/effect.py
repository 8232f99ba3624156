"""The difference one fault makes, by playing the same requests without it.

Both plays use the same random draws, so the difference is exact, request by request. For every
operation and every operation it calls:

- *offered*: how much longer the calls took, per execution of downstream; what upstream went on
  with after downstream had left counts;
- *arrived*: how much longer downstream takes when only these calls are as slow as with the fault,
  everything else as without (stages timed anew; pauses between attempts and fallbacks count).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tracemap.simulate.attempts import Hop
from tracemap.simulate.blueprint import OperationKey
from tracemap.simulate.draws import Integers
from tracemap.simulate.evaluation import Evaluation
from tracemap.simulate.fault import Fault
from tracemap.simulate.places import Block, Execution, stage_ns
from tracemap.simulate.without import Safeguard


@dataclass
class Effect:
    """What one fault did, summed over requests that arrive while it lasts.

    Attributes:
        fault: The fault.
        executions: How often each operation was executed.
        slower_ns: How much longer these took.
        more_errors: How many more of them failed.
        calls: Attempts that reached upstream.
        offered_ns: How much longer attempts took, abandoned work included.
        lasted_ns: How much longer calls took that downstream waits for, pauses included.
        arrived_ns: How much longer downstream takes by them.
        offered_errors: How many more attempts failed.
        arrived_errors: How many more calls failed for good and took downstream with them.
        survived_errors: The same where the call is optional.
        cutting: What may cut calls short: ``timeout`` or ``hedge``.
        asynchronous: Where downstream does not wait.
        bare_ns: `slower_ns` of downstream without a mechanism.
        bare_errors: `more_errors` of downstream without a mechanism.
        requests: How many requests each entry had.
        excess_ns: How much longer these took.
    """

    fault: Fault
    executions: Counter[OperationKey] = field(default_factory=Counter)
    slower_ns: Counter[OperationKey] = field(default_factory=Counter)
    more_errors: Counter[OperationKey] = field(default_factory=Counter)
    calls: Counter[Hop] = field(default_factory=Counter)
    offered_ns: Counter[Hop] = field(default_factory=Counter)
    lasted_ns: Counter[Hop] = field(default_factory=Counter)
    arrived_ns: Counter[Hop] = field(default_factory=Counter)
    offered_errors: Counter[Hop] = field(default_factory=Counter)
    arrived_errors: Counter[Hop] = field(default_factory=Counter)
    survived_errors: Counter[Hop] = field(default_factory=Counter)
    cutting: dict[Hop, str] = field(default_factory=dict)
    asynchronous: set[Hop] = field(default_factory=set)
    bare_ns: Counter[Safeguard] = field(default_factory=Counter)
    bare_errors: Counter[Safeguard] = field(default_factory=Counter)
    requests: Counter[OperationKey] = field(default_factory=Counter)
    excess_ns: Counter[OperationKey] = field(default_factory=Counter)

    def add(self, entry: OperationKey, faulty: Evaluation, sound: Evaluation) -> None:
        """Count the difference between two plays of the same requests of one entry."""
        for execution, without, here, there in self._pairs(faulty, sound):
            key = execution.key
            slower_ns = int((execution.duration_ns[here] - without.duration_ns[there]).sum())
            self.executions[key] += len(here)
            self.slower_ns[key] += slower_ns
            self.more_errors[key] += int(execution.error[here].sum() - without.error[there].sum())
            if execution.path == str(entry):
                self.requests[key] += len(here)
                self.excess_ns[key] += slower_ns
            self._add_calls(execution, without, here, there)

    def add_bare(self, safeguard: Safeguard, faulty: Evaluation, sound: Evaluation) -> None:
        """Count the same difference where both plays lack a mechanism."""
        for execution, without, here, there in self._pairs(faulty, sound):
            if execution.key == safeguard.downstream:
                slower_ns = execution.duration_ns[here] - without.duration_ns[there]
                more_errors = int(execution.error[here].sum() - without.error[there].sum())
                self.bare_ns[safeguard] += int(slower_ns.sum())
                self.bare_errors[safeguard] += more_errors

    def _pairs(
        self, faulty: Evaluation, sound: Evaluation
    ) -> Iterator[tuple[Execution, Execution, Integers, Integers]]:
        """Yield executions of both plays, and where each has the requests struck."""
        for path, execution in faulty.executions.items():
            without = sound.executions.get(path)
            if without is not None:
                here, there = _common(execution, without)
                struck = faulty.active(self.fault, execution.rows[here])
                yield execution, without, here[struck], there[struck]

    def _add_calls(
        self, execution: Execution, without: Execution, here: Integers, there: Integers
    ) -> None:
        for faulty, sound in zip(execution.stages, without.stages, strict=True):
            before_ns = stage_ns(sound)[there]
            pairs = list(zip(faulty, sound, strict=True))
            for upstream in sorted({block.call.key for block in faulty}):
                hop = (execution.key, upstream)
                own = [pair for pair in pairs if pair[0].call.key == upstream]
                for block, other in own:
                    self._add_block(hop, block, other, here, there)
                if not any(block.call.waits for block, _ in own):
                    self.asynchronous.add(hop)
                    continue
                after_ns = _stage_with(pairs, upstream, here, there)
                self.arrived_ns[hop] += int((after_ns - before_ns).sum())

    def _add_block(
        self, hop: Hop, faulty: Block, sound: Block, here: Integers, there: Integers
    ) -> None:
        def more(name: str) -> int:
            return int(getattr(faulty, name)[here].sum() - getattr(sound, name)[there].sum())

        call = faulty.call
        self.calls[hop] += int(faulty.calls[here].sum())
        self.offered_ns[hop] += more("waited_ns") + more("abandoned_ns")
        self.lasted_ns[hop] += more("length_ns") if call.waits else 0
        self.offered_errors[hop] += more("attempts_failed")
        (self.survived_errors if call.optional else self.arrived_errors)[hop] += more("failed")
        if call.policy.timeout_ms is not None or call.policy.hedge is not None:
            self.cutting[hop] = "hedge" if call.policy.timeout_ms is None else "timeout"


def _stage_with(
    pairs: list[tuple[Block, Block]], upstream: OperationKey, here: Integers, there: Integers
) -> Integers:
    """Return how long a stage takes with only the calls of `upstream` as with the fault."""
    lengths = [
        faulty.length_ns[here] if faulty.call.key == upstream else sound.length_ns[there]
        for faulty, sound in pairs
        if faulty.call.waits
    ]
    return np.max(lengths, axis=0)  # type: ignore[no-any-return]


def _common(one: Execution, other: Execution) -> tuple[Integers, Integers]:
    """Return the places of the requests that both have, in each."""
    _, here, there = np.intersect1d(one.rows, other.rows, assume_unique=True, return_indices=True)
    return here, there
