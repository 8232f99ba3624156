"""How calls are made: what `policies` make of attempts."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tracemap.simulate.attempts import Attempts, Hop, Site
from tracemap.simulate.blueprint import Call
from tracemap.simulate.breaker import admitted
from tracemap.simulate.budget import Budget
from tracemap.simulate.circumstances import Caller, Circumstances
from tracemap.simulate.draws import Integers, scaled
from tracemap.simulate.fault import Quantity
from tracemap.simulate.legs import Answer
from tracemap.simulate.places import Block, Execution, Outcome, SpanNode
from tracemap.simulate.policies import Breaker, Retry

BETWEEN_NS = 20_000
"""A loop's own time between two calls."""
REJECTED_NS = 30_000
"""What it takes a circuit breaker to say no."""
NEVER_NS = 1 << 60


class Calling:
    """Makes the calls of one play.

    Args:
        circumstances: What the play depends on.
        attempts: Makes single attempts.
        nodes: Where spans are put.
        executions: Where executions are put.
    """

    def __init__(
        self,
        circumstances: Circumstances,
        attempts: Attempts,
        nodes: list[SpanNode],
        executions: dict[str, Execution],
    ) -> None:
        self._around = circumstances
        self._attempts = attempts
        self._nodes = nodes
        self._executions = executions

    @property
    def tally(self) -> Counter[tuple[Hop, str]]:
        """Per pair of operations, how often each mechanism did something (`tally.COUNTS`)."""
        return self._attempts.tally

    def block(self, call: Call, path: str, caller: Caller, start_ns: Integers) -> Block:
        """Return all that one `Call` does, per execution of the caller."""
        site = Site(call, path, caller, start_ns)
        block = Block.of(call, len(site))
        made = self._made(site)
        times = self._around.of_call(Quantity.TIMES, site.place, call.times, caller.of(made))
        for turn in range(times.max(initial=0)):
            chosen = made[times > turn]
            delay_ns = np.zeros_like(chosen)
            if turn and not call.together:
                delay_ns = block.length_ns[chosen] + BETWEEN_NS
            answer = self._protected(site.of(chosen).later(f"{path}#{turn}", delay_ns))
            block.length_ns[chosen] = np.maximum(
                block.length_ns[chosen], delay_ns + answer.length_ns
            )
            block.waited_ns[chosen] += answer.waited_ns
            block.abandoned_ns[chosen] += answer.abandoned_ns
            block.calls[chosen] += answer.attempts
            block.attempts_failed[chosen] += answer.attempts_failed
            block.failed[chosen] |= answer.failed
        return block

    def _made(self, site: Site) -> Integers:
        """Return which executions make the call: those that need it and find it in no cache."""
        call = site.call
        needed = round(call.probability * 1_000_000)
        missed = round(call.probability * (1 - call.policy.hit_ratio) * 1_000_000)
        share = self._around.of_call(Quantity.PROBABILITY, site.place, missed, site.caller)
        luck = self._around.draws.uniform(f"{site.path}/made", site.caller.rows)
        made = luck < share
        if call.policy.hit_ratio:
            made &= luck < needed
            hits = int((luck < needed).sum() - made.sum())
            self._attempts.count(site, {"cache hits": hits})
        return np.flatnonzero(made)

    def _protected(self, site: Site) -> Answer:
        """Make the call if the breaker lets it, and what takes its place if it fails."""
        self._attempts.count(site, {"calls": len(site)})
        breaker, fallback = site.call.policy.breaker, site.call.fallback
        answer = self._pursued(site) if breaker is None else self._guarded(site, breaker)
        if fallback is not None:
            self._fall_back(site, fallback, answer)
        return answer

    def _guarded(self, site: Site, breaker: Breaker) -> Answer:
        """Let the breaker decide by what would come of the calls, then make those it lets."""
        rehearsed = self._rehearsed(site)
        allowed = admitted(
            breaker, site.caller.replica, site.start_ns, rehearsed.length_ns, rehearsed.failed
        )
        answer = Answer.of(len(site))
        for chosen, make in ((allowed, self._pursued), (~allowed, self._refused)):
            rows = np.flatnonzero(chosen)
            answer.add(rows, make(site.of(rows)))
        return answer

    def _rehearsed(self, site: Site) -> Answer:
        """Return what would come of the calls if all were made, and leave no trace of it."""
        nodes, known, tally = len(self._nodes), set(self._executions), self.tally.copy()
        answer = self._pursued(site)
        del self._nodes[nodes:]
        for added in self._executions.keys() - known:
            del self._executions[added]
        self._attempts.tally = tally
        return answer

    def _refused(self, site: Site) -> Answer:
        """Record calls that the breaker did not let through: client spans with no server span."""
        answer = Answer.of(len(site))
        answer.length_ns[:] = REJECTED_NS
        answer.waited_ns[:] = REJECTED_NS
        answer.outcome[:] = Outcome.REJECTED
        self._attempts.end(self._attempts.begin(site), answer.length_ns, answer.outcome)
        self._attempts.count(site, {"fast failures": len(site)})
        return answer

    def _fall_back(self, site: Site, fallback: Call, answer: Answer) -> None:
        failed = np.flatnonzero(answer.failed)
        at_ns = site.start_ns[failed] + answer.length_ns[failed]
        instead = self.block(fallback, f"{site.path}?", site.caller.of(failed), at_ns)
        saved = ~instead.failed & (instead.calls > 0)
        answer.length_ns[failed] += instead.length_ns
        answer.outcome[failed] = np.where(saved, Outcome.OK, answer.outcome[failed])
        counts = {"fallbacks": len(failed), "fallbacks answered": int(saved.sum())}
        self._attempts.count(site, counts)

    def _pursued(self, site: Site) -> Answer:
        """Make attempts until one goes well or there are no more."""
        policy, whole = site.call.policy, self._one_span(site.call)
        retry = policy.retry or Retry(attempts=1)
        limit_ns = NEVER_NS if policy.timeout_ms is None else round(policy.timeout_ms * 1_000_000)
        answer = Answer.of(len(site))
        budget = Budget(retry, site.start_ns, limit_ns if whole else NEVER_NS)
        parent = self._attempts.begin(site) if whole else None
        wanting = np.arange(len(site))
        sent_before = int(policy.redirected and not whole)
        if sent_before:
            answer.add(wanting, self._attempts.redirected(site.later(f"{site.path}~away", 0)))
        for number in range(retry.attempts):
            path = f"{site.path}~{number}" if number else site.path
            spent_ns = answer.length_ns[wanting]
            left_ns = limit_ns - (spent_ns if whole else np.zeros_like(spent_ns))
            attempt = site.of(wanting).later(path, spent_ns)
            one = self._attempts.attempt(
                attempt, left_ns, parent=parent, resend=sent_before + number
            )
            answer.add(wanting, one)
            if number + 1 < retry.attempts:
                wanting = self._again(site, number, wanting[one.failed], answer, budget)
            if not len(wanting):
                break
        if parent is not None:
            answer.waited_ns = answer.length_ns.copy()
            self._attempts.end(parent, answer.length_ns, answer.outcome)
        self._count(site, answer)
        return answer

    def _again(
        self, site: Site, number: int, failed: Integers, answer: Answer, budget: Budget
    ) -> Integers:
        """Return which failed calls are tried again, their pauses added to the answer."""
        pause_ns = np.full(len(failed), budget.retry.pause_ns(number), dtype=np.int64)
        if budget.retry.jitter:
            name = f"{site.path}~{number}/pause"
            luck = self._around.draws.uniform(name, site.caller.rows[failed])
            pause_ns = scaled(pause_ns, luck)
        granted = budget.granted(failed, answer.length_ns[failed] + pause_ns)
        answer.length_ns[failed[granted]] += pause_ns[granted]
        self._attempts.count(site, {"retries": int(granted.sum())})
        return failed[granted]

    def _count(self, site: Site, answer: Answer) -> None:
        counts = {
            "attempts": answer.attempts.sum(),
            "failed attempts": answer.attempts_failed.sum(),
            "recovered": ((answer.attempts_failed > 0) & ~answer.failed).sum(),
            "abandoned ns": answer.abandoned_ns.sum(),
        }
        self._attempts.count(site, {name: int(count) for name, count in counts.items()})

    def _one_span(self, call: Call) -> bool:
        """Return whether one client span stands for all attempts."""
        upstream = self._around.shop.services[call.upstream]
        return upstream.kind == "service" and upstream.protocol == "grpc"
