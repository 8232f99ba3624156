"""Columns that mean the same in several tables."""

from __future__ import annotations

import polars as pl

from tracemap.model.table import column

WINDOW_START = column("window_start_ns", pl.Int64, "ns since the epoch", "start of the cell")
DOWNSTREAM = column("downstream", pl.String, "", "who consumes and waits")
DOWNSTREAM_OPERATION = column("downstream_operation", pl.String, "", "operation that waits")
UPSTREAM = column("upstream", pl.String, "", "who provides")
UPSTREAM_OPERATION = column("upstream_operation", pl.String, "", "operation called")
UPSTREAM_KIND = column(
    "upstream_kind", pl.String, "", "service, database, queue, external, faas, genai, unknown"
)
CONNECTION_TYPE = column(
    "connection_type", pl.String, "", "rpc, messaging, database, external, link"
)
PATH_ID = column("path_id", pl.UInt64, "", "row of `paths`")
ROOT_SERVICE = column("root_service", pl.String, "", "service of the root operation")
ROOT_OPERATION = column("root_operation", pl.String, "", "the root operation")
CALLS = column("calls", pl.Int64, "", "calls")
EXEMPLAR_IDS = column("exemplars", pl.List(pl.String), "", "ids of up to three traces that show it")
