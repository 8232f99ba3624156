"""LATENCY_FACTS: log-bucket histograms of what operations take and downstreams wait."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Codes, Ints, Rows, kernel
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.edges import has_gap
from tracemap.derive.grouping import numbered
from tracemap.derive.observations import Observations
from tracemap.derive.roles import Roles
from tracemap.derive.spans import Spans
from tracemap.derive.steps import Steps
from tracemap.derive.tree import Tree
from tracemap.model import LATENCY_FACTS, ZERO_BUCKET, Kind, histogram


@dataclass(frozen=True)
class Unit:
    """Durations of one unit: each field has one item an observation."""

    row: Rows
    service: Codes
    operation: Codes
    downstream: Codes
    ns: Ints
    failed: Bools


def latency_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return the histograms of all units, as `model.LATENCY_FACTS`, sorted by key."""
    spans, found = derived.spans, units(derived)
    names = sorted(found)
    every = {
        item.name: np.concatenate([getattr(found[name], item.name) for name in names])
        for item in fields(Unit)
    }
    sizes = [found[name].row.size for name in names]
    number, distinct = numbered(
        {
            "cell": grid.of_trace[spans.trace[every["row"]]],
            "unit": np.repeat(np.arange(len(names), dtype=np.int32), sizes),
            "service": every["service"],
            "operation": every["operation"],
            "downstream": every["downstream"],
        }
    )
    bucket = pl.DataFrame({"ns": every["ns"]}).select(histogram.bucket(pl.col("ns"))).to_series()
    unit, *counted = _counted(
        number, distinct.height, bucket.to_numpy(), every["ns"], every["failed"]
    )
    texts = distinct.select(
        grid.decoded("cell"),
        pl.lit(pl.Series(names)).gather(pl.col("unit")).alias("unit"),
        *spans.vocabulary.decoded("service", "operation", "downstream"),
    )
    columns = dict(zip(("bucket", "count", "sum_ns", "errors"), counted, strict=True))
    return LATENCY_FACTS.conform(texts[unit].with_columns(pl.DataFrame(columns)))


@kernel
def _counted(
    number: Rows, units: int, bucket: Codes, ns: Ints, failed: Bools
) -> tuple[Rows, Codes, Ints, Ints, Ints]:
    """Count observations per unit and bucket, in the order of both.

    Brings observations of a unit together first, then counts them in a row of counters that is
    small enough to stay in the cache. Returns unit, bucket, count, sum and errors of each pair.
    """
    begin = np.zeros(units + 1, dtype=np.int64)
    lowest, highest = 1 << 20, -(1 << 20)
    for row in range(number.size):
        begin[number[row] + 1] += 1
        if bucket[row] != ZERO_BUCKET:
            lowest, highest = min(lowest, bucket[row]), max(highest, bucket[row])
    for unit in range(units):
        begin[unit + 1] += begin[unit]
    together = np.empty(number.size, dtype=np.int32)
    filled = begin[:-1].copy()
    for row in range(number.size):
        together[filled[number[row]]] = row
        filled[number[row]] += 1
    width = max(highest - lowest, 0) + 2  # the first is for zero
    counters = np.zeros((width, 3), dtype=np.int64)
    of = np.empty((number.size, 2), dtype=np.int32)
    found = np.empty((number.size, 3), dtype=np.int64)
    pairs = 0
    for unit in range(units):
        low, high = width, -1
        for at in range(begin[unit], begin[unit + 1]):
            row = together[at]
            slot = 0 if bucket[row] == ZERO_BUCKET else bucket[row] - lowest + 1
            low, high = min(low, slot), max(high, slot)
            counters[slot, 0] += 1
            counters[slot, 1] += ns[row]
            counters[slot, 2] += failed[row]
        for slot in range(low, high + 1):
            if counters[slot, 0] > 0:
                of[pairs, 0] = unit
                of[pairs, 1] = slot + lowest - 1 if slot > 0 else ZERO_BUCKET
                for sum_ in range(3):
                    found[pairs, sum_] = counters[slot, sum_]
                    counters[slot, sum_] = 0
                pairs += 1
    counts, sums, errors = found[:pairs, 0].copy(), found[:pairs, 1].copy(), found[:pairs, 2].copy()
    return of[:pairs, 0].copy(), of[:pairs, 1].copy(), counts, sums, errors


def units(derived: Derived) -> dict[str, Unit]:
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
        "wait": Unit(
            row=waits.row[late],
            service=waits.upstream[late],
            operation=waits.operation[late],
            downstream=spans.service[waits.row[late]],
            ns=waits.ns[late],
            failed=spans.failed[waits.row[late]],
        ),
    }


def _server(spans: Spans, tree: Tree, roles: Roles) -> Unit:
    """Durations of entries, by who called: nobody calls a root, an orphan or a consumer."""
    rows = np.flatnonzero(roles.entry & (spans.duration >= 0))
    client, parent = roles.client[rows], tree.parent[rows]
    caller = np.where(client >= 0, client, parent)
    called = (caller >= 0) & (spans.kind[rows] != Kind.CONSUMER)
    return Unit(
        row=rows,
        service=spans.service[rows],
        operation=spans.operation[rows],
        downstream=np.where(called, spans.service[caller], 0),
        ns=spans.duration[rows],
        failed=spans.failed[rows],
    )


def _self(spans: Spans, steps: Steps) -> Unit:
    at = np.flatnonzero(~steps.is_call & (spans.duration[steps.span] >= 0))
    rows = steps.span[at]
    return Unit(
        row=rows,
        service=spans.service[rows],
        operation=spans.operation[rows],
        downstream=np.zeros(rows.size, dtype=np.int32),
        ns=steps.self_ns[at],
        failed=spans.failed[rows],
    )


def _per_edge(calls: Observations, observed: Bools, ns: Ints) -> Unit:
    """What downstream saw; of a send it is the producer, upstream, that recorded the span."""
    return Unit(
        row=calls.row[observed],
        service=calls.upstream[observed],
        operation=calls.upstream_operation[observed],
        downstream=calls.downstream[observed],
        ns=ns[observed],
        failed=(calls.failed_downstream | (calls.failed_upstream & (calls.server < 0)))[observed],
    )
