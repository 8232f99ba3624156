"""LATENCY_FACTS: log-bucket histograms of what operations take and downstreams wait."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Codes, Ints, Rows
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.edges import has_gap
from tracemap.derive.grouping import grouped
from tracemap.derive.observations import Observations
from tracemap.derive.roles import Roles
from tracemap.derive.spans import Spans
from tracemap.derive.steps import Steps
from tracemap.derive.tree import Tree
from tracemap.model import LATENCY_FACTS, Kind, histogram


@dataclass(frozen=True)
class _Unit:
    """Durations of one unit: each field has one item an observation."""

    row: Rows
    service: Codes
    operation: Codes
    downstream: Codes
    ns: Ints
    failed: Bools


def latency_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return the histograms of all units, as `model.LATENCY_FACTS`, sorted by key."""
    spans, units = derived.spans, _units(derived)
    names = sorted(units)
    every = {
        item.name: np.concatenate([getattr(units[name], item.name) for name in names])
        for item in fields(_Unit)
    }
    sizes = [units[name].row.size for name in names]
    bucket = pl.DataFrame({"ns": every["ns"]}).select(histogram.bucket(pl.col("ns"))).to_series()
    summed = grouped(
        {
            "cell": grid.of_trace[spans.trace[every["row"]]],
            "unit": np.repeat(np.arange(len(names), dtype=np.int32), sizes),
            "service": every["service"],
            "operation": every["operation"],
            "downstream": every["downstream"],
            "bucket": bucket.to_numpy(),
        },
        {"sum_ns": every["ns"], "errors": every["failed"]},
    )
    return LATENCY_FACTS.conform(
        summed.with_columns(
            grid.decoded("cell"),
            pl.lit(pl.Series(names)).gather(pl.col("unit")).alias("unit"),
            *spans.vocabulary.decoded("service", "operation", "downstream"),
            count=pl.col("rows"),
        )
    )


def _units(derived: Derived) -> dict[str, _Unit]:
    """Return the observed durations by unit.

    Unknown durations are not observed, nor are negative gaps and waits (they are counted in
    QUALITY_FACTS). ``self`` of an entry that is folded into the one above counts there.
    """
    spans, calls, waits = derived.spans, derived.calls, derived.messages.waits
    client_ns = calls.client_ns(spans)
    gap = has_gap(spans, calls)
    late = waits.ns >= 0
    return {
        "server": _server(spans, derived.tree, derived.roles),
        "self": _self(spans, derived.steps),
        "client": _per_edge(calls, client_ns >= 0, client_ns),
        "gap": _per_edge(calls, gap, client_ns - calls.server_ns(spans)),
        "wait": _Unit(
            row=waits.row[late],
            service=waits.upstream[late],
            operation=waits.operation[late],
            downstream=spans.service[waits.row[late]],
            ns=waits.ns[late],
            failed=spans.failed[waits.row[late]],
        ),
    }


def _server(spans: Spans, tree: Tree, roles: Roles) -> _Unit:
    """Durations of entries, by who called: nobody calls a root, an orphan or a consumer."""
    rows = np.flatnonzero(roles.entry & (spans.duration >= 0))
    client, parent = roles.client[rows], tree.parent[rows]
    caller = np.where(client >= 0, client, parent)
    called = (caller >= 0) & (spans.kind[rows] != Kind.CONSUMER)
    return _Unit(
        row=rows,
        service=spans.service[rows],
        operation=spans.operation[rows],
        downstream=np.where(called, spans.service[caller], 0),
        ns=spans.duration[rows],
        failed=spans.failed[rows],
    )


def _self(spans: Spans, steps: Steps) -> _Unit:
    at = np.flatnonzero(~steps.is_call & (spans.duration[steps.span] >= 0))
    rows = steps.span[at]
    return _Unit(
        row=rows,
        service=spans.service[rows],
        operation=spans.operation[rows],
        downstream=np.zeros(rows.size, dtype=np.int32),
        ns=steps.self_ns[at],
        failed=spans.failed[rows],
    )


def _per_edge(calls: Observations, observed: Bools, ns: Ints) -> _Unit:
    """What downstream saw; of a send it is the producer, upstream, that recorded the span."""
    return _Unit(
        row=calls.row[observed],
        service=calls.upstream[observed],
        operation=calls.upstream_operation[observed],
        downstream=calls.downstream[observed],
        ns=ns[observed],
        failed=(calls.failed_downstream | (calls.failed_upstream & (calls.server < 0)))[observed],
    )
