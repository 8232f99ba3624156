"""What attributes say, old names and new: one row for each situation."""

from __future__ import annotations

import pytest

from tests.ingest.writers import only_span, traces
from tracemap.ingest.signatures import Meaning, meaning
from tracemap.model import Kind

SERVER, CLIENT, PRODUCER, CONSUMER = Kind.SERVER, Kind.CLIENT, Kind.PRODUCER, Kind.CONSUMER

# The kind, the attributes, and then what they mean: operation, protocol, kind of peer, its name,
# and what is done with a message.
SITUATIONS: dict[str, tuple[Kind, dict[str, object], tuple[str, ...]]] = {
    "http server by route": (
        SERVER,
        {"http.request.method": "GET", "http.route": "/users/{id}", "url.path": "/users/7"},
        ("GET /users/{id}", "http", "", "", ""),
    ),
    "http server, old names": (
        SERVER,
        {"http.method": "get", "http.route": "/users/{id}", "net.peer.name": "10.0.0.1"},
        ("GET /users/{id}", "http", "", "", ""),
    ),
    "http server without a route": (
        SERVER,
        {"http.method": "GET", "http.target": "/users/7/orders/0af7651916cd43dd?q=1"},
        ("GET /users/{id}/orders/{id}", "http", "", "", ""),
    ),
    "http client by template": (
        CLIENT,
        {
            "http.request.method": "POST",
            "url.template": "/pay/{id}",
            "server.address": "pay.svc",
            "server.port": 8080,
        },
        ("POST /pay/{id}", "http", "external", "pay.svc:8080", ""),
    ),
    "http client, default port": (
        CLIENT,
        {"http.request.method": "GET", "server.address": "example.com", "server.port": 443},
        ("call", "http", "external", "example.com", ""),
    ),
    "http client by its URL alone": (
        CLIENT,
        {"http.method": "GET", "http.url": "https://me:pw@shop.example:8443/cart/42/items?t=x#f"},
        ("GET /cart/{id}/items", "http", "external", "shop.example:8443", ""),
    ),
    "http client with a host header": (
        CLIENT,
        {"http.method": "GET", "http.host": "shop.example:80"},
        ("call", "http", "external", "shop.example", ""),
    ),
    "new names win over old ones": (
        CLIENT,
        {
            "http.method": "OLD",
            "http.request.method": "GET",
            "url.template": "/x",
            "net.peer.name": "old",
            "server.address": "new",
        },
        ("GET /x", "http", "external", "new", ""),
    ),
    "an empty new name does not": (
        CLIENT,
        {"server.address": "", "net.peer.name": "old", "http.method": "GET"},
        ("call", "http", "external", "old", ""),
    ),
    "the peer is said": (
        CLIENT,
        {"peer.service": "cart", "http.method": "GET", "server.address": "10.1.2.3"},
        ("call", "http", "service", "cart", ""),
    ),
    "grpc": (
        CLIENT,
        {
            "rpc.system": "grpc",
            "rpc.service": "shop.Cart",
            "rpc.method": "Add",
            "server.address": "cart",
        },
        ("shop.Cart/Add", "grpc", "external", "cart", ""),
    ),
    "grpc, method in full (since 1.39)": (
        SERVER,
        {"rpc.system.name": "grpc", "rpc.method": "shop.Cart/Add"},
        ("shop.Cart/Add", "grpc", "", "", ""),
    ),
    "a remote call to an unknown host": (
        CLIENT,
        {"rpc.system": "dubbo", "rpc.service": "shop.Cart", "rpc.method": "Add"},
        ("shop.Cart/Add", "rpc", "external", "shop.Cart", ""),
    ),
    "a database with a namespace": (
        CLIENT,
        {"db.system": "postgresql", "db.name": "orders", "net.peer.name": "10.0.0.9"},
        ("call", "database", "database", "postgresql orders", ""),
    ),
    "a database without one": (
        CLIENT,
        {"db.system": "redis", "server.address": "cache", "server.port": 6379},
        ("call", "database", "database", "redis cache:6379", ""),
    ),
    "a database with an operation": (
        CLIENT,
        {
            "db.system.name": "postgresql",
            "db.namespace": "orders",
            "db.operation.name": "SELECT",
            "db.collection.name": "items",
        },
        ("SELECT items", "database", "database", "postgresql orders", ""),
    ),
    "a database with a summary, old system name": (
        CLIENT,
        {"db.system": "mssql", "db.query.summary": "SELECT a, b"},
        ("SELECT a, b", "database", "database", "microsoft.sql_server", ""),
    ),
    "a database inside the process": (
        Kind.INTERNAL,
        {"db.system": "sqlite", "db.name": "local"},
        ("call", "database", "", "", ""),
    ),
    "a producer": (
        PRODUCER,
        {
            "messaging.system": "kafka",
            "messaging.destination.name": "orders",
            "messaging.operation.type": "send",
            "messaging.operation.name": "publish",
        },
        ("publish orders", "messaging", "queue", "orders", "send"),
    ),
    "a consumer, old names": (
        CONSUMER,
        {
            "messaging.system": "rabbitmq",
            "messaging.destination": "orders",
            "messaging.operation": "process",
        },
        ("process orders", "messaging", "queue", "orders", "process"),
    ),
    "publish is send": (
        PRODUCER,
        {
            "messaging.system": "kafka",
            "messaging.destination.name": "o",
            "messaging.operation": "publish",
        },
        ("publish o", "messaging", "queue", "o", "send"),
    ),
    "a temporary queue has no name worth keeping": (
        PRODUCER,
        {
            "messaging.system": "rabbitmq",
            "messaging.destination.name": "amq.gen-Xyz",
            "messaging.destination.temporary": True,
        },
        ("call", "messaging", "queue", "rabbitmq", ""),
    ),
    "a queue of AWS": (
        CLIENT,
        {
            "rpc.system": "aws-api",
            "rpc.service": "SQS",
            "rpc.method": "SendMessage",
            "aws.sqs.queue.url": "https://sqs.eu.amazonaws.com/123/orders",
        },
        ("SQS/SendMessage", "messaging", "queue", "orders", ""),
    ),
    "a bucket of AWS": (
        CLIENT,
        {
            "rpc.system": "aws-api",
            "rpc.service": "S3",
            "rpc.method": "GetObject",
            "aws.s3.bucket": "pictures",
        },
        ("S3/GetObject", "rpc", "external", "aws S3 pictures", ""),
    ),
    "a model": (
        CLIENT,
        {"gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
        ("chat", "genai", "genai", "openai", ""),
    ),
    "graphql": (
        SERVER,
        {"graphql.operation.type": "query", "graphql.operation.name": "Cart"},
        ("query Cart", "graphql", "", "", ""),
    ),
    "only a socket": (
        CLIENT,
        {"net.sock.peer.addr": "10.0.0.7"},
        ("call", "", "external", "10.0.0.7", ""),
    ),
    "nothing": (CLIENT, {}, ("call", "", "", "", "")),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_a_span_says(situation: str) -> None:
    """The table of conventions, read through the decoder."""
    kind, said, expected = SITUATIONS[situation]
    data = traces({"name": "call", "kind": int(kind), "attributes": said})
    row = only_span(data.SerializeToString())

    columns = ("operation", "protocol", "peer_kind", "peer_name", "messaging_operation")
    assert tuple(row[column] for column in columns) == expected


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("GET /users/123/orders/9", "GET /users/{id}/orders/{id}"),
        ("job 0af7651916cd43dd8448eb211c80319c", "job {id}"),
        ("get 123e4567-e89b-12d3-a456-426614174000", "get {id}"),
        ("v2/list", "v2/list"),
        ("decade", "decade"),
        ("hipstershop.Cart/Add", "hipstershop.Cart/Add"),
    ],
)
def test_ids_in_names_are_replaced_and_that_is_marked(name: str, operation: str) -> None:
    """A name for each request would make an operation for each request."""
    row = only_span(traces({"name": name}).SerializeToString())

    assert row["name"] == name
    assert row["operation"] == operation
    assert bool(row["quality"] & 16384) == (name != operation)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"attributes": {"error.type": "timeout", "exception.type": "E"}}, "timeout"),
        ({"exceptions": ["java.io.IOException", "Other"]}, "java.io.IOException"),
        ({"status": 2, "attributes": {"rpc.grpc.status_code": 4}}, "DEADLINE_EXCEEDED"),
        ({"status": 2, "attributes": {"http.response.status_code": 503}}, "503"),
        ({"status": 2, "attributes": {"http.response.status_code": 200}}, None),
        ({"status": 1, "attributes": {"http.response.status_code": 503}}, None),
        ({"status": 2}, None),
    ],
)
def test_the_class_of_an_error(span: dict[str, object], expected: str | None) -> None:
    """What the span calls it, else its first exception, else the status of a failed call."""
    assert only_span(traces(span).SerializeToString())["error_type"] == expected


@pytest.mark.parametrize(
    ("attributes", "status", "resend"),
    [
        ({"http.response.status_code": 503, "http.request.resend_count": 2}, 503, 2),
        ({"http.status_code": "404", "http.resend_count": "1"}, 404, 1),
        ({"http.status_code": "not a number"}, None, 0),
        ({}, None, 0),
    ],
)
def test_numbers_are_read_from_numbers_and_text(
    attributes: dict[str, object], status: int | None, resend: int
) -> None:
    """Some exporters write everything as text."""
    row = only_span(traces({"attributes": attributes}).SerializeToString())

    assert (row["http_status"], row["resend_count"]) == (status, resend)


def test_a_span_that_says_nothing_means_nothing() -> None:
    """No attribute, no guess."""
    assert meaning(int(SERVER), {}) == Meaning()
