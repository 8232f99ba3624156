"""LATENCY_FACTS: log-bucket histograms of what operations take and downstreams wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.derive.edges import HAS_GAP
from tracemap.model import LATENCY_FACTS, Kind, histogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.derive.roles import Roles
    from tracemap.derive.spans import Spans
    from tracemap.derive.steps import Steps
    from tracemap.derive.tree import Tree

_UNIT = ("service", "operation", "downstream")


def latency_facts(
    spans: Spans,
    tree: Tree,
    roles: Roles,
    steps: Steps,
    observed: pl.DataFrame,
    waits: pl.DataFrame,
    cell: NDArray[np.int64],
) -> pl.DataFrame:
    """Return the histograms of all units, as `model.LATENCY_FACTS`.

    Unknown durations are not observed, nor are negative gaps and waits (they are counted in
    QUALITY_FACTS). ``self`` of an entry that is folded into the one above counts there.
    """
    per_edge = observed.rename({"upstream": "service", "upstream_operation": "operation"})
    client = per_edge.filter(pl.col("client_ns") >= 0)
    units = {
        "server": _server(spans, tree, roles),
        "self": _self(spans, steps),
        "client": client.with_columns(ns="client_ns", failed=_either_failed()),
        "gap": client.filter(HAS_GAP).with_columns(
            ns=pl.col("client_ns") - pl.col("server_ns"), failed=_either_failed()
        ),
        "wait": waits.filter(pl.col("wait_ns") >= 0).rename({"wait_ns": "ns"}),
    }
    summed = pl.concat([_histogram(name, rows, cell) for name, rows in units.items()])
    decoded = spans.vocabulary.decoded(*_UNIT)
    return LATENCY_FACTS.conform(summed.with_columns(decoded))


def _either_failed() -> pl.Expr:
    """What downstream saw; of a send the span is upstream's."""
    return pl.col("failed_downstream") | (pl.col("failed_upstream") & (pl.col("server_ns") < 0))


def _server(spans: Spans, tree: Tree, roles: Roles) -> pl.DataFrame:
    """Durations of entries, by who called: nobody calls a root, an orphan or a consumer."""
    rows = np.flatnonzero(roles.entry & (spans.duration >= 0))
    client, parent = roles.client[rows], tree.parent[rows]
    caller = np.where(client >= 0, client, parent)
    called = (caller >= 0) & (spans.kind[rows] != Kind.CONSUMER)
    downstream = np.where(called, spans.service[caller], 0).astype(np.int32)
    return _entries(spans, rows, downstream, spans.duration[rows])


def _self(spans: Spans, steps: Steps) -> pl.DataFrame:
    at = np.flatnonzero(~steps.is_call & (spans.duration[steps.span] >= 0))
    nobody = np.zeros(at.size, dtype=np.int32)
    return _entries(spans, steps.span[at], nobody, steps.self_ns[at])


def _entries(
    spans: Spans,
    rows: NDArray[np.int32],
    downstream: NDArray[np.int32],
    ns: NDArray[np.int64],
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "trace": spans.trace[rows],
            "service": spans.service[rows],
            "operation": spans.operation[rows],
            "downstream": downstream,
            "ns": ns,
            "failed": spans.failed[rows],
        }
    )


def _histogram(unit: str, rows: pl.DataFrame, cell: NDArray[np.int64]) -> pl.DataFrame:
    return (
        rows.lazy()
        .select(
            *_UNIT,
            "ns",
            "failed",
            window_start_ns=pl.lit(pl.Series(cell)).gather("trace"),
            bucket=histogram.bucket(pl.col("ns")),
        )
        .group_by("window_start_ns", *_UNIT, "bucket")
        .agg(count=pl.len(), sum_ns=pl.col("ns").sum(), errors=pl.col("failed").sum())
        .with_columns(unit=pl.lit(unit))
        .collect()
    )
