"""FINDINGS that compare weeks: what drifted, what it cost users, who owns it."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import CONNECTION_TYPE, UPSTREAM
from tracemap.model.table import Table, column

_DOWNSTREAM = column("downstream", pl.String, "", "who consumes and waits; user: outside")

DRIFT = Table(
    "drift",
    "How each edge differs between a window and its baseline (docs/methods.md#drift). Intervals are"
    " those of 95 %; null: unknown.",
    (
        _DOWNSTREAM,
        UPSTREAM,
        CONNECTION_TYPE,
        column("change", pl.String, "", "what matters most: new, gone, slower, steady, ..."),
        column("changes", pl.List(pl.String), "", "all that changed, what matters most first"),
        column("detail", pl.String, "", "what speaks for it, in words"),
        column("instead", pl.String, "", "re-routed: the other upstream; null"),
        column("calls", pl.Int64, "", "calls in the window"),
        column("baseline_calls", pl.Int64, "", "calls in the baseline"),
        column("requests", pl.Int64, "", "requests of the operations that call; null: unknown"),
        column("baseline_requests", pl.Int64, "", "the same in the baseline"),
        column("calls_per_request", pl.Float64, "", "calls per such request; null: unknown"),
        column("baseline_calls_per_request", pl.Float64, "", "the same in the baseline"),
        column("calls_ratio", pl.Float64, "", "its ratio, each operation weighing the same"),
        column("calls_ratio_low", pl.Float64, "", "lower end of its interval"),
        column("calls_ratio_high", pl.Float64, "", "upper end"),
        column("error_ratio", pl.Float64, "", "share of calls that failed, as downstream saw it"),
        column("baseline_error_ratio", pl.Float64, "", "the same in the baseline"),
        column("error_change_low", pl.Float64, "", "lower end of the interval of its change"),
        column("error_change_high", pl.Float64, "", "upper end"),
        column("p50_ns", pl.Int64, "ns", "median of what downstream waited (client, else server)"),
        column("baseline_p50_ns", pl.Int64, "ns", "the same in the baseline"),
        column("p50_ratio", pl.Float64, "", "their ratio"),
        column("p50_ratio_low", pl.Float64, "", "lower end of its interval"),
        column("p50_ratio_high", pl.Float64, "", "upper end"),
        column("p95_ns", pl.Int64, "ns", "95th percentile of the same"),
        column("baseline_p95_ns", pl.Int64, "ns", "the same in the baseline"),
        column("p95_ratio", pl.Float64, "", "their ratio"),
        column("p95_ratio_low", pl.Float64, "", "lower end of its interval"),
        column("p95_ratio_high", pl.Float64, "", "upper end"),
        column("p95_speed_ratio", pl.Float64, "", "the part of the ratio that no other mix makes"),
        column("p99_ns", pl.Int64, "ns", "99th percentile of the same"),
        column("baseline_p99_ns", pl.Int64, "ns", "the same in the baseline"),
        column("p99_ratio", pl.Float64, "", "their ratio"),
        column("p99_ratio_low", pl.Float64, "", "lower end of its interval"),
        column("p99_ratio_high", pl.Float64, "", "upper end"),
        column("mean_change_ns", pl.Int64, "ns", "change of the mean; speed + mix"),
        column("speed_ns", pl.Int64, "ns", "the part by slower operations"),
        column("mix_ns", pl.Int64, "ns", "the part by another mix of operations"),
        column("evidence", pl.String, "", "rules that made it with counts, in the window"),
        column("baseline_evidence", pl.String, "", "the same in the baseline"),
        column("downstream_versions", pl.String, "", "versions of downstream; '': none named"),
        column("baseline_downstream_versions", pl.String, "", "the same in the baseline"),
        column("upstream_versions", pl.String, "", "versions of upstream; '': none named"),
        column("baseline_upstream_versions", pl.String, "", "the same in the baseline"),
        column("since_service", pl.String, "", "whose new version the change began with; null"),
        column("since_version", pl.String, "", "that version; null: with none"),
    ),
    key=("downstream", "upstream", "connection_type"),
)

REGRESSIONS = Table(
    "regressions",
    "Where users' waiting time goes, and how that changed (docs/methods.md#regressions): time on"
    " the critical path per user request. Changes of all rows add up to that of user requests.",
    (
        column("rank", pl.Int32, "", "1 cost users most time since the baseline"),
        column("cause", pl.String, "", "self: own time; wire: on the way to upstream"),
        column("service", pl.String, "", "whose own time; for wire: upstream"),
        column("operation", pl.String, "", "its operation"),
        column("downstream", pl.String, "", "for wire: who waits; else ''"),
        column(
            "verdict",
            pl.String,
            "",
            "slower, faster, more calls, fewer calls, steady, too few calls",
        ),
        column("requests", pl.Int64, "", "user requests in the window"),
        column("user_ns", pl.Int64, "ns", "time per user request in the window"),
        column("baseline_user_ns", pl.Int64, "ns", "the same in the baseline"),
        column("change_ns", pl.Int64, "ns", "its change, each entry operation weighing the same"),
        column("low_ns", pl.Int64, "ns", "lower end of its 95 % interval; null: unknown"),
        column("high_ns", pl.Int64, "ns", "upper end; null: unknown"),
        column("slower_ns", pl.Int64, "ns", "the part of the change by slower calls"),
        column("calls_ns", pl.Int64, "ns", "the part by more calls"),
        column("mix_ns", pl.Int64, "ns", "on top: the part by another mix of user requests"),
        column("total_ns", pl.Int64, "ns", "change x requests: what it cost users in all"),
        column("share", pl.Float64, "", "share of all time users wait, 0-1"),
        column("baseline_share", pl.Float64, "", "the same in the baseline"),
        column("share_rank", pl.Int32, "", "rank by that share: the bottleneck is 1"),
        column("baseline_share_rank", pl.Int32, "", "the same in the baseline; null: not seen"),
        column("owner", pl.String, "", "owner of the service; null: unknown"),
        column(
            "since_version",
            pl.String,
            "",
            "slower or faster: new version of the service with which it began; null",
        ),
    ),
    key=("cause", "service", "operation", "downstream"),
)

BUDGET = Table(
    "budget",
    "Failed user requests by the service at which the failure began (docs/methods.md#budget).",
    (
        column("service", pl.String, "", "where failures began"),
        column("owner", pl.String, "", "owner of the service; null: unknown"),
        column("requests", pl.Int64, "", "user requests in the window, of all services"),
        column("failed", pl.Float64, "", "failed user requests charged to the service"),
        column("baseline_requests", pl.Int64, "", "user requests in the baseline"),
        column("baseline_failed", pl.Float64, "", "the same in the baseline"),
        column("budget_share", pl.Float64, "", "part of the error budget used: 1 is all of it"),
        column("baseline_budget_share", pl.Float64, "", "the same in the baseline"),
    ),
    key=("service",),
)

DECLARATIONS = Table(
    "declarations",
    "Dependencies that the catalog declares against those observed, service by service"
    " (docs/methods.md#declarations). Not observed is not gone.",
    (
        column("downstream", pl.String, "", "service that calls, or should"),
        column("upstream", pl.String, "", "service called; an API that nobody provides"),
        column(
            "status",
            pl.String,
            "",
            "as declared, not observed, not declared, provider unknown",
        ),
        column("says", pl.String, "", "what declares it: dependsOn, consumesApis API; '': nothing"),
        column("calls", pl.Int64, "", "calls observed"),
        column("last_ns", pl.Int64, "ns since the epoch", "last of them; null: none"),
        column("reason", pl.String, "", "not observed: what of both ends was; else ''"),
        column("owner", pl.String, "", "owner of downstream; null: unknown"),
    ),
    key=("downstream", "upstream"),
)

TREND = Table(
    "trend",
    "Each edge week by week: seven days a row, the last week last.",
    (
        column("week_start_ns", pl.Int64, "ns since the epoch", "start of the seven days"),
        _DOWNSTREAM,
        UPSTREAM,
        column("calls", pl.Int64, "", "calls in the week"),
        column("error_ratio", pl.Float64, "", "share of calls that failed"),
        column("p50_ns", pl.Int64, "ns", "median of what downstream waited; null: unknown"),
        column("p95_ns", pl.Int64, "ns", "95th percentile of the same"),
        column("p99_ns", pl.Int64, "ns", "99th percentile of the same"),
        column("days", pl.Float64, "", "days of the seven that hold data; fewer: a partial week"),
        column("calls_per_day", pl.Float64, "", "calls / days: what weeks are compared by"),
    ),
    key=("week_start_ns", "downstream", "upstream"),
)
