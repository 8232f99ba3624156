"""What is simulated: sorts of systems, faults and exports, drawn by seed.

Each function gives one situation; `FAULTS` has something to be named, `QUIET` has not. Nothing in
them is known to the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import polars as pl

from tracemap import simulate
from tracemap.simulate import (
    ColdCache,
    Deploy,
    ErrorBurst,
    Failing,
    Fault,
    HeadSampling,
    Policy,
    Retry,
    Sampling,
    Shop,
    Slower,
    SlowPod,
    Surge,
    TailSampling,
)
from tracemap.simulate.behaviours.behaviour import STOCK, call, system

INCIDENT = (20.0, 30.0)
"""Minutes of the incident; the minutes before are the baseline."""


@dataclass(frozen=True)
class Situation:
    """A system, what goes wrong in it, and what is recorded.

    Attributes:
        shop: The system.
        faults: What goes wrong; those of `around` are no culprits.
        around: What changes without anybody being to blame: load, mix.
        load: Times the usual rates.
        sampling: What is recorded; None: all.
        one_root: All operations of the front door have one name.
        loses_abandoned: What upstream records after its caller left is lost.
        background: What happens at times of its own, before the incident and in it.
        recorded: What is done to the spans before anybody sees them; None: nothing.
    """

    shop: Shop
    faults: tuple[Fault, ...] = ()
    around: tuple[Fault, ...] = ()
    load: float = 0.5
    sampling: Sampling | None = None
    one_root: bool = False
    loses_abandoned: bool = False
    background: tuple[Fault, ...] = ()
    recorded: Callable[[pl.DataFrame], pl.DataFrame] | None = None


def plain(seed: int) -> Situation:
    """A slower service, database, instance, link or network, or more calls."""
    shop = simulate.random_shop(seed)
    return Situation(shop, (simulate.random_fault(shop, seed),))


def policies(seed: int) -> Situation:
    """The same where calls have deadlines, retries, breakers, hedges and caches."""
    return replace(plain(seed), shop=simulate.random_policies(simulate.random_shop(seed), seed))


def two_faults(seed: int) -> Situation:
    """Two at once."""
    situation = plain(seed)
    both = (simulate.random_fault(situation.shop, number) for number in (seed, seed + 10_000))
    return replace(situation, faults=tuple(both))


def rush(seed: int) -> Situation:
    """A fault while twice as many requests arrive."""
    situation = plain(seed)
    return replace(situation, around=_surges(situation.shop, 2.0))


def one_root(seed: int) -> Situation:
    """A fault while requests of one sort triple, and all sorts have one name."""
    situation = plain(seed)
    shop = situation.shop
    entry = _random(seed).choice(shop.entries)
    surge = Surge(service=entry.service, operation=entry.operation, factor=3.0)
    return replace(situation, around=(surge,), one_root=True)


def deploy(seed: int) -> Situation:
    """A new version of one service is slower."""
    shop, random = simulate.random_shop(seed), _random(seed)
    fault = Deploy(
        service=_some_service(shop, random), version="9.0.0", add_ms=random.choice((20, 60, 150))
    )
    return Situation(shop, (fault,))


def slow_pod(seed: int) -> Situation:
    """The network of one instance is slow, in both directions."""
    shop, random = simulate.random_shop(seed), _random(seed)
    fault = SlowPod(
        service=_some_service(shop, random), instance=0, add_ms=random.choice((60, 150, 400))
    )
    return Situation(shop, (fault,))


def cold_cache(seed: int) -> Situation:
    """A call that a cache answered most of the time is made every time."""
    shop, random = simulate.random_shop(seed), _random(seed)
    calls = [(key, one) for key, one in shop.calls() if _is_call(shop, one.upstream)]
    key, chosen = random.choice(sorted(calls, key=lambda pair: (pair[0], pair[1].key)))
    cached = _with_call(shop, key, chosen, policy=Policy(hit_ratio=0.9))
    cold = ColdCache(
        downstream=key.service,
        downstream_operation=key.operation,
        upstream=chosen.upstream,
        upstream_operation=chosen.operation,
        probability=1.0,
    )
    return Situation(cached, (cold,))


def queueing(seed: int) -> Situation:
    """Twice the requests where one upstream works on one at a time."""
    shop = system((call(STOCK),), slots=1, replicas=1)
    entry = shop.entries[0]
    factor = _random(seed).choice((1.8, 2.0, 2.2))
    surge = Surge(service=entry.service, operation=entry.operation, factor=factor)
    return Situation(shop, (surge,), load=1.0)


def heavy_tails(seed: int) -> Situation:
    """A fault among requests of which some take a hundred times as long as most."""
    return replace(plain(seed), shop=_with_tails(simulate.random_shop(seed), seed))


def thin(seed: int) -> Situation:
    """A fault where few requests arrive."""
    return replace(plain(seed), load=0.08)


def head_sampled(seed: int) -> Situation:
    """A fault of which a fifth of the traces is recorded."""
    return replace(plain(seed), sampling=HeadSampling(0.2), load=1.0)


def tail_sampled(seed: int) -> Situation:
    """A fault of which slow traces and a tenth of the others are recorded."""
    return replace(plain(seed), sampling=TailSampling(slow_ms=400, share=0.1), load=1.0)


def failing(seed: int) -> Situation:
    """An operation fails much more often, steadily or in bursts."""
    shop, random = simulate.random_shop(seed), _random(seed)
    service, ratio = _some_service(shop, random), random.choice((0.1, 0.3, 0.7))
    fault: Fault = Failing(service=service, ratio=ratio)
    if random.random() < 0.3:
        fault = ErrorBurst(service=service, ratio=0.9, burst_seconds=8, every_seconds=30)
    return Situation(shop, (fault,))


def failing_retried(seed: int) -> Situation:
    """The same where calls are made again, shed and cut short."""
    situation = failing(seed)
    return replace(situation, shop=simulate.random_policies(situation.shop, seed))


def hanging(seed: int) -> Situation:
    """An upstream hangs: its callers leave at a deadline, and it records nothing."""
    shop, random = simulate.random_shop(seed), _random(seed)
    service = _some_service(shop, random, front=False)
    guarded = shop
    for key, one in shop.calls():
        if one.upstream == service:
            retry = random.choice((None, Retry(attempts=2, backoff="immediate")))
            guarded = _with_call(guarded, key, one, policy=Policy(timeout_ms=300, retry=retry))
    fault = Slower(service=service, add_ms=3_000, instance=random.choice((None, 0)))
    return Situation(guarded, (fault,), loses_abandoned=True)


def quiet(seed: int) -> Situation:
    """Nothing happens."""
    return Situation(simulate.random_shop(seed))


def quiet_policies(seed: int) -> Situation:
    """Nothing happens, and calls have deadlines, retries, breakers, hedges and caches."""
    return Situation(simulate.random_policies(simulate.random_shop(seed), seed))


def quiet_thin(seed: int) -> Situation:
    """Nothing happens, to few requests."""
    return Situation(simulate.random_shop(seed), load=0.08)


def quiet_rush(seed: int) -> Situation:
    """Twice as many requests arrive; nobody has to wait."""
    shop = simulate.random_shop(seed)
    return Situation(shop, around=_surges(shop, 2.0))


def quiet_mix(seed: int) -> Situation:
    """Requests of one sort triple, and all sorts have one name: slower on average, by nobody."""
    return replace(one_root(seed), faults=())


def quiet_tails(seed: int) -> Situation:
    """Some requests take a hundred times as long as most, now as before."""
    return Situation(_with_tails(simulate.random_shop(seed), seed))


def quiet_deploy(seed: int) -> Situation:
    """A new version is as fast as the old one."""
    situation = deploy(seed)
    fine = tuple(replace(one, add_ms=0.0) for one in situation.faults if isinstance(one, Deploy))
    return replace(situation, faults=(), around=fine)


def quiet_tail_sampled(seed: int) -> Situation:
    """Nothing happens; slow traces and a tenth of the others are recorded."""
    return replace(quiet(seed), sampling=TailSampling(slow_ms=400, share=0.1), load=1.0)


def _random(seed: int) -> Random:
    return Random(f"situation {seed}")  # noqa: S311 (reproducible on purpose)


def _is_call(shop: Shop, upstream: str) -> bool:
    return shop.services[upstream].kind != "queue"


def _some_service(shop: Shop, random: Random, *, front: bool = True) -> str:
    """Return a random service that users' requests reach."""
    entries = {entry.service for entry in shop.entries}
    reached = {one.upstream for _, one in shop.calls()} | (entries if front else set())
    return random.choice(sorted(name for name in reached if shop.services[name].kind == "service"))


def _surges(shop: Shop, factor: float) -> tuple[Fault, ...]:
    return tuple(
        Surge(service=entry.service, operation=entry.operation, factor=factor)
        for entry in shop.entries
    )


def _with_call(
    shop: Shop, key: simulate.OperationKey, chosen: simulate.Call, *, policy: Policy
) -> Shop:
    """Return the system with a policy at one call."""
    operation = shop.operations[key]
    stages = tuple(
        replace(
            stage,
            calls=tuple(
                replace(one, policy=policy) if one.key == chosen.key else one for one in stage.calls
            ),
        )
        for stage in operation.stages
    )
    changed = replace(operation, stages=stages)
    return replace(shop, operations={**shop.operations, key: changed})


def _with_tails(shop: Shop, seed: int) -> Shop:
    """Return the system where a third of the operations has a very long tail."""
    random = _random(seed)
    operations = {
        key: replace(one, sigma=random.choice((1.2, 1.6))) if random.random() < 1 / 3 else one
        for key, one in sorted(shop.operations.items())
    }
    return replace(shop, operations=operations)
