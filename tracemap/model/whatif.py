"""What-if: a change to one upstream, and the tables that say what it would have done."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tracemap.model.table import Table, column


@dataclass(frozen=True)
class Change:
    """How calls to one upstream are imagined to be.

    Attributes:
        upstream: Name of the node that changes: a service, or a virtual upstream.
        operation: Only calls of this operation of it; None: all.
        add_ns: Added to what each call takes; may be negative, a call never takes less than 0.
        scale: Own time of the upstream is multiplied by this; of a virtual upstream all its time.
        timeout_ns: Whoever calls gives up after this long, and the call fails; None: never.
        cache_share: Share of calls that are not made, 0-1.
        fail_share: Share of calls that fail, 0-1; they take as long as before.
    """

    upstream: str
    operation: str | None = None
    add_ns: int = 0
    scale: float = 1.0
    timeout_ns: int | None = None
    cache_share: float = 0.0
    fail_share: float = 0.0


WHATIF_FACTS = Table(
    "whatif_facts",
    "Sums per operation, edge of failures and log bucket, as recorded and as replayed.",
    (
        column(
            "measure", pl.String, "", "before, after; affected: calls that got another duration"
        ),
        column("service", pl.String, "", "whose operation"),
        column("operation", pl.String, "", "the operation"),
        column("bucket", pl.Int32, "", "log bucket of the duration; `ZERO_BUCKET` for zero"),
        column("count", pl.Int64, "", "calls"),
        column("sum_ns", pl.Int64, "ns", "sum of their durations"),
        column("errors", pl.Float64, "", "calls that fail; after: expected"),
    ),
    key=("measure", "service", "operation", "bucket"),
)

HARDNESS_FACTS = Table(
    "hardness_facts",
    "Requests of an operation that called an upstream, by whether a call and the request failed.",
    (
        column("downstream", pl.String, "", "who waits"),
        column("downstream_operation", pl.String, "", "the operation that called"),
        column("upstream", pl.String, "", "whom it called"),
        column("requests", pl.Int64, "", "requests that called it and saw no call fail"),
        column("requests_failed", pl.Int64, "", "those of them that failed"),
        column("hit", pl.Int64, "", "requests that saw a call to it fail"),
        column("hit_failed", pl.Int64, "", "those of them that failed"),
    ),
    key=("downstream", "downstream_operation", "upstream"),
)

WHATIF = Table(
    "whatif",
    "What a change to one upstream would have done to every operation that waits for it"
    " (docs/methods.md#whatif), most time first.",
    (
        column("downstream", pl.String, "", "who waits; the upstream itself comes, too"),
        column("operation", pl.String, "", "its operation"),
        column("calls", pl.Int64, "", "calls in the window"),
        column("affected", pl.Int64, "", "calls whose duration or outcome would differ"),
        column("before_mean_ns", pl.Int64, "ns", "mean duration as recorded"),
        column("after_mean_ns", pl.Int64, "ns", "mean duration as replayed"),
        column("before_p50_ns", pl.Int64, "ns", "median as recorded"),
        column("after_p50_ns", pl.Int64, "ns", "median as replayed"),
        column("before_p95_ns", pl.Int64, "ns", "95th percentile as recorded"),
        column("after_p95_ns", pl.Int64, "ns", "95th percentile as replayed"),
        column("before_p99_ns", pl.Int64, "ns", "99th percentile as recorded"),
        column("after_p99_ns", pl.Int64, "ns", "99th percentile as replayed"),
        column("before_error_rate", pl.Float64, "", "share of calls that failed, 0-1"),
        column("after_error_rate", pl.Float64, "", "share expected to fail, 0-1"),
        column(
            "assumed", pl.Boolean, "", "whether too few failures were seen to know what one does"
        ),
    ),
    key=("downstream", "operation"),
)
