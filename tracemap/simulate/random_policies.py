"""Random policies for the calls of a system, to measure how often a report is right with them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tracemap.simulate.blueprint import Call, Operation, Shop
from tracemap.simulate.policies import Backoff, Breaker, Hedge, Policy, Retry

SHARE = 0.5
"""How many calls get a policy."""


def random_policies(shop: Shop, seed: int) -> Shop:
    """Return the system with retries, deadlines, breakers, hedges and caches at some of its calls.

    Calls of queues stay as they are. Equal arguments give equal systems.

    Args:
        shop: The system.
        seed: Seed of everything random.
    """
    random = Random(f"policies {seed}")  # noqa: S311 (reproducible on purpose)
    operations = {key: _with_policies(shop, one, random) for key, one in shop.operations.items()}
    return replace(shop, operations=operations)


def _with_policies(shop: Shop, operation: Operation, random: Random) -> Operation:
    stages = tuple(
        replace(stage, calls=tuple(_with_policy(shop, call, random) for call in stage.calls))
        for stage in operation.stages
    )
    return replace(operation, stages=stages)


def _with_policy(shop: Shop, call: Call, random: Random) -> Call:
    if shop.services[call.upstream].kind == "queue" or random.random() >= SHARE:
        return call
    backoff: Backoff = random.choice(("immediate", "constant", "exponential"))
    retry = Retry(
        attempts=random.choice((2, 3)),
        backoff=backoff,
        first_ms=random.choice((10, 50)),
        jitter=random.random() < SHARE,
        budget=random.choice((None, 0.2)),
    )
    policy = Policy(
        timeout_ms=random.choice((None, 100, 300)),
        retry=random.choice((None, retry)),
        breaker=random.choice((None, None, Breaker(open_seconds=5))),
        hedge=random.choice((None, None, Hedge(after_ms=40))),
        hit_ratio=random.choice((0.0, 0.0, 0.5)),
    )
    return replace(call, policy=policy)
