"""Finding ``errors``: what upstream's failures did to whoever called it."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import DOWNSTREAM, DOWNSTREAM_OPERATION, UPSTREAM, UPSTREAM_OPERATION
from tracemap.model.table import Table, column

ERRORS = Table(
    "errors",
    "Per edge between two operations: what failing calls offered and what failed downstream because"
    " of them (docs/methods.md#errors). Shares of downstream requests.",
    (
        DOWNSTREAM,
        DOWNSTREAM_OPERATION,
        UPSTREAM,
        UPSTREAM_OPERATION,
        column("offered_errors", pl.Float64, "", "rise of failed calls per downstream request"),
        column("arrived_errors", pl.Float64, "", "rise of the share of requests failed of them"),
        column("arrived_low", pl.Float64, "", "lower end of its 95 % interval"),
        column("arrived_high", pl.Float64, "", "upper end"),
        column("ratio", pl.Float64, "", "arrived / offered; null: nothing offered"),
        column(
            "verdict", pl.String, "", "propagated, amplified, absorbed, no spike, too few calls"
        ),
        column("hardness", pl.Float64, "", "how much likelier a request fails when a call does"),
        column("hardness_low", pl.Float64, "", "lower end of its 95 % interval"),
        column("hardness_high", pl.Float64, "", "upper end; all null: too few failures"),
        column("errors", pl.Int64, "", "calls that failed, in the incident"),
        column("baseline_errors", pl.Int64, "", "calls that failed, in the baseline"),
        column("calls", pl.Int64, "", "calls in the incident window"),
        column("baseline_calls", pl.Int64, "", "calls in the baseline window"),
        column("downstream_requests", pl.Int64, "", "requests of downstream in the incident"),
    ),
    key=("downstream", "downstream_operation", "upstream", "upstream_operation"),
)
