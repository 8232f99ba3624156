"""REQUEST_FACTS: durations of root operations, by the set of calls that their requests made."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Ids, Rows, kernel
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.grouping import grouped
from tracemap.derive.hashing import mix
from tracemap.derive.paths import halves, hash_buckets
from tracemap.model import REQUEST_FACTS, histogram


def request_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return the sums of each class of root requests, as `model.REQUEST_FACTS`, sorted by key.

    A class is the set of distinct calls that the root itself made: which kind of request it was,
    as far as spans tell. An unknown duration counts as 0 ns.
    """
    spans, steps = derived.spans, derived.steps
    roots = np.flatnonzero(steps.parent < 0)
    row = steps.span[roots]
    own_ns = steps.self_ns[roots]
    bucket = pl.DataFrame({"ns": own_ns}).select(histogram.bucket(pl.col("ns"))).to_series()
    own = np.maximum(bucket.to_numpy().astype(np.int64), 0)
    summed = grouped(
        {
            "cell": grid.of_trace[spans.trace[row]],
            "hash_bucket": hash_buckets(spans)[spans.trace[row]],
            "service": spans.service[row],
            "operation": spans.operation[row],
            **halves(_classes(steps.parent, steps.first, steps.path)[roots]),
        },
        {
            "errors": spans.failed[row],
            "duration_ns": np.maximum(spans.duration[row], 0),
            "self_ns": own_ns,
            "self_buckets": own,
            "self_squares": own**2,
        },
    )
    class_id = summed.select("low", "high").to_numpy().copy().view(np.uint64).ravel()
    found = summed.with_columns(
        grid.decoded("cell"),
        *spans.vocabulary.decoded("service", "operation"),
        class_id=pl.Series(class_id),
        requests=pl.col("rows"),
    )
    return REQUEST_FACTS.conform(found).sort(REQUEST_FACTS.key)


@kernel
def _classes(parent: Rows, first: Rows, path: Ids) -> Ids:
    """Return for each root a hash of the distinct calls made in it, in whatever order."""
    classes = np.zeros(parent.size, dtype=np.uint64)
    for step in range(parent.size):
        above = parent[step]
        if above >= 0 and parent[above] < 0 and first[step] == step:
            classes[above] += mix(path[step], np.uint64(1))
    return classes
