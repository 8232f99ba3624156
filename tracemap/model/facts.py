"""FACTS: additive sums per cell of time, what derive gives and analyze takes."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import (
    CALLS,
    CONNECTION_TYPE,
    DOWNSTREAM,
    PATH_ID,
    UPSTREAM,
    UPSTREAM_KIND,
    UPSTREAM_OPERATION,
    WINDOW_START,
)
from tracemap.model.spans import TRACE_HIGH, TRACE_LOW
from tracemap.model.table import Table, column

EDGE_FACTS = Table(
    "edge_facts",
    "Sums per cell, edge, operations and rule. A trace belongs to the cell in which it starts.",
    (
        WINDOW_START,
        DOWNSTREAM,
        column("downstream_operation", pl.String, "", "operation in which the call was made; ''"),
        UPSTREAM,
        UPSTREAM_OPERATION,
        UPSTREAM_KIND,
        column("downstream_kind", pl.String, "", "service, queue, user"),
        CONNECTION_TYPE,
        column("protocol", pl.String, "", "http, grpc, ...; ''"),
        column("evidence", pl.String, "", "the rule that made it (docs/methods.md#edges)"),
        CALLS,
        column("calls_weighted", pl.Float64, "", "calls, adjusted for sampling"),
        column("errors_downstream", pl.Int64, "", "calls whose client span has status ERROR"),
        column("errors_upstream", pl.Int64, "", "calls whose server span has status ERROR"),
        column("client_calls", pl.Int64, "", "calls with a client duration"),
        column("client_ns", pl.Int64, "ns", "sum of client durations"),
        column("server_calls", pl.Int64, "", "calls with a server duration"),
        column("server_ns", pl.Int64, "ns", "sum of server durations"),
        column("gap_calls", pl.Int64, "", "calls with both, client >= server"),
        column("gap_ns", pl.Int64, "ns", "sum of client - server over those"),
        column("first_ns", pl.Int64, "ns since the epoch", "first call (min)"),
        column("last_ns", pl.Int64, "ns since the epoch", "last call (max)"),
    ),
    key=(
        "window_start_ns",
        "downstream",
        "downstream_operation",
        "upstream",
        "upstream_operation",
        "upstream_kind",
        "downstream_kind",
        "connection_type",
        "protocol",
        "evidence",
    ),
)

LATENCY_FACTS = Table(
    "latency_facts",
    "Log-bucket histogram per cell and unit (docs/methods.md). Units: `server` (duration of an"
    " operation as its service records it), `self` (its own time), and per edge `client` (what"
    " downstream waits) and `gap` (client - server); `wait` (consumer start - producer end).",
    (
        WINDOW_START,
        column("unit", pl.String, "", "server, self, client, gap, wait"),
        column("service", pl.String, "", "whose operation; for edges: upstream"),
        column("operation", pl.String, "", "operation; for edges: the one called"),
        column(
            "downstream",
            pl.String,
            "",
            "who waits (for server: the caller, '' for a root); self: ''",
        ),
        column("bucket", pl.Int32, "", "log bucket; `ZERO_BUCKET` for zero"),
        column("count", pl.Int64, "", "observations"),
        column("sum_ns", pl.Int64, "ns", "their sum"),
        column("errors", pl.Int64, "", "those with status ERROR"),
    ),
    key=("window_start_ns", "unit", "service", "operation", "downstream", "bucket"),
)

PATHS = Table(
    "paths",
    "One row per call path. Paths alternate: `entry` (an operation of a service, INTERNAL spans"
    " below it folded in) and `call` (a client span, leaving it). A `call` with no `entry` below"
    " ends at a virtual upstream.",
    (
        column("path_id", pl.UInt64, "", "hash of the whole path"),
        column("parent_path_id", pl.UInt64, "", "hash without the last step; 0: root"),
        column("depth", pl.Int32, "", "steps above; 0: root"),
        column("step", pl.String, "", "entry or call"),
        column("service", pl.String, "", "who recorded the span: for a call, downstream"),
        column("operation", pl.String, "", "operation of the span"),
        column("upstream", pl.String, "", "for a call: whom it reached (may be virtual); else ''"),
        column("upstream_kind", pl.String, "", "for a call: service, database, ...; else ''"),
    ),
    key=("path_id",),
)

PATH_FACTS = Table(
    "path_facts",
    "Sums per cell, hash bucket of the trace and call path (docs/methods.md). For an entry:"
    " duration = self + on-path time of the calls in it. For a call: duration = gap (`self_ns`)"
    " + on-path time of the entry below; with none below, all of it is the virtual upstream's.",
    (
        WINDOW_START,
        column("hash_bucket", pl.UInt8, "", "trace id hashed to 0 .. JACKKNIFE_BUCKETS - 1"),
        PATH_ID,
        CALLS,
        column("callers", pl.Int64, "", "parent steps with at least one such call; root: calls"),
        column("errors", pl.Int64, "", "spans with status ERROR"),
        column("duration_ns", pl.Int64, "ns", "sum of durations"),
        column("self_ns", pl.Int64, "ns", "sum of own time by local tiling"),
        column("on_parent_ns", pl.Int64, "ns", "sum of on-path time within the parent step"),
        column("critical_ns", pl.Int64, "ns", "sum of exclusive time on the critical path"),
        column("async_ns", pl.Int64, "ns", "sum of durations ruled not to block the parent"),
        column("abandoned_ns", pl.Int64, "ns", "sum of server end - client end, where later"),
        column("overlap_calls", pl.Int64, "", "calls that overlap a sibling in time"),
        column("unanswered", pl.Int64, "", "calls that no recorded entry answered"),
        column("unanswered_ns", pl.Int64, "ns", "sum of their durations"),
        column(
            "charged_errors",
            pl.Int64,
            "",
            "errors that made the parent step fail: the last to end of those in it",
        ),
        column(
            "request_errors",
            pl.Int64,
            "",
            "failed root requests charged to this step, the last of their chain",
        ),
        column("hit_callers", pl.Int64, "", "parent steps with at least one such call that failed"),
        column("hit_callers_failed", pl.Int64, "", "those of them that failed"),
        column(
            "callers_failed",
            pl.Int64,
            "",
            "parent steps with at least one such call that failed themselves",
        ),
        column(
            "requests_weighted",
            pl.Float64,
            "",
            "root: requests, adjusted for sampling; 0 below it",
        ),
        column(
            "request_errors_weighted",
            pl.Float64,
            "",
            "request_errors, adjusted for sampling",
        ),
    ),
    key=("window_start_ns", "hash_bucket", "path_id"),
)

REQUEST_FACTS = Table(
    "request_facts",
    "Sums per cell, hash bucket of the trace, root operation and class: the set of distinct calls"
    " that the root itself made (docs/methods.md#mix).",
    (
        WINDOW_START,
        column("hash_bucket", pl.UInt8, "", "trace id hashed to 0 .. JACKKNIFE_BUCKETS - 1"),
        column("service", pl.String, "", "service of the root entry"),
        column("operation", pl.String, "", "operation of the root entry"),
        column("class_id", pl.UInt64, "", "hash of the paths of its calls; 0: it made none"),
        column("requests", pl.Int64, "", "root entries"),
        column("errors", pl.Int64, "", "those with status ERROR"),
        column("duration_ns", pl.Int64, "ns", "sum of durations"),
        column("self_ns", pl.Int64, "ns", "sum of own time by local tiling"),
        column("self_buckets", pl.Int64, "", "sum of the log buckets of own times"),
        column("self_squares", pl.Int64, "", "sum of the squares of those buckets"),
    ),
    key=("window_start_ns", "hash_bucket", "service", "operation", "class_id"),
)

QUALITY_FACTS = Table(
    "quality_facts",
    "Counts per cell, service and reason: spans that made no edge, orphans, skew, odd times.",
    (
        WINDOW_START,
        column("service", pl.String, "", "who recorded the spans"),
        column("reason", pl.String, "", "see docs/messages.md#quality"),
        column("spans", pl.Int64, "", "how many"),
    ),
    key=("window_start_ns", "service", "reason"),
)

REACH_FACTS = Table(
    "reach_facts",
    "Requests per cell, root operation and node below it that they reached, however often. The"
    " node '' stands for all requests of the root.",
    (
        WINDOW_START,
        column("root_service", pl.String, "", "service of the root entry"),
        column("root_operation", pl.String, "", "operation of the root entry"),
        column("upstream", pl.String, "", "the node reached: a service, or a virtual upstream"),
        UPSTREAM_KIND,
        column("requests", pl.Int64, "", "requests that reached it"),
        column("waiting", pl.Int64, "", "those of them with it on their critical path"),
        column("hit", pl.Int64, "", "those in which a failure began at it"),
        column("hit_failed", pl.Int64, "", "those of them whose root failed"),
        column("missed_failed", pl.Int64, "", "those not hit whose root failed"),
    ),
    key=("window_start_ns", "root_service", "root_operation", "upstream", "upstream_kind"),
)

SLACK_FACTS = Table(
    "slack_facts",
    "Calls per cell and call path that were hidden behind a slower sibling, and how far.",
    (
        WINDOW_START,
        PATH_ID,
        column("hidden_calls", pl.Int64, "", "calls that nobody had to wait for"),
        column("slack_ns", pl.Int64, "ns", "sum of what they could have taken longer unnoticed"),
    ),
    key=("window_start_ns", "path_id"),
)

PARALLEL_SHIFT = 2
"""Reaches are counted in buckets 2 to the power of this as wide as those of durations: 4.4 %."""

PARALLEL_FACTS = Table(
    "parallel_facts",
    "How far the calls of a path reach into blocks of calls side by side: from the start of the"
    " block to the end of the path's last call in it (docs/methods.md#parallel-calls).",
    (
        WINDOW_START,
        PATH_ID,
        column("block_id", pl.UInt64, "", "which sort of block: a hash of the paths in it"),
        column("bucket", pl.Int32, "", "log bucket of the reach, four times as wide as others"),
        column("count", pl.Int64, "", "blocks"),
        column("reach_ns", pl.Int64, "ns", "sum of reaches"),
        column("on_parent_ns", pl.Int64, "ns", "sum of on-path time in these blocks"),
    ),
    key=("window_start_ns", "path_id", "block_id", "bucket"),
)

VERSION_FACTS = Table(
    "version_facts",
    "Spans per cell, service and version: which versions of a service ran when.",
    (
        WINDOW_START,
        column("service", pl.String, "", "who recorded the spans"),
        column("version", pl.String, "", "`service.version`; ''"),
        column("spans", pl.Int64, "", "how many"),
        column("first_ns", pl.Int64, "ns since the epoch", "start of the first (min)"),
        column("last_ns", pl.Int64, "ns since the epoch", "start of the last (max)"),
    ),
    key=("window_start_ns", "service", "version"),
)

SKEW_FACTS = Table(
    "skew_facts",
    "Between which times the clocks of two hosts can differ, by the calls between them, in both"
    " directions (docs/methods.md#clock-skew). What is to be added to the other host's clock is at"
    " least `least` and at most `most`.",
    (
        WINDOW_START,
        column("host", pl.String, "", "host whose clock counts; '(service)' where none is named"),
        column("other_host", pl.String, "", "the other one, later by name"),
        column("bound", pl.String, "", "least or most"),
        column("bucket", pl.Int32, "", "signed log bucket of the bound; 0: near zero"),
        column("count", pl.Int64, "", "calls"),
    ),
    key=("window_start_ns", "host", "other_host", "bound", "bucket"),
)

EXEMPLARS = Table(
    "exemplars",
    "A few traces per cell and entry operation: the slowest, and those nearest to the median.",
    (
        WINDOW_START,
        column("service", pl.String, "", "service of the root entry"),
        column("operation", pl.String, "", "operation of the root entry"),
        column("role", pl.String, "", "worst or typical"),
        column("rank", pl.Int32, "", "1 is the first choice"),
        TRACE_HIGH,
        TRACE_LOW,
        column("duration_ns", pl.Int64, "ns", "duration of the root span"),
    ),
)

_PATTERN_KEY = (
    DOWNSTREAM,
    column("downstream_operation", pl.String, "", "operation that makes the calls"),
    UPSTREAM,
    UPSTREAM_OPERATION,
    column("pattern", pl.String, "", "what is counted (docs/methods.md#pattern-facts)"),
)
_OTHER = (
    column("other", pl.String, "", "next and after_failure: upstream called after it; else ''"),
    column("other_operation", pl.String, "", "and its operation; else ''"),
)

PATTERN_FACTS = Table(
    "pattern_facts",
    "How calls of one operation follow each other, end and are cut short, counted per cell, edge"
    " between operations and pattern (docs/methods.md#pattern-facts).",
    (
        WINDOW_START,
        *_PATTERN_KEY,
        column("part", pl.Int32, "", "bits, attempt, calls or log bucket, by pattern"),
        *_OTHER,
        column("count", pl.Int64, "", "how often"),
        column("time_ns", pl.Int64, "ns", "sum of the pattern's main time"),
        column("extra_ns", pl.Int64, "ns", "sum of its other time"),
        column("squares", pl.Int64, "", "sum of squares of delays in units of 100 us"),
    ),
    key=(
        "window_start_ns",
        *(each.name for each in _PATTERN_KEY),
        "part",
        *(each.name for each in _OTHER),
    ),
)

PATTERN_EXEMPLARS = Table(
    "pattern_exemplars",
    "A few calls per cell, edge and pattern that show it best.",
    (
        WINDOW_START,
        *_PATTERN_KEY,
        *_OTHER,
        column("rank", pl.Int32, "", "1 is the first choice"),
        TRACE_HIGH,
        TRACE_LOW,
        column("span_id", pl.UInt64, "", "the call"),
        column("other_span_id", pl.UInt64, "", "the other call of the pattern; 0: none"),
        column("size_ns", pl.Int64, "ns", "by what it was chosen: the largest first"),
    ),
)

FACTS: dict[str, Table] = {
    table.name: table
    for table in (
        EDGE_FACTS, LATENCY_FACTS, PATHS, PATH_FACTS, PATTERN_FACTS, PATTERN_EXEMPLARS,
        QUALITY_FACTS, REACH_FACTS, SLACK_FACTS, PARALLEL_FACTS, SKEW_FACTS,
        VERSION_FACTS, REQUEST_FACTS, EXEMPLARS,
    )
}  # fmt: skip
