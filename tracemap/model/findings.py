"""FINDINGS: small tables that answer a question, what analyze gives and report takes.

Durations are integers in ns here as well; ``report`` turns every ``*_ns`` duration into ``*_ms``
and every time into ISO-8601.
"""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import (
    CALLS,
    CONNECTION_TYPE,
    DOWNSTREAM,
    DOWNSTREAM_OPERATION,
    EXEMPLAR_IDS,
    PATH_ID,
    ROOT_OPERATION,
    ROOT_SERVICE,
    UPSTREAM,
    UPSTREAM_KIND,
    UPSTREAM_OPERATION,
    WINDOW_START,
)
from tracemap.model.errors import ERRORS
from tracemap.model.flow_bands import FLOW_BANDS
from tracemap.model.insulation import INSULATION
from tracemap.model.one_window import AVAILABILITY, BOTTLENECKS, CRITICAL_PATH, CYCLES, DEPENDENCIES
from tracemap.model.table import Table, column
from tracemap.model.weekly import BUDGET, DECLARATIONS, DRIFT, REGRESSIONS, TREND

EDGES = Table(
    "edges",
    "The observed graph: one row per downstream, upstream and connection type.",
    (
        DOWNSTREAM,
        UPSTREAM,
        UPSTREAM_KIND,
        CONNECTION_TYPE,
        column("protocol", pl.String, "", "the most frequent one"),
        column("evidence", pl.String, "", "rules that made it with counts: 'paired 120, peer 3'"),
        CALLS,
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
    "How the change of a root operation's mean latency splits over its call paths"
    " (docs/methods.md#flow-and-origins). Leaves of one root add up to the change of its mean.",
    (
        ROOT_SERVICE,
        ROOT_OPERATION,
        column("requests", pl.Int64, "", "requests of the root operation in the incident"),
        PATH_ID,
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

PROPAGATION = Table(
    "propagation",
    "Per edge between two operations: what a slower upstream offered and what arrived downstream"
    " (docs/methods.md). Per downstream request.",
    (
        DOWNSTREAM,
        DOWNSTREAM_OPERATION,
        UPSTREAM,
        UPSTREAM_OPERATION,
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
        EXEMPLAR_IDS,
        column("excess_errors", pl.Float64, "", "share of user requests it made fail, 0-1; null"),
        column("flow_ns", pl.Int64, "ns", "what the flow charges it with, per user request; null"),
        column("doubt", pl.String, "", "why it is weak: uncertain, few calls, not felt; null"),
        column("typical_exemplars", pl.List(pl.String), "", "ids of traces as it was before; null"),
    ),
    key=("rank",),
)

TIMELINE = Table(
    "timeline",
    "Percentiles per cell of time of the units a report speaks of.",
    (
        column("unit", pl.String, "", "server, client, gap or self"),
        column("service", pl.String, "", "whose operation; for client and gap: upstream"),
        column("operation", pl.String, "", "the operation; '' for all of them"),
        column("downstream", pl.String, "", "for client and gap: who waits; else ''"),
        WINDOW_START,
        column("calls", pl.Int64, "", "calls in the cell"),
        column("p50_ns", pl.Int64, "ns", "median"),
        column("p95_ns", pl.Int64, "ns", "95th percentile"),
        column("p99_ns", pl.Int64, "ns", "99th percentile"),
    ),
    key=("unit", "service", "operation", "downstream", "window_start_ns"),
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
