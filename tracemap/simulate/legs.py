"""One round trip to upstream (a leg), and the answer that downstream gets out of its legs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemap.simulate.draws import Integers, Mask
from tracemap.simulate.places import Outcome


@dataclass
class Leg:
    """One round trip to upstream, for some of an attempt's requests.

    Attributes:
        of: Which of the attempt's requests.
        node: Its client span's place; None: it has none of its own.
        start_ns: From the start of the attempt.
        duration_ns: If downstream waits long enough.
        served_ns: When upstream is done, from the start of the leg.
        failed: Upstream failed.
    """

    of: Integers
    node: int | None
    start_ns: int
    duration_ns: Integers
    served_ns: Integers
    failed: Mask


@dataclass
class Answer:
    """What downstream got, per request.

    Attributes:
        length_ns: How long it took, pauses included.
        waited_ns: Sum of what downstream waited for attempts.
        abandoned_ns: Sum of what upstream went on after downstream had left.
        attempts: Legs.
        attempts_failed: Those that failed or took too long.
        outcome: How it ended, as `Outcome`.
    """

    length_ns: Integers
    waited_ns: Integers
    abandoned_ns: Integers
    attempts: Integers
    attempts_failed: Integers
    outcome: Integers

    @classmethod
    def of(cls, size: int) -> Answer:
        """Return answers of which nothing is known yet."""
        return cls(*(np.zeros(size, dtype=np.int64) for _ in range(6)))

    def add(self, at: Integers, other: Answer) -> None:
        """Let the answer of some requests follow; how it ended is theirs."""
        for name in ("length_ns", "waited_ns", "abandoned_ns", "attempts", "attempts_failed"):
            getattr(self, name)[at] += getattr(other, name)
        self.outcome[at] = other.outcome

    @property
    def failed(self) -> Mask:
        """Which calls failed, for whatever reason."""
        return np.asarray(self.outcome != Outcome.OK)


def first_success(first: Leg, second: Leg) -> tuple[Integers, Mask]:
    """Return when the better answer of two legs is there, and whether both failed."""
    one_ns, other_ns = first.duration_ns[second.of], second.start_ns + second.duration_ns
    one_failed = first.failed[second.of]
    last_ns, soonest_ns = np.maximum(one_ns, other_ns), np.minimum(one_ns, other_ns)
    both = np.where(one_failed, last_ns, soonest_ns)
    success_ns = np.where(one_failed, other_ns, one_ns)
    return np.where(one_failed == second.failed, both, success_ns), one_failed & second.failed
