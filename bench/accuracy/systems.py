"""Systems of other shapes than `simulate.random_shop`, each with a fault and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import polars as pl

from bench.accuracy.situations import INCIDENT, Situation
from tracemap import simulate
from tracemap.model import MINUTE_NS
from tracemap.simulate import Call, Entry, Operation, Service, Shop, Slower, Stage, Subscription
from tracemap.simulate.blueprint import database

_HOPS, _WIDTH = 12, 24


def deep_chain(seed: int) -> Situation:
    """A fault somewhere in a chain of twelve services, each of which calls the next."""
    shop = _chain(seed)
    return Situation(shop, (simulate.random_fault(shop, seed),))


def wide_fan_out(seed: int) -> Situation:
    """A fault in one of two dozen services that are all called at the same time."""
    shop, random = _fan(seed), _random(seed)
    service = f"shard-{random.randrange(_WIDTH):02}"
    return Situation(shop, (Slower(service=service, add_ms=random.choice((60, 150, 400))),))


def behind_a_queue(seed: int) -> Situation:
    """A fault in what users wait for, while most of the work is done behind a queue."""
    shop, random = _queued(seed), _random(seed)
    service = random.choice(("orders", "postgresql orders"))
    return Situation(shop, (Slower(service=service, add_ms=random.choice((20, 60, 150))),))


def long_tails(seed: int) -> Situation:
    """A fault where every operation has a very long tail: the mean is far above the median."""
    shop = simulate.random_shop(seed)
    fault = simulate.random_fault(shop, seed)
    return Situation(_spread(shop, seed), (fault,), load=1.0)


def few(seed: int) -> Situation:
    """A fault that some sixty requests meet in all."""
    shop = simulate.random_shop(seed)
    fault = Slower(service=shop.entries[0].service, add_ms=_random(seed).choice((100, 300)))
    return Situation(shop, (fault,), load=0.02)


def quiet_consumers(seed: int) -> Situation:
    """What consumes a queue is slower: nobody waits for it."""
    slower = Slower(service="mailer", add_ms=300)
    return Situation(_queued(seed), around=(slower,))


def quiet_chain(seed: int) -> Situation:
    """Nothing happens in a chain of services."""
    return Situation(_chain(seed))


def quiet_fan_out(seed: int) -> Situation:
    """Nothing happens to two dozen services that are called at the same time."""
    return Situation(_fan(seed))


def quiet_long_tails(seed: int) -> Situation:
    """Nothing happens, and every operation has a very long tail."""
    return Situation(_spread(simulate.random_shop(seed), seed))


def quiet_few(seed: int) -> Situation:
    """Nothing happens to some sixty requests."""
    return Situation(simulate.random_shop(seed), load=0.02)


def quiet_waves(seed: int) -> Situation:
    """Services get slower and faster again, for a minute or three, all the time, before as now."""
    shop, random = simulate.random_shop(seed), _random(seed)
    names = sorted(name for name, one in shop.services.items() if one.kind != "queue")
    waves: list[Slower] = []
    for name in random.sample(names, min(4, len(names))):
        minute = random.uniform(0, 2)
        while minute < INCIDENT[1]:
            length = random.uniform(0.5, 3)
            wave = Slower(service=name, factor=random.choice((1.2, 1.5, 2.0)))
            waves.append(wave.during(minute, minute + length))
            minute += length + random.uniform(0.5, 3)
    return Situation(shop, background=tuple(waves))


def quiet_resampled(seed: int) -> Situation:
    """Nothing happens, and in the middle of the incident only a fifth of the traces is kept."""
    return Situation(simulate.random_shop(seed), recorded=_thinned)


def quiet_skewed(seed: int) -> Situation:
    """Nothing happens, and the clock of every other service jumps when the incident begins."""
    return Situation(simulate.random_shop(seed), recorded=_skewed)


def quiet_detached(seed: int) -> Situation:
    """More of the calls that nobody waits for take longer than their caller."""
    shop = simulate.random_shop(seed)
    operations = {
        key: replace(one, stages=tuple(_detached(stage) for stage in one.stages))
        for key, one in shop.operations.items()
    }
    random = _random(seed)
    left = sorted({call.upstream for one in operations.values() for stage in one.stages
                   for call in stage.calls if not call.waits})  # fmt: skip
    waited = {call.upstream for one in operations.values() for stage in one.stages
              for call in stage.calls if call.waits}  # fmt: skip
    only = [name for name in left if name not in waited]
    slower = (Slower(service=random.choice(only), add_ms=200),) if only else ()
    return Situation(replace(shop, operations=operations), around=slower)


def _detached(stage: Stage) -> Stage:
    """Return a stage whose last call of several is not waited for."""
    if len(stage.calls) == 1:
        return stage
    return replace(stage, calls=(*stage.calls[:-1], replace(stage.calls[-1], waits=False)))


def _chain(seed: int) -> Shop:
    random = _random(seed)
    names = [f"hop-{number:02}" for number in range(_HOPS)]
    store = database("postgresql", "end-db", "end")
    operations = [Operation(store.name, "SELECT end", 4.0)]
    for name in reversed(names):
        below = operations[-1]
        call = Call(*below.key, gap_ms=round(random.uniform(0.3, 2), 2))
        own_ms = round(random.uniform(1, 10), 2)
        operations.append(Operation(name, f"GET /{name}", own_ms, stages=(Stage((call,)),)))
    return _shop("chain", names, operations, (store,))


def _fan(seed: int) -> Shop:
    random = _random(seed)
    names = [f"shard-{number:02}" for number in range(_WIDTH)]
    shards = [
        Operation(name, "GET /shard", round(random.uniform(5, 20), 2), sigma=0.5) for name in names
    ]
    calls = tuple(Call(*one.key, gap_ms=1.0) for one in shards)
    front = Operation("search", "GET /search", 5.0, stages=(Stage(calls),))
    return _shop("fan", ["search", *names], [*shards, front], ())


def _queued(seed: int) -> Shop:
    random = _random(seed)
    store = database("postgresql", "orders-db", "orders")
    queue = Service("orders-placed", "queue", "kafka", host="kafka", port=9092)
    own_ms = [round(random.uniform(3, 20), 2) for _ in range(6)]
    read = Operation(store.name, "SELECT orders", own_ms[0])
    send = Operation(queue.name, "send orders-placed", 2.0, error_ratio=0.0)
    orders = Operation("orders", "orders.Orders/Place", own_ms[1], stages=(
        Stage((Call(*read.key),)), Stage((Call(*send.key, optional=True),)),
    ))  # fmt: skip
    front = Operation("web", "POST /orders", own_ms[2], stages=(Stage((Call(*orders.key),)),))
    label = Operation("printer", "printer.Printer/Label", own_ms[3])
    process = Operation("mailer", "process orders-placed", 5 * own_ms[4], stages=(
        Stage((Call(*label.key, times=5),)),
    ))  # fmt: skip
    names = ["web", "orders", "mailer", "printer"]
    operations = [read, send, label, process, orders, front]
    consumed = (Subscription(send.key, process.key),)
    return _shop("queued", names, operations, (store, queue), consumed)


def _shop(
    name: str,
    services: Sequence[str],
    operations: Sequence[Operation],
    others: Sequence[Service],
    consumed: tuple[Subscription, ...] = (),
) -> Shop:
    """Return a shop whose users call its last operation."""
    return Shop.of(
        name,
        services=(*(Service(each) for each in services), *others),
        operations=tuple(operations),
        entries=(Entry(*operations[-1].key, 180),),
        subscriptions=consumed,
    )


def _spread(shop: Shop, seed: int) -> Shop:
    random = _random(seed)
    operations = {
        key: replace(one, sigma=random.choice((1.0, 1.3))) for key, one in shop.operations.items()
    }
    return replace(shop, operations=operations)


def _thinned(spans: pl.DataFrame) -> pl.DataFrame:
    """Return spans without four fifths of the traces that start late in the incident."""
    start = pl.col("start_ns").min().over("trace_high", "trace_low")
    middle_ns = round(sum(INCIDENT) / 2 * MINUTE_NS)
    is_late = start >= pl.col("start_ns").min() + middle_ns
    return spans.filter(~is_late | (pl.col("trace_low") % 5 == 0))


def _skewed(spans: pl.DataFrame) -> pl.DataFrame:
    """Return spans with every other resource's clock 40 ms ahead from the incident on."""
    later = pl.col("start_ns") >= pl.col("start_ns").min() + round(INCIDENT[0] * MINUTE_NS)
    ahead_ns = (later & (pl.col("resource_id") % 2 == 0)) * 40_000_000
    return spans.with_columns(start_ns=pl.col("start_ns") + ahead_ns)


def _random(seed: int) -> Random:
    return Random(f"system {seed}")  # noqa: S311 (reproducible on purpose)
