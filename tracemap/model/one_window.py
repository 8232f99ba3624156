"""FINDINGS about one window, compared with nothing: where time goes, what depends on what."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import (
    CALLS,
    PATH_ID,
    ROOT_OPERATION,
    ROOT_SERVICE,
    UPSTREAM,
    UPSTREAM_KIND,
)
from tracemap.model.table import Table, column

CRITICAL_PATH = Table(
    "critical_path",
    "Time on the critical path per call path, exclusive: all steps of a root operation add up to"
    " the time of its requests (docs/methods.md#critical-path).",
    (
        ROOT_SERVICE,
        ROOT_OPERATION,
        column("requests", pl.Int64, "", "requests of the root operation"),
        PATH_ID,
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
        CALLS,
        column("hidden_share", pl.Float64, "", "share of calls hidden by a slower sibling, 0-1"),
        column("slack_ns", pl.Int64, "ns", "how much longer a hidden call could take; null: none"),
    ),
    key=("service", "operation", "place", "downstream"),
)

DEPENDENCIES = Table(
    "dependencies",
    "What depends on each node: how many requests reach it, wait for it, and survive its failures.",
    (
        UPSTREAM,
        UPSTREAM_KIND,
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
