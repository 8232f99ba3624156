"""FINDINGS: small tables that answer a question, what analyze gives and report takes.

Durations are integers in ns here as well; ``report`` turns every ``*_ns`` duration into ``*_ms``
and every time into ISO-8601.
"""

from __future__ import annotations

import polars as pl

from tracemap.model.errors import ERRORS
from tracemap.model.flow_bands import FLOW_BANDS
from tracemap.model.table import Table, column
from tracemap.model.weekly import BUDGET, DECLARATIONS, DRIFT, REGRESSIONS, TREND

_DOWNSTREAM = column("downstream", pl.String, "", "who consumes and waits")
_UPSTREAM = column("upstream", pl.String, "", "who provides")

EDGES = Table(
    "edges",
    "The observed graph: one row per downstream, upstream and connection type.",
    (
        _DOWNSTREAM,
        _UPSTREAM,
        column(
            "upstream_kind",
            pl.String,
            "",
            "service, database, queue, external, faas, genai, unknown",
        ),
        column("connection_type", pl.String, "", "rpc, messaging, database, external, link"),
        column("protocol", pl.String, "", "the most frequent one"),
        column("evidence", pl.String, "", "rules that made it with counts: 'paired 120, peer 3'"),
        column("calls", pl.Int64, "", "calls"),
        column("calls_weighted", pl.Float64, "", "calls, adjusted for sampling"),
        column("errors_downstream", pl.Int64, "", "calls that failed as downstream saw it"),
        column("errors_upstream", pl.Int64, "", "calls that failed as upstream saw it"),
        column("p50_ns", pl.Int64, "ns", "median of what downstream waited (client, else server)"),
        column("p95_ns", pl.Int64, "ns", "95th percentile of the same"),
        column("p99_ns", pl.Int64, "ns", "99th percentile of the same"),
        column("server_p50_ns", pl.Int64, "ns", "median of what upstream took; null: unknown"),
        column("server_p95_ns", pl.Int64, "ns", "95th percentile of the same"),
        column("server_p99_ns", pl.Int64, "ns", "99th percentile of the same"),
        column("gap_p50_ns", pl.Int64, "ns", "median of client - server; null: unknown"),
        column("gap_p95_ns", pl.Int64, "ns", "95th percentile of the same"),
        column("gap_p99_ns", pl.Int64, "ns", "99th percentile of the same"),
        column("first_ns", pl.Int64, "ns since the epoch", "first call seen"),
        column("last_ns", pl.Int64, "ns since the epoch", "last call seen"),
        column("baseline_p95_ns", pl.Int64, "ns", "p95 in the baseline; null: not compared"),
        column("incident_p95_ns", pl.Int64, "ns", "p95 in the incident; null: not compared"),
        column("p90_ns", pl.Int64, "ns", "90th percentile of what downstream waited"),
        column("max_ns", pl.Int64, "ns", "the slowest call, within 0.55 %"),
        column("retries", pl.Int64, "", "calls made again after one of the same request failed"),
        column("typical_trace", pl.String, "", "id of a trace near the median; null: none"),
        column("slow_trace", pl.String, "", "id of the slowest trace; null: none"),
    ),
    key=("downstream", "upstream", "connection_type"),
)

SPIKES = Table(
    "spikes",
    "Episodes in which a unit's latency left its baseline (docs/methods.md), worst first.",
    (
        column("unit", pl.String, "", "server, client, gap or self"),
        column("service", pl.String, "", "whose operation; for client and gap: upstream"),
        column("operation", pl.String, "", "the operation"),
        column("downstream", pl.String, "", "for client and gap: who waits; else ''"),
        column("start_ns", pl.Int64, "ns since the epoch", "start of the first flagged cell"),
        column("end_ns", pl.Int64, "ns since the epoch", "end of the last flagged cell"),
        column("baseline_p50_ns", pl.Int64, "ns", "median in the baseline cells"),
        column("p50_ns", pl.Int64, "ns", "median in the episode"),
        column("baseline_p95_ns", pl.Int64, "ns", "95th percentile in the baseline cells"),
        column("p95_ns", pl.Int64, "ns", "95th percentile in the episode"),
        column("ratio", pl.Float64, "", "p95 / baseline p95"),
        column("z", pl.Float64, "", "largest robust z of the episode's cells"),
        column("calls", pl.Int64, "", "calls in the episode"),
        column("excess_ns", pl.Int64, "ns", "calls x rise of the mean: what it cost in all"),
    ),
    key=("unit", "service", "operation", "downstream", "start_ns"),
)

