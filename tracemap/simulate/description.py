"""What a span says of itself: name, scope, attributes, and the words derived from them.

Names and attributes follow the semantic conventions of 1.39 and later (``rpc.method`` fully
qualified, ``db.query.summary``, ``messaging.operation.type``).
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from tracemap.model import Kind
from tracemap.simulate.blueprint import Service, Shop
from tracemap.simulate.places import Outcome, Sort

NUMBER = "{number}"
"""Stands in an attribute for a number of five digits that varies from span to span.

Alone it is an integer (of three bytes as a varint), within other text it is text.
"""
SMALLEST_NUMBER = 20_000
NUMBERS = 80_000

Value = str | int
Attributes = tuple[tuple[str, Value], ...]

_GRPC_CODES = {
    Outcome.OK: "OK",
    Outcome.FAILED: "INTERNAL",
    Outcome.TIMEOUT: "DEADLINE_EXCEEDED",
    Outcome.REJECTED: "UNAVAILABLE",
    Outcome.CANCELLED: "CANCELLED",
}
_NO_ANSWER = {
    Outcome.TIMEOUT: "timeout",
    Outcome.REJECTED: "io.github.resilience4j.circuitbreaker.CallNotPermittedException",
    Outcome.CANCELLED: "cancelled",
}
"""``error.type`` where no answer came, so there is no code of one."""


@dataclass(frozen=True)
class Description:
    """Everything about a span but its ids, times, number and resource.

    Attributes:
        kind: Its kind.
        name: As recorded.
        operation: Low-cardinality name.
        protocol: http, grpc, database, messaging; ''.
        peer_kind: database, queue, external; ''.
        peer_name: Whom its attributes say it talks to; ''.
        upstream: Whom it does talk to, or the queue it takes messages from; ''.
        messaging_operation: send, process; ''.
        scope: Name of the instrumentation.
        failed: Its status is ERROR.
        attributes: In order; values may hold `NUMBER`.
        tracestate: W3C trace state; ''.
        peer_place: Server of a database, system of a queue; ''.
    """

    kind: Kind
    name: str
    operation: str
    protocol: str
    peer_kind: str
    peer_name: str
    upstream: str
    messaging_operation: str
    scope: str
    failed: bool
    attributes: Attributes
    tracestate: str = ""
    peer_place: str = ""

    def attribute(self, name: str) -> Value | None:
        """Return the value of one attribute, None if the span has none such."""
        return dict(self.attributes).get(name)


def description(shop: Shop, sort: Sort, outcome: Outcome) -> Description:
    """Return what spans of this sort say that end so."""
    failed = outcome is not Outcome.OK
    if sort.kind is Kind.INTERNAL:
        return _internal(sort, failed=failed)
    service = shop.services[sort.subject.service]
    if sort.kind is Kind.CONSUMER:
        return _consumer(shop, sort, failed=failed)
    if service.kind == "queue":
        return _producer(sort, service, failed=failed)
    if service.kind == "database":
        return _database(sort, service, outcome)
    if service.kind == "external" or service.protocol == "http":
        return _http(sort, service, outcome)
    return _grpc(sort, service, outcome)


def resource(
    shop: Shop, service: Service, replica: int, *, version: str = ""
) -> tuple[tuple[str, str], ...]:
    """Return the resource attributes of one instance of a service.

    Args:
        shop: The system.
        service: The service.
        replica: Number of the instance, from 0.
        version: Its version, if it is not the service's usual one; such pods are other ones.
    """
    pod = f"{service.name}-{_stable(service.name + version) % 1_000_000:06x}-{replica:05x}"
    return (
        ("service.name", service.name),
        ("service.namespace", shop.name),
        ("service.version", version or service.version),
        ("service.instance.id", f"{service.name}-{version and version + '-'}{replica}"),
        ("service.owner", service.owner),
        ("service.criticality", service.criticality),
        ("deployment.environment.name", shop.environment),
        ("k8s.namespace.name", shop.name),
        ("k8s.pod.name", pod),
        ("host.name", f"node-{_stable(pod) % 6 + 1}"),
        ("telemetry.sdk.language", service.language),
        ("telemetry.sdk.name", "opentelemetry"),
    )


def _internal(sort: Sort, *, failed: bool) -> Description:
    name = sort.subject.operation
    return Description(
        Kind.INTERNAL, name, name, "", "", "", "", "", f"{sort.service}.work", failed,
        (("code.function.name", name.replace(" ", "_")), ("thread.id", NUMBER)),
    )  # fmt: skip


def _http(sort: Sort, service: Service, outcome: Outcome) -> Description:
    method, _, path = sort.subject.operation.partition(" ")
    client = sort.kind is Kind.CLIENT
    failed = outcome not in (Outcome.OK, Outcome.REDIRECTED)
    code = 503 if client and failed else 500 if failed else 200
    code = 302 if outcome is Outcome.REDIRECTED else code
    attributes: list[tuple[str, Value]] = [
        ("http.request.method", method),
        ("url.template" if client else "http.route", path),
        ("url.path", path.replace("{id}", NUMBER)),
        ("url.scheme", "https"),
        ("server.address", service.address if client else "shop.example"),
        ("server.port", service.port),
    ]
    if sort.resend:
        attributes.append(("http.request.resend_count", sort.resend))
    if outcome not in _NO_ANSWER:
        attributes.append(("http.response.status_code", code))
    if failed:
        attributes.append(("error.type", _NO_ANSWER.get(outcome, str(code))))
    return Description(
        kind=sort.kind,
        name=sort.subject.operation,
        operation=sort.subject.operation,
        protocol="http",
        peer_kind="external" if client else "",
        peer_name=service.address if client else "",
        upstream=service.name if client else "",
        messaging_operation="",
        scope="opentelemetry.instrumentation.http",
        failed=failed,
        attributes=tuple(attributes),
    )


def _grpc(sort: Sort, service: Service, outcome: Outcome) -> Description:
    client, failed = sort.kind is Kind.CLIENT, outcome is not Outcome.OK
    attributes: list[tuple[str, Value]] = [
        ("rpc.system.name", "grpc"),
        ("rpc.method", sort.subject.operation),
        ("server.address", service.address),
        ("server.port", service.port),
        ("rpc.response.status_code", _GRPC_CODES[outcome]),
        ("network.protocol.version", "2"),
    ]
    if failed:
        attributes.append(("error.type", _GRPC_CODES[outcome]))
    return Description(
        kind=sort.kind,
        name=sort.subject.operation,
        operation=sort.subject.operation,
        protocol="grpc",
        peer_kind="external" if client else "",
        peer_name=f"{service.address}:{service.port}" if client else "",
        upstream=service.name if client else "",
        messaging_operation="",
        scope="opentelemetry.instrumentation.grpc",
        failed=failed,
        attributes=tuple(attributes),
    )


def _database(sort: Sort, service: Service, outcome: Outcome) -> Description:
    failed = outcome is not Outcome.OK
    operation, _, collection = sort.subject.operation.partition(" ")
    attributes: list[tuple[str, Value]] = [
        ("db.system.name", service.system),
        ("db.operation.name", operation),
        ("db.query.summary", sort.subject.operation),
        ("server.address", service.address),
        ("network.transport", "tcp"),
    ]
    if service.namespace:
        attributes += [("db.namespace", service.namespace), ("db.collection.name", collection)]
    if failed:
        attributes.append(("error.type", _NO_ANSWER.get(outcome, "57014")))
    return Description(
        kind=Kind.CLIENT,
        name=sort.subject.operation,
        operation=sort.subject.operation,
        protocol="database",
        peer_kind="database",
        peer_name=service.name,
        peer_place=service.address if service.namespace else "",
        upstream=service.name,
        messaging_operation="",
        scope=f"opentelemetry.instrumentation.{service.system}",
        failed=failed,
        attributes=tuple(attributes),
    )


def _messaging(
    sort: Sort, topic: Service, what: str, attributes: Attributes, *, failed: bool
) -> Description:
    common: Attributes = (
        ("messaging.system", topic.system),
        ("messaging.operation.name", what),
        ("messaging.operation.type", what),
        ("messaging.destination.name", topic.name),
        ("messaging.kafka.offset", NUMBER),
        *attributes,
    )
    failure: Attributes = (("error.type", "timeout"),) if failed else ()
    return Description(
        kind=sort.kind,
        name=f"{what} {topic.name}",
        operation=f"{what} {topic.name}",
        protocol="messaging",
        peer_kind="queue",
        peer_name=topic.name,
        peer_place=topic.system,
        upstream=topic.name,
        messaging_operation=what,
        scope=f"opentelemetry.instrumentation.{topic.system}",
        failed=failed,
        attributes=(*common, *failure),
    )


def _producer(sort: Sort, topic: Service, *, failed: bool) -> Description:
    where: Attributes = (("server.address", topic.address), ("server.port", topic.port))
    return _messaging(sort, topic, "send", where, failed=failed)


def _consumer(shop: Shop, sort: Sort, *, failed: bool) -> Description:
    topic = next(
        shop.services[subscription.send.service]
        for subscription in shop.subscriptions
        if subscription.process == sort.subject
    )
    group: Attributes = (("messaging.consumer.group.name", sort.service),)
    return _messaging(sort, topic, "process", group, failed=failed)


def _stable(text: str) -> int:
    """Return a number that depends on the text alone."""
    return crc32(text.encode())
