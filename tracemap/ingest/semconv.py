"""OpenTelemetry's names for things, new and old side by side, as one table.

`ATTRIBUTES` lists for each canonical attribute the keys it is read from; the first one that is
present and not empty wins, wherever it stands in the span. Producers may write old and new names
at once (``OTEL_SEMCONV_STABILITY_OPT_IN=http/dup``), so the order is the rule. Sources: semantic
conventions 1.44, the renames in its ``schemas/1.44.0``, and its migration guides.
"""

from __future__ import annotations

from functools import cache

from tracemap.ingest.kernels.layout import (
    CODE_DROP,
    CODE_RANK_SHIFT,
    CODE_URL,
    FIRST_SLOT,
    SLOTS,
    Words,
)
from tracemap.ingest.kernels.names import tables

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "http_method": ("http.request.method", "http.method"),
    "http_route": ("http.route",),
    "url_template": ("url.template",),
    "url": ("url.full", "http.url"),
    "url_path": ("url.path", "http.target"),
    "http_status": ("http.response.status_code", "http.status_code"),
    "resend": ("http.request.resend_count", "http.resend_count", "http.retry_count"),
    "rpc_system": ("rpc.system.name", "rpc.system"),
    "rpc_service": ("rpc.service",),
    "rpc_method": ("rpc.method",),
    "rpc_status": (
        "rpc.status_code",
        "rpc.response.status_code",
        "rpc.grpc.status_code",
        "rpc.connect_rpc.error_code",
        "rpc.jsonrpc.error_code",
    ),
    "db_system": ("db.system.name", "db.system"),
    "db_namespace": (
        "db.namespace",
        "db.name",
        "db.cassandra.keyspace",
        "db.hbase.namespace",
        "db.mssql.instance_name",
        "db.redis.database_index",
        "db.elasticsearch.cluster.name",
    ),
    "db_collection": (
        "db.collection.name",
        "db.sql.table",
        "db.mongodb.collection",
        "db.cassandra.table",
        "db.cosmosdb.container",
    ),
    "db_summary": ("db.query.summary",),
    "db_operation": ("db.operation.name", "db.operation"),
    "db_procedure": ("db.stored_procedure.name",),
    "messaging_system": ("messaging.system",),
    "messaging_destination": (
        "messaging.destination.template",
        "messaging.destination.name",
        "messaging.destination",
    ),
    "messaging_volatile": (
        "messaging.destination.temporary",
        "messaging.destination.anonymous",
        "messaging.temp_destination",
    ),
    "messaging_type": ("messaging.operation.type", "messaging.operation"),
    "messaging_operation": ("messaging.operation.name", "messaging.operation"),
    "genai_system": ("gen_ai.provider.name", "gen_ai.system"),
    "genai_operation": ("gen_ai.operation.name",),
    "peer_service": ("service.peer.name", "peer.service"),
    "server_address": ("server.address", "net.peer.name"),
    "server_port": ("server.port", "net.peer.port"),
    "http_host": ("http.host",),
    "socket_address": (
        "network.peer.address",
        "server.socket.domain",
        "net.sock.peer.name",
        "server.socket.address",
        "net.sock.peer.addr",
        "net.peer.ip",
        "peer.hostname",
        "peer.address",
        "peer.ipv4",
    ),
    "graphql_type": ("graphql.operation.type",),
    "graphql_name": ("graphql.operation.name",),
    "faas_name": ("faas.invoked_name",),
    "faas_trigger": ("faas.trigger",),
    "cloud_resource": (
        "aws.s3.bucket",
        "aws.sqs.queue.url",
        "aws.sns.topic.arn",
        "aws.kinesis.stream_name",
        "aws.lambda.invoked_arn",
        "aws.step_functions.state_machine.arn",
    ),
    "error_type": ("error.type",),
    "exception_type": ("exception.type",),
    "sampling": (
        "SampleRate",
        "sampleRate",
        "_sample_rate",
        "_sampling_priority_rate_v1",
        "_dd.agent_psr",
        "sampler.param",
    ),
    "sampler_type": ("sampler.type",),
}
"""Canonical attribute (`kernels.layout.SLOTS`) to the keys it is read from, best first."""

URLS = ("url.full", "http.url", "http.target", "url.original")
"""Only scheme, host and path of these are kept: no user, no query, no fragment."""

SECRETS = (
    "db.query.text",
    "db.statement",
    "db.query.parameter",
    "db.connection_string",
    "db.user",
    "url.query",
    "url.fragment",
    "http.request.body",
    "http.response.body",
    "http.request.body.content",
    "http.response.body.content",
    "http.request.cookies",
    "http.cookie",
    "http.request.headers",
    "http.response.headers",
    "exception.stacktrace",
    "code.stacktrace",
    "graphql.document",
    "graphql.variables",
    "messaging.message.body",
    "rpc.request.body",
    "rpc.response.body",
    "process.command_line",
    "process.command_args",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)
"""Attributes that hold secrets or personal data by their meaning; they are left out."""

SECRET_PREFIXES = (
    "http.request.header.",
    "http.response.header.",
    "rpc.request.metadata.",
    "rpc.response.metadata.",
    "rpc.grpc.request.metadata.",
    "rpc.grpc.response.metadata.",
    "rpc.connect_rpc.request.metadata.",
    "rpc.connect_rpc.response.metadata.",
    "messaging.header.",
    "db.query.parameter.",
    "db.operation.parameter.",
    "gen_ai.prompt.",
    "gen_ai.completion.",
)
"""Attributes whose key starts like this are left out as well."""

_SHARED = {"messaging.operation": ("messaging_type", "messaging_operation")}


def key_codes() -> dict[str, int]:
    """Return what the kernels do with each known attribute key (`kernels.layout.CODE_COLUMN`)."""
    codes: dict[str, int] = dict.fromkeys(SECRETS, CODE_DROP)
    for attribute, keys in ATTRIBUTES.items():
        for rank, key in enumerate(keys):
            if key in _SHARED and attribute != _SHARED[key][0]:
                continue
            column = FIRST_SLOT + SLOTS.index(attribute)
            codes[key] = column | (rank << CODE_RANK_SHIFT)
    for key in URLS:
        codes[key] = codes.get(key, 0) | CODE_URL
    return codes


@cache
def known_words() -> Words:
    """Return the table of field names and attribute keys that the kernels look words up in.

    It is the same for every block.
    """
    return tables(key_codes(), SECRET_PREFIXES)