FLOW = Table(
    "flow",
    "How the change of an entry operation's mean latency splits over its call paths (methods.md"
    " 4.1). Leaves of one root add up to the change of its mean.",
    (
        column("root_service", pl.String, "", "service of the root operation"),
        column("root_operation", pl.String, "", "the root operation"),
        column("requests", pl.Int64, "", "requests of the root operation in the incident"),
        column("path_id", pl.UInt64, "", "row of `paths`"),
        column("parent_path_id", pl.UInt64, "", "row of `paths`; 0: root"),
        column("hops", pl.Int32, "", "calls between this step and the root"),
        column("leaf", pl.String, "", "self, gap, calls, virtual, small, unresolved; '': inner"),
        column("service", pl.String, "", "service of the step; for a gap: downstream"),
        column("operation", pl.String, "", "operation of the step"),
        column("upstream", pl.String, "", "for gap, calls and virtual: upstream; else ''"),
        column("share_ns", pl.Int64, "ns", "what flows through or ends here, per root request"),
        column("low_ns", pl.Int64, "ns", "lower end of its 95 % interval; null: not known"),
        column("high_ns", pl.Int64, "ns", "upper end; null: not known"),
        column("origin", pl.Int32, "", "rank of the origin a leaf is charged to; null: none"),
    ),
)

USER_OPERATIONS = Table(
    "user_operations",
    "What users waited for before and during an incident, one row per root operation.",
    (
        column("service", pl.String, "", "service of the root operation"),
        column("operation", pl.String, "", "the root operation"),
        column("requests", pl.Int64, "", "requests in the incident"),
        column("baseline_requests", pl.Int64, "", "requests in the baseline"),
        column("errors", pl.Int64, "", "requests that failed, in the incident"),
        column("baseline_errors", pl.Int64, "", "requests that failed, in the baseline"),
        column("mean_ns", pl.Int64, "ns", "mean in the incident; null: no requests"),
        column("baseline_mean_ns", pl.Int64, "ns", "mean in the baseline; null: no requests"),
        column("p50_ns", pl.Int64, "ns", "median in the incident"),
        column("baseline_p50_ns", pl.Int64, "ns", "median in the baseline"),
        column("p95_ns", pl.Int64, "ns", "95th percentile in the incident"),
        column("baseline_p95_ns", pl.Int64, "ns", "95th percentile in the baseline"),
        column("p99_ns", pl.Int64, "ns", "99th percentile in the incident"),
        column("baseline_p99_ns", pl.Int64, "ns", "99th percentile in the baseline"),
    ),
    key=("service", "operation"),
)

CRITICAL_PATH = Table(
    "critical_path",
    "Time on the critical path per call path, exclusive: all steps of a root operation add up to"
    " the time of its requests (docs/methods.md#critical-path).",
    (
        column("root_service", pl.String, "", "service of the root operation"),
        column("root_operation", pl.String, "", "the root operation"),
        column("requests", pl.Int64, "", "requests of the root operation"),
        column("path_id", pl.UInt64, "", "row of `paths`"),
        column("parent_path_id", pl.UInt64, "", "row of `paths`; 0: root"),
        column("depth", pl.Int32, "", "steps above; 0: root"),
        column("step", pl.String, "", "entry or call"),
        column("service", pl.String, "", "who recorded the step: for a call, downstream"),
        column("operation", pl.String, "", "operation of the step"),
        column("upstream", pl.String, "", "for a call: whom it reached; else ''"),
        column("calls", pl.Int64, "", "how often the step was taken"),
        column("critical_ns", pl.Int64, "ns", "its exclusive time on the critical path, in all"),
    ),
    key=("path_id",),
)

