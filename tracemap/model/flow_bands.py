"""Percentile bands of the flow: the finding, and the tables it is made of."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import PATH_ID, ROOT_OPERATION, ROOT_SERVICE
from tracemap.model.facts import PATH_FACTS
from tracemap.model.table import Table, column

_BAND = column("band", pl.String, "", "p50, p95 or p99")
_SERVICE = column("service", pl.String, "", "service of the root operation")
_OPERATION = column("operation", pl.String, "", "the root operation")
_WINDOW = column("window_start_ns", pl.Int64, "ns since the epoch", "start of the window")

ROOT_DURATIONS = Table(
    "root_durations",
    "One row per request of the root operations asked about.",
    (
        _WINDOW,
        _SERVICE,
        _OPERATION,
        column("duration_ns", pl.Int64, "ns", "what the request took; unknown: 0"),
    ),
)

BAND_LIMITS = Table(
    "band_limits",
    "Which requests of a root operation lie in a band of one window: those between two durations.",
    (
        _BAND,
        _SERVICE,
        _OPERATION,
        _WINDOW,
        column("low_ns", pl.Int64, "ns", "shortest request of the band"),
        column("high_ns", pl.Int64, "ns", "longest request of the band"),
        column("quantile_ns", pl.Int64, "ns", "the percentile itself"),
    ),
    key=("band", "service", "operation", "window_start_ns"),
)

BAND_FACTS = Table(
    "band_facts",
    "As `path_facts`, of the requests in a band alone.",
    (_BAND, *PATH_FACTS.columns),
    key=("band", *PATH_FACTS.key),
)

FLOW_BANDS = Table(
    "flow_bands",
    "How the change of the requests around a percentile of a root operation splits over its call"
    " paths (docs/methods.md#flow-band). Leaves of one root and band add up to the change of the"
    " band.",
    (
        _BAND,
        ROOT_SERVICE,
        ROOT_OPERATION,
        column("requests", pl.Int64, "", "requests in the band, in the incident"),
        column("baseline_requests", pl.Int64, "", "requests in the band, in the baseline"),
        column("band_change_ns", pl.Int64, "ns", "change of the mean of the requests in the band"),
        column("quantile_change_ns", pl.Int64, "ns", "change of the percentile itself"),
        column("smoothing_ns", pl.Int64, "ns", "change of the band - change of the percentile"),
        PATH_ID,
        column("leaf", pl.String, "", "self, gap, calls, virtual, small, unresolved"),
        column("service", pl.String, "", "service of the step; for a gap: downstream"),
        column("operation", pl.String, "", "operation of the step"),
        column("upstream", pl.String, "", "for gap, calls and virtual: upstream; else ''"),
        column("share_ns", pl.Int64, "ns", "what ends here, per request of the band"),
        column("low_ns", pl.Int64, "ns", "lower end of its 95 % interval; null: not known"),
        column("high_ns", pl.Int64, "ns", "upper end; null: not known"),
    ),
)
