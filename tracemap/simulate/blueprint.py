"""What a simulated system is made of: services, operations, calls, topics, entries. Data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tracemap.simulate.policies import PLAIN, Policy

ServiceKind = Literal["service", "database", "queue", "external"]


class OperationKey(NamedTuple):
    """An operation of a service, by the names that facts and findings use."""

    service: str
    operation: str

    def __str__(self) -> str:
        """Return both names in one line."""
        return f"{self.service} {self.operation}"


@dataclass(frozen=True)
class Service:
    """Something that can be called.

    Attributes:
        name: ``service.name``; for what is not instrumented, what a reader calls it by its callers'
            attributes: system and namespace (or host) of a database, host, topic.
        kind: ``service`` records spans; the others are only seen by their callers.
        system: For the others: ``postgresql``, ``redis``, ``kafka``; ``http`` for external ones.
        host: Host that its callers name, for what is not instrumented; empty: its name.
        namespace: Database name, for databases that have one.
        port: Port its callers name; 0: the default one, which is not named.
        protocol: How a ``service`` is called.
        replicas: How many instances record spans.
        version: ``service.version``.
        language: ``telemetry.sdk.language``.
        owner: ``service.owner``.
        criticality: ``service.criticality``.
        slots: Requests an instance works on at a time; more of them wait (`load`). None: no limit.
    """

    name: str
    kind: ServiceKind = "service"
    system: str = ""
    host: str = ""
    namespace: str = ""
    port: int = 50051
    protocol: Literal["grpc", "http"] = "grpc"
    replicas: int = 2
    version: str = "1.0.0"
    language: str = "go"
    owner: str = "platform"
    criticality: str = "medium"
    slots: int | None = None

    @property
    def address(self) -> str:
        """The host that its callers name."""
        return self.host or self.name


def database(system: str, host: str, namespace: str = "") -> Service:
    """Return a database, named as readers name it."""
    return Service(
        f"{system} {namespace or host}", "database", system, host, namespace, port=0, replicas=1
    )


@dataclass(frozen=True)
class Call:
    """One call of an operation, as its downstream makes it.

    Attributes:
        upstream: Name of the service called.
        operation: Its operation.
        probability: How often the call is made (1 - hit ratio, for what a cache stands before).
        times: Calls made one after the other.
        gap_ms: Median time on the network, both directions together.
        optional: A failure of the call does not fail downstream.
        waits: Downstream waits for it. If not, it goes on at once (fire and forget).
        together: All `times` calls are made at the same time (fan-out).
        policy: How it copes with a slow or failing upstream.
        fallback: What is called in its place after it failed; if that goes well, all is well.
    """

    upstream: str
    operation: str
    probability: float = 1.0
    times: int = 1
    gap_ms: float = 0.6
    optional: bool = False
    waits: bool = True
    together: bool = False
    policy: Policy = PLAIN
    fallback: Call | None = None

    @property
    def key(self) -> OperationKey:
        """The operation called."""
        return OperationKey(self.upstream, self.operation)


@dataclass(frozen=True)
class Stage:
    """Calls made at the same time; the next stage begins when all of them have returned.

    Attributes:
        calls: The calls.
        span: Name of an INTERNAL span around the stage; empty: none.
    """

    calls: tuple[Call, ...]
    span: str = ""


@dataclass(frozen=True)
class Operation:
    """What a service does on one kind of request: own time around stages of calls.

    Attributes:
        service: Whose it is.
        name: Low-cardinality name, as spans carry it.
        own_ms: Median of its own time (log-normal), spread evenly around the stages.
        sigma: Standard deviation of the logarithm of its own time.
        error_ratio: How often it fails on its own account.
        stages: One after the other.
    """

    service: str
    name: str
    own_ms: float
    sigma: float = 0.4
    error_ratio: float = 0.0005
    stages: tuple[Stage, ...] = ()

    @property
    def key(self) -> OperationKey:
        """Service and name."""
        return OperationKey(self.service, self.name)


@dataclass(frozen=True)
class Entry:
    """An operation that users call, and how often.

    Attributes:
        service: Whose it is.
        operation: Its name.
        per_minute: Mean requests per minute.
    """

    service: str
    operation: str
    per_minute: float

    @property
    def key(self) -> OperationKey:
        """Service and name."""
        return OperationKey(self.service, self.operation)


@dataclass(frozen=True)
class Subscription:
    """A consumer of a topic. Each message makes a trace of its own, linked to the sender's span.

    Attributes:
        send: The queue's operation that publishes.
        process: The operation that consumes.
        lag_ms: Median time a message waits in the queue.
    """

    send: OperationKey
    process: OperationKey
    lag_ms: float = 40.0


@dataclass(frozen=True)
class Shop:
    """A whole system.

    Attributes:
        name: ``service.namespace`` of its services.
        services: By name.
        operations: By service and name.
        entries: What users call.
        subscriptions: Who consumes what is published.
        environment: ``deployment.environment.name``.
    """

    name: str
    services: dict[str, Service] = field(default_factory=dict)
    operations: dict[OperationKey, Operation] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    environment: str = "production"

    @classmethod
    def of(
        cls,
        name: str,
        *,
        services: tuple[Service, ...],
        operations: tuple[Operation, ...],
        entries: tuple[Entry, ...],
        subscriptions: tuple[Subscription, ...] = (),
    ) -> Shop:
        """Return a shop made of these parts.

        Raises:
            KeyError: If a call, entry or subscription names an operation that does not exist.
        """
        shop = cls(
            name=name,
            services={service.name: service for service in services},
            operations={operation.key: operation for operation in operations},
            entries=entries,
            subscriptions=subscriptions,
        )
        for key in shop._keys_used():
            _ = shop.services[shop.operations[key].service]
        return shop

    def calls(self) -> Iterator[tuple[OperationKey, Call]]:
        """Yield every call, fallbacks too, with the operation that makes it."""
        for operation in self.operations.values():
            for stage in operation.stages:
                for call in stage.calls:
                    yield operation.key, call
                    if call.fallback is not None:
                        yield operation.key, call.fallback

    def _keys_used(self) -> Iterator[OperationKey]:
        yield from self.operations
        yield from (entry.key for entry in self.entries)
        yield from (call.key for _, call in self.calls())
        for subscription in self.subscriptions:
            yield from (subscription.send, subscription.process)