PROPAGATION = Table(
    "propagation",
    "Per edge between two operations: what a slower upstream offered and what arrived downstream"
    " (docs/methods.md). Per downstream request.",
    (
        _DOWNSTREAM,
        column("downstream_operation", pl.String, "", "operation that waits"),
        _UPSTREAM,
        column("upstream_operation", pl.String, "", "operation called"),
        column("offered_ns", pl.Int64, "ns", "rise of time spent in these calls"),
        column("arrived_ns", pl.Int64, "ns", "rise of downstream's latency through them"),
        column("arrived_low_ns", pl.Int64, "ns", "lower end of its 95 % interval; null: unknown"),
        column("arrived_high_ns", pl.Int64, "ns", "upper end; null: unknown"),
        column("ratio", pl.Float64, "", "arrived / offered; null: nothing offered"),
        column(
            "verdict",
            pl.String,
            "",
            "propagated, amplified, absorbed, within variation, no spike, too few calls",
        ),
        column(
            "mechanism",
            pl.String,
            "",
            "what absorbed it: parallel slack, async, timeout, hedge; null",
        ),
        column("absorbed_ns", pl.Int64, "ns", "offered - arrived where positive"),
        column("calls", pl.Int64, "", "calls in the incident window"),
        column("baseline_calls", pl.Int64, "", "calls in the baseline window"),
        column("downstream_requests", pl.Int64, "", "requests of downstream in the window"),
    ),
    key=("downstream", "downstream_operation", "upstream", "upstream_operation"),
)

ORIGINS = Table(
    "origins",
    "Where it began: services and edges ranked by the user-visible time they explain.",
    (
        column("rank", pl.Int32, "", "1 is the likeliest"),
        column("service", pl.String, "", "the service named; for an edge: its likelier end"),
        column("operation", pl.String, "", "the operation that moved most; null: several"),
        column("cause", pl.String, "", "self, wire, calls, error, mix"),
        column("edge_downstream", pl.String, "", "when only one edge rose: its downstream; null"),
        column("edge_upstream", pl.String, "", "and its upstream; null"),
        column("excess_ns", pl.Int64, "ns", "time added per user request, on average"),
        column("low_ns", pl.Int64, "ns", "lower end of its 95 % interval; null: unknown"),
        column("high_ns", pl.Int64, "ns", "upper end; null: unknown"),
        column("share", pl.Float64, "", "share of all explained time, 0-1"),
        column("z", pl.Float64, "", "evidence of all its components together (z of log durations)"),
        column("confidence", pl.String, "", "strong, or weak: a lead, not a finding"),
        column("owner", pl.String, "", "owner of the service; null: unknown"),
        column("evidence", pl.String, "", "what moved, in words"),
        column("exemplars", pl.List(pl.String), "", "ids of up to three traces that show it"),
        column("excess_errors", pl.Float64, "", "share of user requests it made fail, 0-1; null"),
        column("flow_ns", pl.Int64, "ns", "what the flow charges it with, per user request; null"),
        column("doubt", pl.String, "", "why it is weak: uncertain, few calls, not felt; null"),
        column("typical_exemplars", pl.List(pl.String), "", "ids of traces as it was before; null"),
    ),
    key=("rank",),
)

