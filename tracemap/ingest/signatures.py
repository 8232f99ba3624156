"""The meaning of a span by its attributes: operation, protocol and peer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from tracemap.model import Kind

Said: TypeAlias = Mapping[str, str]

_MESSAGING_KINDS = (Kind.CLIENT, Kind.PRODUCER, Kind.CONSUMER)

_DATABASES = {
    "mssql": "microsoft.sql_server",
    "oracle": "oracle.db",
    "dynamodb": "aws.dynamodb",
    "redshift": "aws.redshift",
    "cosmosdb": "azure.cosmosdb",
    "spanner": "gcp.spanner",
    "db2": "ibm.db2",
    "hanadb": "sap.hana",
    "maxdb": "sap.maxdb",
    "h2": "h2database",
    "firebird": "firebirdsql",
    "adabas": "softwareag.adabas",
    "informix": "ibm.informix",
    "postgres": "postgresql",
}
"""Old names of database systems, and what they are called now."""

_MODELS = {"vertex_ai": "gcp.vertex_ai", "az.ai.openai": "azure.ai.openai", "gemini": "gcp.gemini"}
"""Old names of providers of generative models, and what they are called now."""
_MESSAGING_TYPES = {"publish": "send", "deliver": "process", "ack": "settle", "poll": "receive"}
_MESSAGING_KNOWN = ("send", "receive", "process", "settle", "create")
_QUEUE_SYSTEMS = {"SQS": "aws_sqs", "SNS": "aws.sns", "Kinesis": "aws.kinesis"}
_DEFAULT_PORTS = ("80", "443", "")


class Meaning(NamedTuple):
    """What one signature means: columns of `model.OPERATIONS`, and how sure we are.

    `operation` is empty if only the span's name can say it; `templated` tells that ids in a path
    were replaced to get it. `peer_place` is what tells two peers of one name apart.
    """

    operation: str = ""
    protocol: str = ""
    peer_kind: str = ""
    peer_name: str = ""
    messaging_operation: str = ""
    templated: bool = False
    peer_place: str = ""


def meaning(kind: int, said: Said) -> Meaning:
    """Return what a span of this kind with these canonical attributes means.

    The protocol is decided by the first class of attributes that is present: messaging, database,
    RPC, HTTP, GraphQL, function, generative AI.

    Whom a span talks to is taken from spans that go out only (``CLIENT``, ``PRODUCER``; for
    messages ``CONSUMER`` too): on a ``SERVER`` span addresses are the caller's, one for each, and a
    database on an ``INTERNAL`` span is one inside the process. ``service.peer.name`` counts on a
    ``SERVER`` span too, as the caller, and on ``PRODUCER`` and ``CONSUMER`` spans as the broker; a
    span without a kind calls whom it names, or the database it names. The names are

    - of a queue: its destination, without one the messaging system (which is also its place);
    - of a database: ``system namespace``, without a namespace ``system host`` (its place is the
      server it was called by, never the address of a socket: a database may have many of those);
    - of anything else: what ``service.peer.name`` says, which is to be the service's own name;
      else its host, with the port unless that is 80 or 443; else the RPC service called.

    Args:
        kind: As `model.Kind`.
        said: Canonical attributes (`semconv.ATTRIBUTES`) that are present, not empty.
    """
    found = _first_class(kind, said)
    peer_kind, name = _peer(kind, said, found)
    place = found.peer_place if name == found.peer_name else ""
    return found._replace(peer_kind=peer_kind, peer_name=name, peer_place=place)


def _peer(kind: int, said: Said, found: Meaning) -> tuple[str, str]:
    """Return kind and name of the peer of a span that is of the class `found`."""
    named = found.peer_kind, found.peer_name
    service = said.get("peer_service", "")
    explicit = ("service", service) if service else ("", "")
    if found.peer_kind == "queue" and kind in _MESSAGING_KINDS:
        return named
    if kind in (Kind.PRODUCER, Kind.CONSUMER):
        broker = ("queue", service) if service else named
        return broker if service or kind == Kind.PRODUCER else ("", "")
    is_database = found.peer_kind == "database"
    if kind == Kind.CLIENT or (kind == Kind.UNSPECIFIED and is_database):
        if not is_database:
            return explicit if service else named
        nameless = not (said.get("db_namespace") or _address(said))
        return ("database", service) if service and nameless else named
    return explicit if kind in (Kind.SERVER, Kind.UNSPECIFIED) else ("", "")


def _first_class(kind: int, said: Said) -> Meaning:
    for marks, read in _CLASSES:
        if any(said.get(mark) for mark in marks):
            return read(kind, said)
    return Meaning("", "", *_host(said))


def _address(said: Said) -> str:
    """Return host and port of the other side, default ports left out; else where its socket is."""
    return _server(said) or said.get("socket_address", "")


def _server(said: Said) -> str:
    """Return host and port by which the other side was called, default ports left out."""
    address = said.get("server_address", "")
    port = said.get("server_port", "")
    if not address and said.get("http_host"):
        address, _, port = said["http_host"].partition(":")
    return address if not address or port in _DEFAULT_PORTS else f"{address}:{port}"


def _host(said: Said) -> tuple[str, str]:
    address = _address(said)
    return ("external", address) if address else ("", "")


def _messaging(_kind: int, said: Said) -> Meaning:
    """Messages: the peer is the queue, ``system destination``."""
    system = said.get("messaging_system", "")
    destination = said.get("messaging_destination", "")
    kind = said.get("messaging_type", "").lower()
    kind = _MESSAGING_TYPES.get(kind, kind)
    name = said.get("messaging_operation", "") or said.get("messaging_type", "")
    return Meaning(
        f"{name} {destination}".strip() if name else "",
        "messaging",
        "queue",
        destination or system,
        kind if kind in _MESSAGING_KNOWN else "",
        peer_place=system,
    )


def _database(_kind: int, said: Said) -> Meaning:
    """Databases: the peer is ``system namespace``, without a namespace ``system host``."""
    system = said.get("db_system", "").lower()
    system = _DATABASES.get(system, system) or "database"
    where = said.get("db_namespace", "") or _address(said)
    target = (
        said.get("db_collection")
        or said.get("db_procedure")
        or said.get("db_namespace")
        or _address(said)
    )
    done = said.get("db_operation", "")
    operation = said.get("db_summary") or (f"{done} {target or ''}".strip() if done else "")
    name = f"{system} {where}".strip()
    place = _server(said) if said.get("db_namespace") else ""
    return Meaning(operation or "", "database", "database", name, peer_place=place)


def _rpc(_kind: int, said: Said) -> Meaning:
    """Remote calls: ``service/method``; the peer is the address, else the service called."""
    system = said.get("rpc_system", "")
    method = said.get("rpc_method", "")
    service = said.get("rpc_service", "")
    if method == "_OTHER":
        method = ""
    if "/" in method:
        service = method.rpartition("/")[0]
    elif service and method:
        method = f"{service}/{method}"
    operation = method or service or ""
    if system == "aws-api":
        return _aws(said, service, operation)
    protocol = "grpc" if system == "grpc" else "rpc"
    kind, peer = _host(said)
    if not peer:
        kind, peer = ("external", service) if service else ("", "")
    return Meaning(operation, protocol, kind, peer)


def _aws(said: Said, service: str, operation: str) -> Meaning:
    """AWS: queues and topics are queues, everything else is ``aws service resource``."""
    resource = said.get("cloud_resource", "")
    short = resource.rpartition(":")[2].rpartition("/")[2] or resource
    if service in _QUEUE_SYSTEMS:
        return Meaning(operation, "messaging", "queue", short or _QUEUE_SYSTEMS[service])
    if service == "DynamoDB":
        return Meaning(operation, "database", "database", "aws.dynamodb")
    return Meaning(operation, "rpc", "external", f"aws {service} {short}".strip())


def _http(kind: int, said: Said) -> Meaning:
    """HTTP: ``method route``, else ``method template``, else the path with its ids replaced."""
    method = said.get("http_method", "")
    method = "HTTP" if method in ("", "_OTHER") else method.upper()
    known = said.get("http_route") or said.get("url_template")
    if kind == Kind.CLIENT:
        known = said.get("url_template") or said.get("http_route")
    path = known or said.get("url_path", "")
    operation = f"{method} {path}" if path else ""
    return Meaning(operation, "http", *_host(said), templated=bool(path) and not known)


def _graphql(_kind: int, said: Said) -> Meaning:
    name = f"{said.get('graphql_type', '')} {said.get('graphql_name', '')}".strip()
    return Meaning(name, "graphql", *_host(said))


def _function(_kind: int, said: Said) -> Meaning:
    name = said.get("faas_name", "")
    return Meaning("", "faas", "faas" if name else "", name)


def _model(_kind: int, said: Said) -> Meaning:
    system = _MODELS.get(said["genai_system"], said["genai_system"])
    return Meaning(said.get("genai_operation", ""), "genai", "genai", system)


_CLASSES: tuple[tuple[tuple[str, ...], Callable[[int, Said], Meaning]], ...] = (
    (("messaging_system", "messaging_destination"), _messaging),
    (("db_system", "db_namespace"), _database),
    (("rpc_system", "rpc_service"), _rpc),
    (("http_method", "http_route", "url_template", "url_path"), _http),
    (("graphql_type",), _graphql),
    (("faas_name", "faas_trigger"), _function),
    (("genai_system",), _model),
)
"""What marks a class of spans, and how to read one; the first class marked is taken."""
