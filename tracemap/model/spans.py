"""SPANS: what ingest gives and derive takes."""

from __future__ import annotations

import polars as pl

from tracemap.model.table import Table, column

TRACE_HIGH = column("trace_high", pl.UInt64, "", "first 8 bytes of the trace id")
TRACE_LOW = column("trace_low", pl.UInt64, "", "last 8 bytes of the trace id")
_SPAN_ID = column("span_id", pl.UInt64, "", "span id; never 0")
_START = column("start_ns", pl.Int64, "ns since the epoch", "start as recorded")
_DURATION = column("duration_ns", pl.Int64, "ns", "end - start as recorded; null: no end")
_OPERATION_ID = column("operation_id", pl.Int32, "", "row of `operations`")
_RESOURCE_ID = column("resource_id", pl.Int32, "", "row of `resources`")

SPANS = Table(
    "spans",
    "One row per span. `operation_id` and `resource_id` point into the tables of the same batch"
    " (as read) or of the store (as derived).",
    (
        TRACE_HIGH,
        TRACE_LOW,
        _SPAN_ID,
        column("parent_id", pl.UInt64, "", "span id of the parent; 0: none"),
        _START,
        _DURATION,
        _OPERATION_ID,
        _RESOURCE_ID,
        column("status_code", pl.UInt8, "", "OTLP status: 0 unset, 1 ok, 2 error"),
        column("flags", pl.UInt16, "", "OTLP flags; 0x300 mask: parent known to be remote"),
        column("http_status", pl.Int16, "", "HTTP response status; null: none"),
        column("resend_count", pl.Int16, "", "ordinal of a resend; 0: first attempt or unknown"),
        column("error_type", pl.String, "", "class of the error; null: none given"),
        column("weight", pl.Float64, "", "spans this one stands for (sampling); 1: unknown"),
        column("quality", pl.UInt32, "", "bits of `Quality`"),
        column("attributes", pl.String, "", "span attributes as one JSON object; null: none"),
    ),
    key=("trace_high", "trace_low", "span_id"),
)

OPERATIONS = Table(
    "operations",
    "One row per distinct sort of span: what low-cardinality text a span carries.",
    (
        _OPERATION_ID,
        column("kind", pl.UInt8, "", "`Kind`"),
        column("name", pl.String, "", "span name as recorded"),
        column("operation", pl.String, "", "low-cardinality operation name"),
        column("protocol", pl.String, "", "http, grpc, rpc, database, messaging, faas, ...; ''"),
        column(
            "peer_kind",
            pl.String,
            "",
            "service, database, queue, external, faas, genai; '': not said",
        ),
        column("peer_name", pl.String, "", "whom the span says it talks to; ''"),
        column("messaging_operation", pl.String, "", "send, receive, process, settle, create; ''"),
        column("scope", pl.String, "", "instrumentation scope name"),
        column(
            "peer_place",
            pl.String,
            "",
            "server of a database, system of a queue: tells equal names apart; ''",
        ),
    ),
    key=("operation_id",),
)

RESOURCES = Table(
    "resources",
    "One row per distinct resource: who recorded the span.",
    (
        _RESOURCE_ID,
        column("service_name", pl.String, "", "`service.name` or the inferred name"),
        column("service_namespace", pl.String, "", "`service.namespace`; ''"),
        column("service_version", pl.String, "", "`service.version`; ''"),
        column("environment", pl.String, "", "`deployment.environment.name`; ''"),
        column("instance", pl.String, "", "instance id, else pod name, else host; ''"),
        column("host", pl.String, "", "clock domain: host.id, host.ip, host.name, pod; ''"),
        column("owner", pl.String, "", "`service.owner`-like attribute; ''"),
        column("criticality", pl.String, "", "`service.criticality`; ''"),
        column("quality", pl.UInt32, "", "bits of `Quality` that hold for all its spans"),
        column("attributes", pl.String, "", "resource attributes as one JSON object"),
    ),
    key=("resource_id",),
)

LINKS = Table(
    "links",
    "One row per span link.",
    (
        TRACE_HIGH,
        TRACE_LOW,
        _SPAN_ID,
        column("linked_trace_high", pl.UInt64, "", "first 8 bytes of the linked trace id"),
        column("linked_trace_low", pl.UInt64, "", "last 8 bytes of the linked trace id"),
        column("linked_span_id", pl.UInt64, "", "linked span id"),
    ),
)

REJECTS = Table(
    "rejects",
    "One row per line or record that could not be taken.",
    (
        column("line", pl.Int64, "", "line or record number in the file, from 1; 0: whole file"),
        column("reason", pl.String, "", "why, one of the reasons in docs/messages.md"),
        column("records", pl.Int64, "", "spans lost with it, at least 1"),
        column("excerpt", pl.String, "", "first 200 bytes, as text"),
    ),
)

LINKED_SPANS = Table(
    "linked_spans",
    "For each link of the spans in a bucket whose target is stored (in any trace): both ends.",
    (
        TRACE_HIGH,
        TRACE_LOW,
        _SPAN_ID,
        column("linked_trace_high", pl.UInt64, "", "first 8 bytes of the linked trace id"),
        column("linked_trace_low", pl.UInt64, "", "last 8 bytes of the linked trace id"),
        column("linked_span_id", pl.UInt64, "", "linked span id"),
        column("linked_operation_id", pl.Int32, "", "operation of the linked span"),
        column("linked_resource_id", pl.Int32, "", "resource of the linked span"),
        column("linked_start_ns", pl.Int64, "ns since the epoch", "its start"),
        column("linked_duration_ns", pl.Int64, "ns", "its duration; null: no end"),
        column("linked_status_code", pl.UInt8, "", "its status"),
    ),
)