BOTTLENECKS = Table(
    "bottlenecks",
    "What requests spend their time on: own time of operations, gaps of edges, and upstreams that"
    " recorded no spans, by exclusive time on the critical path, most first.",
    (
        column("rank", pl.Int32, "", "1 takes most"),
        column("service", pl.String, "", "whose time; of a network: the upstream end"),
        column("operation", pl.String, "", "its operation; of a network: the one that called"),
        column("place", pl.String, "", "own time, network, or no spans: all that is known of it"),
        column("downstream", pl.String, "", "of a network and without spans: who waits; else ''"),
        column("critical_share", pl.Float64, "", "share of the time of all requests, 0-1"),
        column("low_share", pl.Float64, "", "lower end of its 95 % interval; null: unknown"),
        column("high_share", pl.Float64, "", "upper end; null: unknown"),
        column("critical_ns", pl.Int64, "ns", "time on the critical path per request"),
        column("saved_per_second_ns", pl.Int64, "ns", "saved each second if it took 10 % less"),
        column("calls", pl.Int64, "", "calls"),
        column("hidden_share", pl.Float64, "", "share of calls hidden by a slower sibling, 0-1"),
        column("slack_ns", pl.Int64, "ns", "how much longer a hidden call could take; null: none"),
    ),
    key=("service", "operation", "place", "downstream"),
)

DEPENDENCIES = Table(
    "dependencies",
    "What hangs on each node: how many requests reach it, wait for it, and survive its failures.",
    (
        _UPSTREAM,
        column(
            "upstream_kind",
            pl.String,
            "",
            "service, database, queue, external, faas, genai, unknown",
        ),
        column("requests", pl.Int64, "", "requests that reached it"),
        column("reach", pl.Float64, "", "share of all requests that reached it, 0-1"),
        column("waiting", pl.Float64, "", "share of all requests that had to wait for it, 0-1"),
        column("entries", pl.List(pl.String), "", "root operations that reach it, most first"),
        column("hit", pl.Int64, "", "requests in which a failure began at it"),
        column("survived", pl.Float64, "", "share of these that succeeded; null: too few"),
        column("hardness", pl.Float64, "", "likelier failure of a request hit, 0-1; null: too few"),
        column("single_point", pl.String, "", "yes, no, unknown: do requests die with it"),
    ),
    key=("upstream", "upstream_kind"),
)

AVAILABILITY = Table(
    "availability",
    "Per root operation: the share of requests that succeeded, and what its upstreams allow.",
    (
        column("service", pl.String, "", "service of the root operation"),
        column("operation", pl.String, "", "the root operation"),
        column("requests", pl.Int64, "", "requests"),
        column("measured", pl.Float64, "", "share that succeeded, 0-1"),
        column("own", pl.Float64, "", "share not failed by itself, 0-1"),
        column("bound", pl.Float64, "", "own times what each upstream lets through, 0-1"),
        column("weakest", pl.String, "", "the upstream that lets least through; '': none fails"),
        column("weakest_share", pl.Float64, "", "share it lets through, 0-1; null: none fails"),
    ),
    key=("service", "operation"),
)

CYCLES = Table(
    "cycles",
    "Services that call each other in a circle.",
    (
        column("services", pl.List(pl.String), "", "downstream first; the last calls the first"),
        column("confirmed", pl.Boolean, "", "seen within single requests; else only as edges"),
        column("calls", pl.Int64, "", "calls that closed the circle within a request"),
    ),
)

