"""Finding ``insulation``: what stops a spike on each edge, and where nothing does."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import (
    DOWNSTREAM,
    DOWNSTREAM_OPERATION,
    EXEMPLAR_IDS,
    UPSTREAM,
    UPSTREAM_OPERATION,
)
from tracemap.model.table import Table, column

INSULATION = Table(
    "insulation",
    "Per edge between two operations: what stops a spike there, what makes it worse, and where"
    " nothing stops it (docs/methods.md#insulation).",
    (
        DOWNSTREAM,
        DOWNSTREAM_OPERATION,
        UPSTREAM,
        UPSTREAM_OPERATION,
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
        EXEMPLAR_IDS,
        column("spans", pl.List(pl.String), "", "in each of them, the spans that show it"),
    ),
    key=("downstream", "downstream_operation", "upstream", "upstream_operation", "pattern"),
)
