"""WHATIF_FACTS: durations and failures of every operation, as recorded and with a change replayed.

Times are `retiming`'s. Failures are expected values: a call fails with the probability that the
change gives it, and a request that made it fails as often as requests of that operation did when a
call to that upstream failed (hardness, docs/methods.md#whatif).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.derive.arrays import Bools, Rows, kernel
from tracemap.derive.cells import trace_cells
from tracemap.derive.derived import Derived, derived
from tracemap.derive.grouping import grouped
from tracemap.derive.hashing import mixed
from tracemap.derive.observations import Observations
from tracemap.derive.retiming import NEVER, Changes, Retimed, retimed
from tracemap.derive.spans import spans
from tracemap.model import (
    HARDNESS_FACTS,
    WHATIF_FACTS,
    Cells,
    Change,
    TraceBucket,
    histogram,
)

Floats = NDArray[np.float64]
MEASURES = ("after", "before", "affected", "assumed")
_EDGE = ("downstream", "downstream_operation", "upstream")


def whatif_facts(
    bucket: TraceBucket, cells: Cells, change: Change, hardness: pl.DataFrame
) -> pl.DataFrame:
    """Return the durations of all operations before and after `change`, as `WHATIF_FACTS`.

    Additive over traces. ``before`` and ``after`` count every call of known duration; ``affected``
    those that differ, ``assumed`` those whose failure rests on no observation.

    Args:
        bucket: Whole traces.
        cells: Traces in none of its windows are left out.
        change: What to imagine.
        hardness: Columns ``downstream``, ``downstream_operation``, ``upstream``, ``hardness``;
            an edge that is missing counts as 1, which is assumed.
    """
    found = _found(bucket, cells)
    if found is None:
        return WHATIF_FACTS.empty()
    calls = _waited_calls(found)
    changes, hit = _changes(found, calls, change)
    new = retimed(found.spans, found.tree, found.steps.tiling, changes)
    failing = _failing(found, calls, hit, new, change, hardness)
    return _counted(found, new, failing)


def hardness_facts(bucket: TraceBucket, cells: Cells) -> pl.DataFrame:
    """Return how often requests failed with and without a failing call, as `HARDNESS_FACTS`."""
    found = _found(bucket, cells)
    if found is None:
        return HARDNESS_FACTS.empty()
    ours, calls = found.spans, _waited_calls(found)
    per_request = grouped(
        {"request": calls.request, "upstream": calls.seen.upstream},
        {"failed_calls": calls.failed},
    )
    request = per_request["request"].to_numpy()
    hit = per_request["failed_calls"].to_numpy() > 0
    failed = ours.failed[request]
    summed = grouped(
        {
            "downstream": ours.service[request],
            "downstream_operation": ours.operation[request],
            "upstream": per_request["upstream"].to_numpy(),
        },
        {
            "requests": ~hit,
            "requests_failed": ~hit & failed,
            "hit": hit,
            "hit_failed": hit & failed,
        },
    )
    return HARDNESS_FACTS.conform(summed.with_columns(ours.vocabulary.decoded(*_EDGE)))


def _found(bucket: TraceBucket, cells: Cells) -> Derived | None:
    ours = spans(bucket)
    ours = ours.of_traces(trace_cells(ours, cells).inside)
    return derived(ours, bucket) if len(ours) else None


class _Calls(NamedTuple):
    """Calls that somebody waits for.

    Attributes:
        seen: The calls.
        request: Row of the entry in which each was made.
        waiting: Row of the span that waits: the client's, else the server's.
        failed: Whether downstream saw it fail.
    """

    seen: Observations
    request: Rows
    waiting: Rows
    failed: Bools


def _waited_calls(found: Derived) -> _Calls:
    words, seen = found.spans.vocabulary.words, found.calls
    waited = (seen.connection_type != words["messaging"]) & (seen.connection_type != words["link"])
    parent = found.tree.parent[np.maximum(seen.server, 0)]
    caller = np.where(seen.client >= 0, seen.client, parent)
    seen = seen.where(waited & (caller >= 0))
    caller = caller[waited & (caller >= 0)]
    return _Calls(
        seen,
        found.roles.entry_above[caller],
        seen.row,
        np.where(seen.client >= 0, seen.failed_downstream, seen.failed_upstream),
    )


def _changes(found: Derived, calls: _Calls, change: Change) -> tuple[Changes, Bools]:
    """Return what changes of each span, and which calls go to the upstream that changes."""
    ours, roles = found.spans, found.roles
    service = ours.vocabulary.code(change.upstream)
    hit, own = calls.seen.upstream == service, ours.service == service
    if change.operation is not None:
        operation = ours.vocabulary.code(change.operation)
        hit = hit & (calls.seen.upstream_operation == operation)
        own = own & (ours.operation[roles.entry_above] == operation)
    silent = calls.waiting[hit & (calls.seen.server < 0)]
    waiting = calls.waiting[hit]
    scale = np.ones(len(ours))
    scale[own & ~roles.call] = change.scale
    scale[silent] = change.scale
    added = np.zeros(len(ours), dtype=np.int64)
    added[own & roles.entry] = change.add_ns
    added[silent] = change.add_ns
    limit = np.full(len(ours), NEVER, dtype=np.int64)
    limit[waiting] = NEVER if change.timeout_ns is None else change.timeout_ns
    skipped = np.zeros(len(ours), dtype=np.bool_)
    drawn = mixed(ours.span_id[waiting], ours.trace_low[waiting]) >> np.uint64(11)
    skipped[waiting] = drawn.astype(np.float64) / 2.0**53 < change.cache_share
    return Changes(scale, added, limit, skipped), hit


class _Failing(NamedTuple):
    """Chance that each span, which did not fail, fails now, and whether that is assumed."""

    chance: Floats
    assumed: Bools


def _failing(  # noqa: PLR0917
    found: Derived,
    calls: _Calls,
    hit: Bools,
    new: Retimed,
    change: Change,
    hardness: pl.DataFrame,
) -> _Failing:
    """Carry failures of the changed calls down to whoever waits for them."""
    ours = found.spans
    chance = np.where(hit & ~calls.failed, change.fail_share, 0.0)
    chance[hit & new.given_up[calls.waiting] & ~calls.failed] = 1.0
    sure = np.zeros(len(ours))
    if change.fail_share > 0:
        service = ours.vocabulary.code(change.upstream)
        own = found.roles.entry & (ours.service == service) & ~ours.failed
        if change.operation is not None:
            own &= ours.operation == ours.vocabulary.code(change.operation)
        sure[own] = change.fail_share
    if not chance.any() and not sure.any():
        return _Failing(sure, np.zeros(len(ours), dtype=np.bool_))
    edges = pl.DataFrame(
        {
            "downstream": ours.service[calls.request],
            "downstream_operation": ours.operation[calls.request],
            "upstream": calls.seen.upstream,
        }
    ).select(ours.vocabulary.decoded(*_EDGE))
    known = edges.join(hardness, on=_EDGE, how="left", maintain_order="left")["hardness"]
    place = np.empty(len(ours), dtype=np.int64)
    place[found.tree.order] = np.arange(len(ours))
    order = np.argsort(-place[calls.request], kind="stable")
    expected, assumed = _carried(
        order, (calls.request, calls.seen.server), chance, known.fill_null(1.0).to_numpy(),
        known.is_null().to_numpy(), sure,
    )  # fmt: skip
    return _Failing(np.where(ours.failed, 0.0, expected), assumed)


@kernel
def _carried(  # noqa: PLR0917
    order: Rows,
    rows: tuple[Rows, Rows],
    chance: Floats,
    hardness: Floats,
    unknown: Bools,
    sure: Floats,
) -> tuple[Floats, Bools]:
    """Go through calls, those made deepest in the trace first; return chance and doubt per span."""
    request, server = rows
    survives = 1.0 - sure
    assumed = np.zeros(sure.size, dtype=np.bool_)
    for call in order:
        fails, doubt = chance[call], unknown[call]
        if server[call] >= 0 and fails < 1.0:
            fails = max(fails, 1.0 - survives[server[call]])
            doubt = doubt or assumed[server[call]]
        if fails > 0.0:
            survives[request[call]] *= 1.0 - fails * hardness[call]
            assumed[request[call]] |= doubt
    return 1.0 - survives, assumed


def _counted(found: Derived, new: Retimed, failing: _Failing) -> pl.DataFrame:
    """Return the sums over entries of known duration."""
    ours = found.spans
    rows = np.flatnonzero(found.roles.entry & (ours.duration >= 0))
    before, after = ours.duration[rows], new.duration[rows]
    failed, chance = ours.failed[rows].astype(np.float64), failing.chance[rows]
    differs = (before != after) | (chance > 0)
    parts = {
        "before": (np.ones(rows.size, dtype=np.bool_), before, failed),
        "after": (np.ones(rows.size, dtype=np.bool_), after, failed + chance * (1 - failed)),
        "affected": (differs, after, failed),
        "assumed": (failing.assumed[rows] & (chance > 0), after, chance),
    }
    tables = []
    for measure, (kept, duration, errors) in parts.items():
        bucket = pl.DataFrame({"ns": duration[kept]}).select(histogram.bucket(pl.col("ns")))
        summed = grouped(
            {
                "service": ours.service[rows[kept]],
                "operation": ours.operation[rows[kept]],
                "bucket": bucket.to_series().to_numpy(),
            },
            {"sum_ns": duration[kept], "errors": errors[kept]},
        )
        tables.append(
            summed.with_columns(
                *ours.vocabulary.decoded("service", "operation"),
                measure=pl.lit(measure),
                count=pl.col("rows"),
            )
        )
    return WHATIF_FACTS.conform(pl.concat(tables))
