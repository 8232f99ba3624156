"""Attempts of calls: the wire, a hedge, a deadline, and the client spans they leave.

A *leg* is one round trip to upstream. An *attempt* is one leg, or two of them with a hedge,
within a deadline. HTTP, database and messaging clients record a span per leg, gRPC clients one
around all legs of a call, as their instrumentations do. A server never learns that its client left:
it goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tracemap.model import Kind
from tracemap.simulate.blueprint import Call, OperationKey
from tracemap.simulate.circumstances import Caller, Circumstances
from tracemap.simulate.draws import Integers, Mask, scaled
from tracemap.simulate.fault import Place, Quantity
from tracemap.simulate.legs import Answer, Leg, first_success
from tracemap.simulate.places import Execution, Outcome, Sort, SpanNode

GAP_SIGMA = 0.5
Hop = tuple[OperationKey, OperationKey]


@dataclass(frozen=True)
class Site:
    """A call about to be made: which one, under which path, by which requests, when."""

    call: Call
    path: str
    caller: Caller
    start_ns: Integers

    def __len__(self) -> int:
        """Return how many requests make the call."""
        return len(self.start_ns)

    def of(self, chosen: Integers) -> Site:
        """Return the same call with some of its requests only."""
        return replace(self, caller=self.caller.of(chosen), start_ns=self.start_ns[chosen])

    def later(self, path: str, delay_ns: Integers | int) -> Site:
        """Return the same call under another path, some time later."""
        return replace(self, path=path, start_ns=self.start_ns + delay_ns)

    @property
    def hop(self) -> Hop:
        """The operations at both ends."""
        return self.caller.key, self.call.key

    @property
    def place(self) -> Place:
        """The same, as faults are asked for it."""
        return Place(*self.caller.key, *self.call.key)


class Attempts:
    """Makes the attempts of one play.

    Args:
        circumstances: What the play depends on.
        nodes: Where spans are put.
        serve: Plays what upstream does when a call gets there, below the span at a place.
        publish: Plays what consumers do with what the span at a place sent.

    Attributes:
        tally: Per pair of operations, how often each mechanism did something (`tally.COUNTS`).
    """

    def __init__(
        self,
        circumstances: Circumstances,
        nodes: list[SpanNode],
        serve: Callable[[Site, int], Execution],
        publish: Callable[[OperationKey, str, int], None],
    ) -> None:
        self.tally: Counter[tuple[Hop, str]] = Counter()
        self._around = circumstances
        self._nodes = nodes
        self._serve = serve
        self._publish = publish

    def attempt(self, site: Site, limit_ns: Integers, *, parent: int | None, resend: int) -> Answer:
        """Make one attempt: a leg, a second one if that takes long.

        Args:
            site: The call.
            limit_ns: Downstream leaves when this is over.
            parent: Place of the client span around all attempts; None: each leg has its own.
            resend: How many attempts there were before.
        """
        legs = [self._leg(site, np.arange(len(site)), parent, resend=resend)]
        end_ns, failed = legs[0].duration_ns.copy(), legs[0].failed.copy()
        if site.call.policy.hedge is not None:
            after_ns = round(site.call.policy.hedge.after_ms * 1_000_000)
            late = np.flatnonzero((end_ns > after_ns) & (after_ns < limit_ns))
            legs.append(self._leg(site, late, parent, after_ns=after_ns))
            end_ns[late], failed[late] = first_success(*legs)
            won = legs[1].duration_ns + after_ns == end_ns[late]
            self.count(site, {"hedges": len(late), "hedges won": int(won.sum())})
        timed_out = end_ns > limit_ns
        self.count(site, {"timeouts": int(timed_out.sum())})
        answer = Answer.of(len(site))
        answer.length_ns = np.minimum(end_ns, limit_ns)
        answer.outcome = np.where(timed_out, Outcome.TIMEOUT, failed.astype(np.int64))
        for leg in legs:
            self._settle(leg, timed_out, answer)
        return answer

    def redirected(self, site: Site) -> Answer:
        """Send a request that a gateway answers with a redirect: a client span and no more."""
        answer = Answer.of(len(site))
        answer.length_ns = self._gap_ns(site, np.zeros_like(site.start_ns))
        answer.waited_ns = answer.length_ns.copy()
        outcome = np.full(len(site), Outcome.REDIRECTED, dtype=np.int64)
        self.end(self.begin(site), answer.length_ns, outcome)
        return answer

    def begin(self, site: Site, resend: int = 0) -> int:
        """Begin a client span and return its place."""
        caller = site.caller
        is_queue = self._around.shop.services[site.call.upstream].kind == "queue"
        kind = Kind.PRODUCER if is_queue else Kind.CLIENT
        node = SpanNode(
            path=site.path, sort=Sort(kind, caller.key.service, site.call.key, resend),
            trace=caller.trace, parent=caller.node, linked=-1, rows=caller.rows,
            start_ns=site.start_ns, duration_ns=np.zeros_like(site.start_ns),
            error=np.zeros(len(site), dtype=np.bool_), replica=caller.replica,
        )  # fmt: skip
        self._nodes.append(node)
        return len(self._nodes) - 1

    def end(self, index: int, duration_ns: Integers, outcome: Integers) -> None:
        """End the client span at a place; what a producer sent is consumed."""
        node = self._nodes[index]
        node.duration_ns = duration_ns.copy()
        node.outcome = outcome.copy()
        node.error = (outcome != Outcome.OK) & (outcome != Outcome.REDIRECTED)
        if node.sort.kind is Kind.PRODUCER:
            self._publish(node.sort.subject, node.path, index)

    def count(self, site: Site, counts: dict[str, int]) -> None:
        """Count what was done, if the call has any mechanism at all."""
        if site.call.policy.mechanisms or site.call.fallback is not None:
            for name, count in counts.items():
                self.tally[site.hop, name] += count

    def _leg(
        self, site: Site, of: Integers, parent: int | None, *, after_ns: int = 0, resend: int = 0
    ) -> Leg:
        """Go to upstream and back: the client's span, the wire, and what upstream does."""
        around = self._around
        path = f"{site.path}~hedge" if after_ns else site.path
        site = site.of(of).later(path, after_ns)
        node = self.begin(site, resend) if parent is None else None
        rows = site.caller.rows
        gap_ns = self._gap_ns(site, around.replica(f"{path}>", site.call.upstream, rows))
        there = 300_000 + around.draws.uniform(f"{path}/way", rows) * 4 // 10
        there_ns = scaled(gap_ns, there)
        served = self._serve(
            site.later(f"{path}>", there_ns), len(self._nodes) - 1 if parent is None else parent
        )
        return Leg(
            of=of, node=node, start_ns=after_ns, duration_ns=served.duration_ns + gap_ns,
            served_ns=there_ns + served.duration_ns, failed=served.error,
        )  # fmt: skip

    def _gap_ns(self, site: Site, upstream_replica: Integers) -> Integers:
        """Return the time on the network, both directions together."""
        median_ns = self._around.of_call(
            Quantity.GAP_NS, site.place, round(site.call.gap_ms * 1_000_000), site.caller,
            upstream_replica,
        )  # fmt: skip
        luck = self._around.draws.log_normal(f"{site.path}/gap", GAP_SIGMA, site.caller.rows)
        return scaled(median_ns, luck)

    def _settle(self, leg: Leg, timed_out: Mask, answer: Answer) -> None:
        """Cut a leg off where downstream left, and count what upstream did after that."""
        left_ns = answer.length_ns[leg.of] - leg.start_ns
        cut = leg.duration_ns > left_ns
        gave_up = np.where(timed_out[leg.of], Outcome.TIMEOUT, Outcome.CANCELLED)
        outcome = np.where(cut, gave_up, leg.failed.astype(np.int64))
        duration_ns = np.minimum(leg.duration_ns, left_ns)
        answer.waited_ns[leg.of] += duration_ns
        answer.abandoned_ns[leg.of] += np.where(cut, np.maximum(leg.served_ns - left_ns, 0), 0)
        answer.attempts[leg.of] += 1
        answer.attempts_failed[leg.of] += (outcome != Outcome.OK) & (outcome != Outcome.CANCELLED)
        if leg.node is not None:
            self.end(leg.node, duration_ns, outcome)
