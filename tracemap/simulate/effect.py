"""What one fault did, by playing the same requests without it.

Both plays use the same random draws, so the difference is exact, request by request. For every
operation and every operation it calls:

- *offered*: how much longer the calls took, per execution of downstream; what upstream went on
  with after downstream had left counts;
- *arrived*: how much longer downstream takes when only these calls are as slow as with the fault,
  everything else as without (stages timed anew; pauses between attempts and fallbacks count).

Edges whose upstream offered less than `SPIKE_MS` are ``no spike``. What did not arrive was
absorbed:

- ``parallel slack`` and ``async`` by timing stages anew;
- every mechanism of `policies` by playing both runs again without it: how much more downstream
  would have lost to the fault, in time and in errors. A mechanism that costs more time than it
  saves has absorbed less than nothing. Several that cover for each other overlap: they need not
  add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tracemap.model import iso
from tracemap.simulate.attempts import Hop
from tracemap.simulate.blueprint import OperationKey
from tracemap.simulate.draws import Integers
from tracemap.simulate.evaluation import Evaluation
from tracemap.simulate.fault import Fault, Place
from tracemap.simulate.places import Block, Execution, stage_ns
from tracemap.simulate.without import Safeguard

SPIKE_MS = 1.0
ERROR_SHARE = 0.01
"""Users feel a fault from this share of more failed requests on."""
ABSORBED_BELOW, FULL_FROM, AMPLIFIED_ABOVE = 0.2, 0.8, 1.2
SLACK, ASYNC, OPTIONAL = "parallel slack", "async", "optional"


@dataclass
class Effect:
    """What one fault did, summed over requests that arrive while it lasts."""

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

    def row(self, start_ns: int) -> dict[str, Any]:
        """Return what the fault did, per execution or request."""
        service, operation = self.fault.origin
        edge = self.fault.edge
        from_ns, to_ns = self.fault.window_ns
        visible = list(self._user_visible())
        reached = any(self._reached(row) for row in visible)
        hops, absorbed = list(self._hops()), list(self._absorbed())
        by_errors = sorted(absorbed, key=lambda row: -row["absorbed_errors"])
        mechanisms = [hop["mechanism"] for hop in hops if hop["mechanism"]]
        mechanisms += [row["mechanism"] for row in by_errors if row["absorbed_errors"] > 0]
        return {
            "fault": type(self.fault).__name__,
            "cause": self.fault.cause,
            "service": service,
            "operation": operation or None,
            "edge": {"downstream": edge[0], "upstream": edge[1]} if edge else None,
            "window": {"start": iso(start_ns + from_ns), "end": iso(start_ns + to_ns)},
            "verdict": "propagated" if reached else "absorbed",
            "mechanism": None if reached or not mechanisms else mechanisms[0],
            "hops": hops,
            "absorbed": absorbed,
            "operations": list(self._operations()),
            "user_visible": visible,
        }

    def _reached(self, visible: dict[str, Any]) -> bool:
        """Return whether users of an entry felt the fault; failures are judged by failures."""
        failed = visible["more_errors"] >= max(1, ERROR_SHARE * visible["requests"])
        slower = visible["excess_ms"] >= SPIKE_MS and self.fault.cause != "error"
        return failed or slower

    def _hops(self) -> Iterator[dict[str, Any]]:
        distance = self._distances()
        for hop in sorted(distance, key=lambda hop: (distance[hop], hop)):
            downstream, upstream = hop
            executions = self.executions[downstream]
            offered_ms = _mean_ms(self.offered_ns[hop], executions)
            arrived_ms = _mean_ms(self.arrived_ns[hop], executions)
            verdict = _verdict(offered_ms, arrived_ms)
            yield {
                "hop": distance[hop],
                "downstream": downstream.service,
                "downstream_operation": downstream.operation,
                "upstream": upstream.service,
                "upstream_operation": upstream.operation,
                "offered_ms": offered_ms,
                "arrived_ms": arrived_ms,
                "ratio": round(arrived_ms / offered_ms, 4) if offered_ms else None,
                "verdict": verdict,
                "mechanism": self._mechanism(hop) if verdict in ("absorbed", "partial") else None,
                "offered_errors": self.offered_errors[hop],
                "arrived_errors": self.arrived_errors[hop],
                "calls": self.calls[hop],
                "downstream_requests": executions,
            }

    def _mechanism(self, hop: Hop) -> str:
        """Return what kept most of the time offered from arriving, of what `hops` can tell."""
        if hop in self.asynchronous:
            return ASYNC
        cut_ns = self.offered_ns[hop] - self.lasted_ns[hop]
        slack_ns = self.lasted_ns[hop] - self.arrived_ns[hop]
        return self.cutting[hop] if hop in self.cutting and cut_ns > slack_ns else SLACK

    def _absorbed(self) -> Iterator[dict[str, Any]]:
        """Yield what each mechanism kept from downstream, where that is anything."""
        found: list[tuple[OperationKey, OperationKey, str, int, int]] = []
        for hop in self.offered_ns:
            if hop in self.asynchronous:
                found.append((*hop, ASYNC, self.offered_ns[hop], 0))
            else:
                found.append((*hop, SLACK, self.lasted_ns[hop] - self.arrived_ns[hop], 0))
            found.append((*hop, OPTIONAL, 0, self.survived_errors[hop]))
        for guard in self.bare_ns:
            bare_ns = self.bare_ns[guard] - self.slower_ns[guard.downstream]
            errors = self.bare_errors[guard] - self.more_errors[guard.downstream]
            found.append((*guard, bare_ns, errors))
        for downstream, upstream, mechanism, absorbed_ns, errors in sorted(found):
            absorbed_ms = _mean_ms(absorbed_ns, self.executions[downstream])
            if absorbed_ms or errors:
                yield {
                    "downstream": downstream.service,
                    "downstream_operation": downstream.operation,
                    "upstream": upstream.service,
                    "upstream_operation": upstream.operation,
                    "mechanism": mechanism,
                    "absorbed_ms": absorbed_ms,
                    "absorbed_errors": errors,
                }

    def _distances(self) -> dict[Hop, int]:
        """Return how many calls lie between the origin and the downstream end of each hop."""
        offered = self.offered_ns.items()
        moved = [hop for hop, offered_ns in offered if offered_ns or self.offered_errors[hop]]
        moving = {hop[0] for hop in moved}
        reached = {
            hop: 1
            for hop in moved
            if self.fault.touches(Place(*hop[0], *hop[1]))
            or self.fault.touches(Place("", "", *hop[1]))
            or (self.fault.cause == "load" and hop[1] not in moving)
        }
        frontier = set(reached)
        while frontier:
            ends = {downstream: reached[downstream, upstream] for downstream, upstream in frontier}
            frontier = {hop for hop in moved if hop not in reached and hop[1] in ends}
            reached.update({hop: ends[hop[1]] + 1 for hop in frontier})
        return reached

    def _operations(self) -> Iterator[dict[str, Any]]:
        for key in sorted(self.executions):
            if self.slower_ns[key] or self.more_errors[key]:
                yield {
                    "service": key.service,
                    "operation": key.operation,
                    "executions": self.executions[key],
                    "slower_ms": _mean_ms(self.slower_ns[key], self.executions[key]),
                    "more_errors": self.more_errors[key],
                }

    def _user_visible(self) -> Iterator[dict[str, Any]]:
        for key in sorted(self.requests):
            yield {
                "service": key.service,
                "operation": key.operation,
                "requests": self.requests[key],
                "excess_ms": _mean_ms(self.excess_ns[key], self.requests[key]),
                "total_ms": round(self.excess_ns[key] / 1_000_000, 3),
                "more_errors": self.more_errors[key],
            }


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


def _verdict(offered_ms: float, arrived_ms: float) -> str:
    if abs(offered_ms) < SPIKE_MS:
        return "no spike"
    ratio = arrived_ms / offered_ms
    if ratio < ABSORBED_BELOW:
        return "absorbed"
    if ratio < FULL_FROM:
        return "partial"
    return "amplified" if ratio > AMPLIFIED_ABOVE else "propagated"


def _mean_ms(total_ns: int, count: int) -> float:
    return round(total_ns / count / 1_000_000, 4) if count else 0.0
