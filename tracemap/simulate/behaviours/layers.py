"""Two layers of callers that handle the same upstream."""

from __future__ import annotations

from tracemap.simulate.behaviours.behaviour import (
    ORDERS,
    STOCK,
    Behaviour,
    call,
    played,
    system,
)
from tracemap.simulate.blueprint import Shop
from tracemap.simulate.faults import Failing, Slower
from tracemap.simulate.policies import PLAIN, Policy, Retry

_AGAIN = Policy(retry=Retry(attempts=2, first_ms=20))
_FAILS = Failing(service="stock", ratio=0.4)
_VERY_SLOW = Slower(service="stock", instance=0, add_ms=500)


def layered_retries() -> Behaviour:
    """Both layers try again, which multiplies; nearly: only the one next to upstream does."""
    return Behaviour(
        "layered-retries",
        "Orders tries stock again, and web tries orders again",
        ORDERS,
        STOCK,
        positive=played(_layers(_AGAIN, _AGAIN), _FAILS, seed=109),
        near_miss=played(_layers(PLAIN, _AGAIN), _FAILS, seed=109),
        negative=played(_layers(PLAIN, PLAIN), _FAILS, seed=109),
    )


def deadline_inversion() -> Behaviour:
    """Orders waits longer than web waits for it; nearly: web waits longer, as it should."""
    short, long = Policy(timeout_ms=100), Policy(timeout_ms=300)
    return Behaviour(
        "deadline-inversion",
        "Web leaves after 100 ms, orders goes on waiting for stock for 300 ms",
        ORDERS,
        STOCK,
        positive=played(_layers(short, long), _VERY_SLOW, seed=110),
        near_miss=played(_layers(long, short), _VERY_SLOW, seed=110),
        negative=played(_layers(PLAIN, PLAIN), _VERY_SLOW, seed=110),
    )


def _layers(front: Policy, back: Policy) -> Shop:
    return system((call(STOCK, policy=back),), front=call(ORDERS, policy=front))
