"""Random systems, to measure how often a report is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from tracemap.simulate.blueprint import (
    Call,
    Entry,
    Operation,
    OperationKey,
    Service,
    Shop,
    Stage,
    Subscription,
    database,
)

NAMES = (
    "gateway", "portal", "account", "billing", "booking", "calendar", "coupon", "delivery",
    "feed", "geocoder", "inventory", "invoice", "ledger", "loyalty", "media", "notifier",
    "offers", "profile", "quota", "ranking", "review", "session", "stock", "tax",
    "ticket", "translator", "upload", "voucher", "wallet", "wishlist",
)  # fmt: skip
VERBS = ("Get", "List", "Update", "Check")
MOST_SPANS = 60
"""A request makes at most about this many spans: larger calls are left out."""
_SHARE_WITH_DATABASE = 0.5
_SHARE_WITH_QUEUE = 0.4
_SHARE_OPTIONAL = 0.2


def random_shop(seed: int, *, services: int | None = None) -> Shop:
    """Return a random system: a front door, services in layers, databases, perhaps a queue.

    Calls go from earlier services to later ones, so there are no cycles; what no request reaches is
    left out. Equal arguments give equal systems.

    Args:
        seed: Seed of everything random.
        services: Number of services at most, 3 to 30; None: 5 to 16.
    """
    random = Random(seed)  # noqa: S311 (reproducible on purpose)
    names = NAMES[: random.randint(5, 16) if services is None else services]
    builder = _Builder(random, names)
    for name in names[1:]:
        if random.random() < _SHARE_WITH_DATABASE:
            builder.add_database(name)
    for index in reversed(range(len(names))):
        builder.add_service(index)
    subscriptions = builder.queue() if random.random() < _SHARE_WITH_QUEUE else ()
    entries = tuple(
        Entry(*key, random.choice((60, 90, 120, 180)))
        for key in builder.operations
        if key.service == names[0]
    )
    known = {service.name: service for service in _services(random, names)}
    shop = Shop(f"random-{seed}", known, builder.operations, entries, subscriptions)
    reached = reachable(shop)
    return Shop.of(
        shop.name,
        services=tuple(known[name] for name in sorted({key.service for key in reached})),
        operations=tuple(shop.operations[key] for key in sorted(reached)),
        entries=entries,
        subscriptions=subscriptions,
    )


def reachable(shop: Shop) -> set[OperationKey]:
    """Return the operations that users' requests and the messages they send reach."""
    found: set[OperationKey] = set()
    waiting = [entry.key for entry in shop.entries]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += [one.process for one in shop.subscriptions if one.send == key]
            waiting += [call.key for stage in shop.operations[key].stages for call in stage.calls]
    return found


@dataclass
class _Builder:
    """Operations made so far, callees before callers."""

    random: Random
    names: Sequence[str]
    operations: dict[OperationKey, Operation] = field(default_factory=dict)
    spans: dict[OperationKey, float] = field(default_factory=dict)

    def add_database(self, owner: str) -> None:
        for verb in ("SELECT", "UPDATE"):
            own_ms = _log_uniform(self.random, 1, 15)
            self._add(Operation(f"postgresql {owner}", f"{verb} {owner}", own_ms, error_ratio=0.0))

    def add_service(self, index: int) -> None:
        name, random = self.names[index], self.random
        is_front = index == 0
        targets = [key for key in self.operations if key.service in self.names[index + 1 :]]
        own = [key for key in self.operations if key.service == f"postgresql {name}"]
        for verb in VERBS[: random.randint(2, 4) if is_front else random.randint(1, 3)]:
            title = f"GET /{verb.lower()}" if is_front else f"random.{name.title()}/{verb}"
            most = random.choice((1, 2, 3)) if is_front else random.choice((0, 1, 1, 2, 3))
            stages = self._stages([*targets, *own, *own], most)
            own_ms = _log_uniform(random, 1, 25)
            sigma = random.choice((0.3, 0.4, 0.5))
            self._add(Operation(name, title, own_ms, sigma, stages=stages))

    def queue(self) -> tuple[Subscription, ...]:
        """Let one operation of the front door publish events, which the last service consumes."""
        send = Operation("events", "send events", 2.0, error_ratio=0.0)
        own_ms = _log_uniform(self.random, 2, 25)
        process = Operation(self.names[-1], "process events", own_ms)
        front = [one for one in self.operations.values() if one.service == self.names[0]]
        chosen = self.random.choice(front)
        publishing = (*chosen.stages, Stage((Call(*send.key, optional=True),)))
        self.operations[chosen.key] = replace(chosen, stages=publishing)
        self._add(send)
        self._add(process)
        return (Subscription(send.key, process.key),)

    def _stages(self, targets: Sequence[OperationKey], most: int) -> tuple[Stage, ...]:
        """Return up to `most` stages of up to four calls, as long as they fit a request."""
        budget, stages = float(MOST_SPANS), []
        for _ in range(most):
            calls: dict[OperationKey, Call] = {}
            for key in self.random.choices(targets, k=self.random.randint(1, 4)) if targets else ():
                call = self._call(key)
                cost = call.times * (self.spans[key] + 1)
                if key not in calls and cost <= budget:
                    budget -= cost
                    calls[key] = call
            if calls:
                stages.append(Stage(tuple(calls.values())))
        return tuple(stages)

    def _call(self, key: OperationKey) -> Call:
        random = self.random
        return Call(
            *key,
            probability=random.choice((1.0, 1.0, 1.0, 0.6, 0.3)),
            times=random.choice((1, 1, 1, 1, 2, 3)),
            gap_ms=_log_uniform(random, 0.2, 3),
            optional=random.random() < _SHARE_OPTIONAL,
        )

    def _add(self, operation: Operation) -> None:
        self.operations[operation.key] = operation
        calls = [call for stage in operation.stages for call in stage.calls]
        self.spans[operation.key] = 1 + sum(c.times * (self.spans[c.key] + 1) for c in calls)


def _services(random: Random, names: Sequence[str]) -> list[Service]:
    services = [Service("events", "queue", "kafka", host="kafka", port=9092)]
    for index, name in enumerate(names):
        services += [
            Service(
                name,
                protocol="grpc" if index else "http",
                port=50051 if index else 443,
                replicas=random.randint(2, 3),
                owner=f"team-{index % 5 + 1}",
            ),
            database("postgresql", f"{name}-db", name),
        ]
    return services


def _log_uniform(random: Random, low: float, high: float) -> float:
    return round(math.exp(random.uniform(math.log(low), math.log(high))), 2)
