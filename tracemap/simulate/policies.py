"""How a call copes with a slow or failing upstream, as data on the call.

::

    Retry      another attempt after a failed one, with backoff and perhaps a budget
    Breaker    no call at all for a while, once too many failed or were slow
    Hedge      a second attempt beside the first once that takes long; the first answer wins
    Policy     all of them together, with a deadline and a cache

From the outside in: cache, breaker, retry, deadline of an attempt, hedge. What follows a failure
of all that is `blueprint.Call.fallback`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Backoff = Literal["immediate", "constant", "exponential"]
Mechanism = Literal["retry", "timeout", "breaker", "cache", "fallback", "hedge"]
"""What a call may have to cope; each can be taken away (`without.without`)."""


@dataclass(frozen=True)
class Retry:
    """More attempts after a failed one.

    Attributes:
        attempts: At most this many, the first included.
        backoff: How the pause before an attempt grows.
        first_ms: Pause before the second attempt; ``immediate`` has none.
        factor: How much longer each further pause is, if ``exponential``.
        most_ms: No pause is longer.
        jitter: Draw each pause evenly between 0 and its length (full jitter).
        budget: Retries as a share of the calls of any ten seconds at most; None: no limit.
    """

    attempts: int = 3
    backoff: Backoff = "exponential"
    first_ms: float = 50.0
    factor: float = 2.0
    most_ms: float = 2_000.0
    jitter: bool = True
    budget: float | None = None

    def pause_ns(self, attempt: int) -> int:
        """Return the longest pause after this attempt (0: the first)."""
        if self.backoff == "immediate":
            return 0
        growth = self.factor**attempt if self.backoff == "exponential" else 1.0
        return round(min(self.first_ms * growth, self.most_ms) * 1_000_000)


@dataclass(frozen=True)
class Breaker:
    """Fails calls at once, with no call made, after too many failed or were slow.

    Each instance of downstream has its own at every place it calls from. Closed, it watches calls
    that ended within the window; open, it lets none through; then it lets some probes through and
    closes if they went well.

    Attributes:
        failure_ratio: Opens from this share of bad calls on.
        slow_ms: Calls that take this long are bad too; None: only failures are.
        window_seconds: How far back it looks.
        least_calls: It does not judge fewer calls.
        open_seconds: How long it stays open.
        probes: Calls let through half open.
    """

    failure_ratio: float = 0.5
    slow_ms: float | None = None
    window_seconds: float = 10.0
    least_calls: int = 10
    open_seconds: float = 10.0
    probes: int = 3


@dataclass(frozen=True)
class Hedge:
    """A second attempt beside the first; the first answer that is no failure wins.

    Attributes:
        after_ms: How long the first attempt has before the second starts.
    """

    after_ms: float


@dataclass(frozen=True)
class Policy:
    """How one call copes.

    Attributes:
        timeout_ms: Downstream leaves when this is over; upstream goes on. One attempt's deadline
            for HTTP and databases, that of all attempts together for gRPC. None: waits for ever.
        retry: More attempts; None: one only.
        breaker: Lets no calls through when too many fail; None: always does.
        hedge: A second attempt beside a slow one; None: never.
        hit_ratio: How often a cache in downstream's memory answers, with no call and no span.
        redirected: Each HTTP request is first answered with a redirect, by a gateway that records
            no spans, and sent again: a resend that is no retry.
    """

    timeout_ms: float | None = None
    retry: Retry | None = None
    breaker: Breaker | None = None
    hedge: Hedge | None = None
    hit_ratio: float = 0.0
    redirected: bool = False

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """What it has, sorted."""
        has: dict[Mechanism, bool] = {
            "breaker": self.breaker is not None,
            "cache": self.hit_ratio > 0,
            "hedge": self.hedge is not None,
            "retry": self.retry is not None and self.retry.attempts > 1,
            "timeout": self.timeout_ms is not None,
        }
        return tuple(name for name, present in has.items() if present)


PLAIN = Policy()
"""One attempt, however long it takes."""
