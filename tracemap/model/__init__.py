"""The shared words: every table with its columns, types, units and meaning; windows; kinds.

This is the only place where a table's columns are written down for Python. Times and durations
are integers in nanoseconds everywhere; milliseconds appear only in ``report``. The two sides of a
call are ``upstream`` (provides: the callee, the database, the producer) and ``downstream``
(consumes and waits: the caller, the consumer).
"""

from __future__ import annotations

from tracemap.model.bundles import Batch, Cells, Facts, Findings, Ledger, Reading, TraceBucket
from tracemap.model.facts import (
    EDGE_FACTS,
    EXEMPLARS,
    FACTS,
    LATENCY_FACTS,
    PATH_FACTS,
    PATHS,
    QUALITY_FACTS,
)
from tracemap.model.findings import (
    CRITICAL_PATH,
    EDGES,
    FILES,
    FINDINGS,
    FLOW,
    ORIGINS,
    PROPAGATION,
    SPIKES,
    TIMELINE,
    TRACE,
    USER_OPERATIONS,
)
from tracemap.model.spans import (
    LINKED_SPANS,
    LINKS,
    OPERATIONS,
    REJECTS,
    RESOURCES,
    SPANS,
)
from tracemap.model.table import Column, Table
from tracemap.model.whatif import HARDNESS_FACTS, WHATIF, WHATIF_FACTS, Change
from tracemap.model.words import (
    HISTOGRAM_SCALE,
    HOUR_NS,
    JACKKNIFE_BUCKETS,
    MINUTE_NS,
    SECOND_NS,
    UNKNOWN,
    UNKNOWN_CALLER,
    USER,
    ZERO_BUCKET,
    Kind,
    Quality,
    Status,
    Window,
    from_iso,
    iso,
)

__all__ = [
    "CRITICAL_PATH",
    "EDGES",
    "EDGE_FACTS",
    "EXEMPLARS",
    "FACTS",
    "FILES",
    "FINDINGS",
    "FLOW",
    "HARDNESS_FACTS",
    "HISTOGRAM_SCALE",
    "HOUR_NS",
    "JACKKNIFE_BUCKETS",
    "LATENCY_FACTS",
    "LINKED_SPANS",
    "LINKS",
    "MINUTE_NS",
    "OPERATIONS",
    "ORIGINS",
    "PATHS",
    "PATH_FACTS",
    "PROPAGATION",
    "QUALITY_FACTS",
    "REJECTS",
    "RESOURCES",
    "SECOND_NS",
    "SPANS",
    "SPIKES",
    "TIMELINE",
    "TRACE",
    "UNKNOWN",
    "UNKNOWN_CALLER",
    "USER",
    "USER_OPERATIONS",
    "WHATIF",
    "WHATIF_FACTS",
    "ZERO_BUCKET",
    "Batch",
    "Cells",
    "Change",
    "Column",
    "Facts",
    "Findings",
    "Kind",
    "Ledger",
    "Quality",
    "Reading",
    "Status",
    "Table",
    "TraceBucket",
    "Window",
    "from_iso",
    "iso",
]
