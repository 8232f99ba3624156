"""Random faults, to measure how often a report is right."""

from __future__ import annotations

import math
from random import Random

from tracemap.simulate.blueprint import Shop
from tracemap.simulate.fault import Fault
from tracemap.simulate.faults import MoreCalls, SlowEdge, Slower, SlowNetwork
from tracemap.simulate.random_shop import reachable

WEIGHTS = {"service": 5, "database": 3, "instance": 1, "edge": 2, "network": 2, "calls": 2}
"""How often each sort of fault is drawn."""


def random_fault(
    shop: Shop, seed: int, *, start_minute: float = 20.0, end_minute: float = 30.0
) -> Fault:
    """Return a random fault somewhere in what users' requests reach.

    A slower service, database or instance, a slow edge, a slow network of a service, or more calls
    where there was one; never of a queue. Delays are 10 to 200 ms, small ones as likely as large
    ones on a log scale. Equal arguments give equal faults.

    Args:
        shop: The system.
        seed: Seed of everything random.
        start_minute: Minutes from the start of the run.
        end_minute: Minutes from the start of the run.
    """
    random = Random(f"{shop.name} {seed}")  # noqa: S311 (reproducible on purpose)
    kinds = {key.service: shop.services[key.service].kind for key in sorted(reachable(shop))}
    own = [name for name, kind in kinds.items() if kind == "service"]
    stores = [name for name, kind in kinds.items() if kind == "database"]
    calls = [(key, call) for key, call in shop.calls() if kinds[call.upstream] != "queue"]
    downstream, call = random.choice(calls)
    called = sorted({call.upstream for _, call in calls if call.upstream in own})
    add_ms = round(math.exp(random.uniform(math.log(10), math.log(200))), 1)
    faults: dict[str, Fault] = {
        "service": _slower(random.choice(own), add_ms),
        "database": _slower(random.choice(stores or own), add_ms),
        "instance": _slower(random.choice(own), 2 * add_ms, instance=0),
        "edge": SlowEdge(downstream=downstream.service, upstream=call.upstream, add_ms=add_ms),
        "network": SlowNetwork(service=random.choice(called or own), add_ms=add_ms),
        "calls": MoreCalls(
            downstream=downstream.service,
            downstream_operation=downstream.operation,
            upstream=call.upstream,
            upstream_operation=call.operation,
            times=random.randint(3, 8),
        ),
    }
    kind = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    return faults[kind].during(start_minute, end_minute)


def _slower(service: str, add_ms: float, instance: int | None = None) -> Slower:
    return Slower(service=service, add_ms=add_ms, instance=instance)
