"""How callers handle a slow or failing upstream."""

from __future__ import annotations

from tracemap.simulate.behaviours.behaviour import (
    BACKUP,
    LEDGER,
    ORDERS,
    STOCK,
    Behaviour,
    call,
    played,
    system,
    with_own_ms,
)
from tracemap.simulate.faults import Failing, Slower
from tracemap.simulate.policies import Breaker, Hedge, Policy, Retry

_STOCK_FAILS = Failing(service="stock", ratio=0.3)
_LEDGER_FAILS = Failing(service="ledger", ratio=0.3)
_BACKING_OFF = Policy(retry=Retry(attempts=3, first_ms=20, jitter=False))


def retry_http() -> Behaviour:
    """Failed requests are sent again; nearly: they are sent again, but for a redirect."""
    return Behaviour(
        "retry-http",
        "An HTTP client tries again: a client span per attempt, with its number",
        ORDERS,
        STOCK,
        positive=played(system((call(STOCK, policy=_BACKING_OFF),)), _STOCK_FAILS, seed=101),
        near_miss=played(system((call(STOCK, policy=Policy(redirected=True)),)), seed=101),
        negative=played(system((call(STOCK),)), _STOCK_FAILS, seed=101),
    )


def retry_grpc() -> Behaviour:
    """Failed calls are tried again; nearly: calls in a row, each with a client span of its own."""
    return Behaviour(
        "retry-grpc",
        "A gRPC client tries again: one client span, a server span per attempt",
        ORDERS,
        LEDGER,
        positive=played(system((call(LEDGER, policy=_BACKING_OFF),)), _LEDGER_FAILS, seed=102),
        near_miss=played(system((call(LEDGER, times=3),)), seed=102),
        negative=played(system((call(LEDGER),)), _LEDGER_FAILS, seed=102),
    )


def retry_storm() -> Behaviour:
    """Two layers try again and again at once; nearly: the same within a budget."""
    wild = Policy(retry=Retry(attempts=4, backoff="immediate"))
    tame = Policy(retry=Retry(attempts=4, backoff="immediate", budget=0.1))
    failing = Failing(service="stock", ratio=0.8)
    return Behaviour(
        "retry-storm",
        "Retries of two layers multiply while upstream fails",
        ORDERS,
        STOCK,
        positive=played(
            system((call(STOCK, policy=wild),), front=call(ORDERS, policy=wild)),
            failing, seed=103,
        ),
        near_miss=played(
            system((call(STOCK, policy=tame),), front=call(ORDERS, policy=tame)),
            failing, seed=103,
        ),
        negative=played(
            system((call(STOCK, policy=wild),), front=call(ORDERS, policy=wild)), seed=103
        ),
    )  # fmt: skip


def timeout() -> Behaviour:
    """Downstream leaves after 100 ms; nearly: it never waited (the call outlives its parent)."""
    slow = Slower(service="stock", instance=0, add_ms=300)
    limited = Policy(timeout_ms=100)
    return Behaviour(
        "timeout",
        "An HTTP client leaves at its deadline and the server goes on",
        ORDERS,
        STOCK,
        positive=played(system((call(STOCK, policy=limited),)), slow, seed=104),
        near_miss=played(system((call(STOCK, waits=False),)), slow, seed=104),
        negative=played(system((call(STOCK),)), slow, seed=104),
    )


def deadline_grpc() -> Behaviour:
    """One deadline for all attempts; nearly: it is so long that it is never met."""
    slow = Slower(service="ledger", instance=0, add_ms=300)
    retry = Retry(attempts=3, backoff="immediate")
    return Behaviour(
        "deadline-grpc",
        "A gRPC client leaves when the deadline of all attempts is over",
        ORDERS,
        LEDGER,
        positive=played(
            system((call(LEDGER, policy=Policy(timeout_ms=100, retry=retry)),)), slow, seed=105
        ),
        near_miss=played(
            system((call(LEDGER, policy=Policy(timeout_ms=9_000, retry=retry)),)), slow, seed=105
        ),
        negative=played(system((call(LEDGER),)), slow, seed=105),
    )


def circuit_breaker() -> Behaviour:
    """Calls fail at once, unmade; nearly: upstream itself says no at once, with server spans."""
    failing = Failing(service="stock", ratio=0.95)
    guarded = Policy(breaker=Breaker(open_seconds=8, window_seconds=5))
    busy_saying_no = with_own_ms(system((call(STOCK, gap_ms=0.2),)), STOCK, 0.5)
    return Behaviour(
        "circuit-breaker",
        "A circuit breaker opens: client spans that fail in no time, without a server span",
        ORDERS,
        STOCK,
        positive=played(system((call(STOCK, policy=guarded),)), failing, seed=106),
        near_miss=played(busy_saying_no, failing, seed=106),
        negative=played(system((call(STOCK),)), failing, seed=106),
    )


def fallback() -> Behaviour:
    """Something else is called after a failure; nearly: it is always called, failure or not."""
    return Behaviour(
        "fallback",
        "After a failure another service is called and downstream is fine",
        ORDERS,
        STOCK,
        positive=played(system((call(STOCK, fallback=call(BACKUP)),)), _STOCK_FAILS, seed=107),
        near_miss=played(
            system((call(STOCK, optional=True),), (call(BACKUP),)), _STOCK_FAILS, seed=107
        ),
        negative=played(system((call(STOCK, optional=True),)), _STOCK_FAILS, seed=107),
    )


def hedging() -> Behaviour:
    """A second attempt beside a slow one; nearly: two calls side by side from the start."""
    slow = Slower(service="stock", instance=0, add_ms=200)
    hedged = Policy(hedge=Hedge(after_ms=60))
    return Behaviour(
        "hedging",
        "A second attempt starts after 60 ms; the first answer wins and the other is left",
        ORDERS,
        STOCK,
        positive=played(system((call(STOCK, policy=hedged),)), slow, seed=108),
        near_miss=played(system((call(STOCK, times=2, together=True),)), slow, seed=108),
        negative=played(system((call(STOCK),)), slow, seed=108),
    )