INSULATION = Table(
    "insulation",
    "Per edge between two operations: what stops a spike there, what makes it worse, and where"
    " nothing stops it (docs/methods.md#insulation).",
    (
        _DOWNSTREAM,
        column("downstream_operation", pl.String, "", "operation that waits"),
        _UPSTREAM,
        column("upstream_operation", pl.String, "", "operation called"),
        column("pattern", pl.String, "", "timeout, retry, hedge ...; none: nothing was seen"),
        column("role", pl.String, "", "protects, hurts, advice or missing"),
        column("shows", pl.String, "", "what was seen, in words with numbers"),
        column("absorbed_ns", pl.Int64, "ns", "kept away per downstream request; null: not told"),
        column("rescued", pl.Int64, "", "calls or requests that went well by it; null: not told"),
        column("occurrences", pl.Int64, "", "how often it was seen"),
        column("opportunities", pl.Int64, "", "how often it could have been; null: not told"),
        column("attempts_per_call", pl.Float64, "", "retries and loops: calls made for one; null"),
        column("success", pl.Float64, "", "share that went well with it, 0-1; null: not told"),
        column("limit_ns", pl.Int64, "ns", "timeout or delay; none: p99 of the wait; null"),
        column("saving_ns", pl.Int64, "ns", "advice: at most this per request; null"),
        column("share", pl.Float64, "", "missing: share of users' requests through it; null"),
        column("other", pl.String, "", "upstream called instead, or next; null"),
        column("confidence", pl.String, "", "strong or weak"),
        column("exemplars", pl.List(pl.String), "", "ids of up to three traces that show it"),
        column("spans", pl.List(pl.String), "", "in each of them, the spans that show it"),
    ),
    key=("downstream", "downstream_operation", "upstream", "upstream_operation", "pattern"),
)

TIMELINE = Table(
    "timeline",
    "Percentiles per cell of time of the units a report speaks of.",
    (
        column("unit", pl.String, "", "server, client, gap or self"),
        column("service", pl.String, "", "whose operation; for client and gap: upstream"),
        column("operation", pl.String, "", "the operation; '' for all of them"),
        column("downstream", pl.String, "", "for client and gap: who waits; else ''"),
        column("window_start_ns", pl.Int64, "ns since the epoch", "start of the cell"),
        column("calls", pl.Int64, "", "calls in the cell"),
        column("p50_ns", pl.Int64, "ns", "median"),
        column("p95_ns", pl.Int64, "ns", "95th percentile"),
        column("p99_ns", pl.Int64, "ns", "99th percentile"),
    ),
    key=("unit", "service", "operation", "downstream", "window_start_ns"),
)

TRACE = Table(
    "trace",
    "One trace as a waterfall, in depth-first order.",
    (
        column("trace_id", pl.String, "", "32 hex digits"),
        column("span_id", pl.String, "", "16 hex digits"),
        column("parent_span_id", pl.String, "", "16 hex digits; null: root"),
        column("depth", pl.Int32, "", "ancestors that are present"),
        column("service", pl.String, "", "who recorded it"),
        column("operation", pl.String, "", "low-cardinality operation name"),
        column("name", pl.String, "", "span name as recorded"),
        column("kind", pl.String, "", "INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER, UNSPECIFIED"),
        column("status_code", pl.String, "", "UNSET, OK, ERROR"),
        column("start_ns", pl.Int64, "ns since the epoch", "start as recorded"),
        column("duration_ns", pl.Int64, "ns", "end - start; null: no end"),
        column("self_ns", pl.Int64, "ns", "own time by local tiling"),
        column("critical_ns", pl.Int64, "ns", "exclusive time on the critical path of the trace"),
        column(
            "critical_parts_ns",
            pl.List(pl.Int64),
            "ns",
            "where that time lies: from, to, from, to, ... since the span's own start",
        ),
        column("flags", pl.List(pl.String), "", "orphan, async, abandoned, skewed, ..."),
    ),
    key=("trace_id", "span_id"),
)

FINDINGS: dict[str, Table] = {
    table.name: table
    for table in (
        EDGES,
        SPIKES,
        FLOW,
        FLOW_BANDS,
        USER_OPERATIONS,
        PROPAGATION,
        ERRORS,
        ORIGINS,
        BOTTLENECKS,
        DEPENDENCIES,
        AVAILABILITY,
        CYCLES,
        INSULATION,
        TIMELINE,
        CRITICAL_PATH,
        DRIFT,
        REGRESSIONS,
        BUDGET,
        TREND,
        DECLARATIONS,
    )
}
