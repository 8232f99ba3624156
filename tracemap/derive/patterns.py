"""PATTERN_FACTS and PATTERN_EXEMPLARS: how calls follow each other, end and are cut short.

Only what happened is counted here. What it means (a retry, a breaker, a loop) is decided by
analyze, from the sums over many requests.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Ids, Ints, Rows, kernel
from tracemap.derive.call_events import SITE, call_events
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.events import NAMES, Events, together
from tracemap.derive.grouping import numbered
from tracemap.model import PATTERN_EXEMPLARS, PATTERN_FACTS

KEPT = 3
"""Calls kept per cell, edge, pattern and edge called after it."""
DELAY_UNIT_NS = 100_000
"""Squares are of multiples of this: so their sums fit 64 bits."""

_EXAMPLES_OF = [name for name in PATTERN_FACTS.key if name != "part"]
_TRACE = ("trace_high", "trace_low")


def patterns(derived: Derived, grid: Grid) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `model.PATTERN_FACTS`, sorted by key, and `model.PATTERN_EXEMPLARS`."""
    parts, sites = call_events(derived)
    happened = together(parts)
    if happened.row.size == 0:
        return PATTERN_FACTS.empty(), PATTERN_EXEMPLARS.empty()
    number, distinct = numbered(
        {
            "cell": grid.of_trace[derived.spans.trace[happened.row]],
            "pattern": happened.pattern,
            "site": happened.site,
            "other": happened.other,
            "part": happened.part,
        }
    )
    keys = distinct.select(
        grid.decoded("cell"),
        pl.lit(pl.Series(NAMES)).gather(pl.col("pattern")).alias("pattern"),
        "part",
        *_named(derived, sites),
    )
    sums = _sums(
        number, happened.time_ns, happened.extra_ns, happened.delay_ns // DELAY_UNIT_NS,
        distinct.height,
    )  # fmt: skip
    columns = dict(zip(("count", "time_ns", "extra_ns", "squares"), sums, strict=True))
    facts = PATTERN_FACTS.conform(keys.with_columns(pl.DataFrame(columns)))
    return facts.sort(PATTERN_FACTS.key), _exemplars(derived, happened, number, keys)


def _named(derived: Derived, sites: pl.DataFrame) -> list[pl.Expr]:
    """Return the names of the edges behind ``site`` and ``other``."""
    named = sites.with_columns(derived.spans.vocabulary.decoded(*SITE))
    columns = [pl.lit(named[name]).gather(pl.col("site")).alias(name) for name in SITE]
    has_other = pl.col("other") >= 0
    for name, source in (("other", "upstream"), ("other_operation", "upstream_operation")):
        text = pl.lit(named[source]).gather(pl.col("other").clip(lower_bound=0))
        columns.append(pl.when(has_other).then(text).otherwise(pl.lit("")).alias(name))
    return columns


@kernel
def _sums(number: Rows, time: Ints, extra: Ints, delay: Ints, groups: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
    count = np.zeros(groups, dtype=np.int64)
    time_ns = np.zeros(groups, dtype=np.int64)
    extra_ns = np.zeros(groups, dtype=np.int64)
    squares = np.zeros(groups, dtype=np.int64)
    for at in range(number.size):
        group = number[at]
        count[group] += 1
        time_ns[group] += time[at]
        extra_ns[group] += extra[at]
        squares[group] += delay[at] * delay[at]
    return count, time_ns, extra_ns, squares


def _exemplars(
    derived: Derived, happened: Events, number: Rows, keys: pl.DataFrame
) -> pl.DataFrame:
    """Return the events of the largest size of each pattern, whatever their part."""
    spans = derived.spans
    of = keys.select(pl.struct(_EXAMPLES_OF).rank("dense")).to_series().to_numpy() - 1
    of = of.astype(np.int32)
    best = _largest(of[number], happened.size_ns, happened.row, int(of.max()) + 1, KEPT)
    chosen = best[best >= 0]
    row, other = happened.row[chosen], happened.other_row[chosen]
    ids: Ids = np.where(other >= 0, spans.span_id[other], np.uint64(0))
    rows = keys[number[chosen]].with_columns(
        trace_high=pl.Series(spans.trace_high[row]),
        trace_low=pl.Series(spans.trace_low[row]),
        span_id=pl.Series(spans.span_id[row]),
        other_span_id=pl.Series(ids),
        size_ns=pl.Series(happened.size_ns[chosen]),
        order=pl.Series(row),
    )
    return _ranked(rows)


@kernel
def _largest(of: Rows, size: Ints, row: Rows, groups: int, kept: int) -> Rows:
    """Return for each group the places of its largest events, equal ones by row; -1: no more."""
    best = np.full(groups * kept, -1, dtype=np.int32)
    for at in range(of.size):
        if size[at] < 0:
            continue
        low = of[at] * kept
        place = low + kept
        while place > low:
            other = best[place - 1]
            if other >= 0 and (
                size[other] > size[at] or (size[other] == size[at] and row[other] <= row[at])
            ):
                break
            if place < low + kept:
                best[place] = other
            place -= 1
        if place < low + kept:
            best[place] = at
    return best


def rechosen_patterns(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the largest of `rows` (as `model.PATTERN_EXEMPLARS`, of several buckets)."""
    return _ranked(rows.with_columns(order=pl.col("rank")))


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first of each key by size, then trace, then ``order`` within it."""
    ordered = rows.drop("rank", strict=False).sort(
        "size_ns", *_TRACE, "order", descending=[True, False, False, False]
    )
    kept = ordered.group_by(_EXAMPLES_OF, maintain_order=True).head(KEPT)
    ranked = kept.with_columns(rank=pl.int_range(1, pl.len() + 1).over(_EXAMPLES_OF))
    return PATTERN_EXEMPLARS.conform(ranked).sort(*_EXAMPLES_OF, "rank")
