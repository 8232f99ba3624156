"""REACH_FACTS: which nodes each request reached, waited for, and saw fail."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Rows, kernel
from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.grouping import grouped
from tracemap.derive.steps import root_of_each
from tracemap.model import REACH_FACTS


def reach_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return how many requests of each root operation reached each node, as `REACH_FACTS`.

    A request is a root entry with all that hangs below it; orphans are none. Nodes are services
    with an entry below the root, and whom calls name. A failure began at a step that failed with no
    failed step below it. The row of node ``''`` counts all requests of the root: ``hit`` are those
    in which a failure began anywhere below it.
    """
    spans, steps, upstreams = derived.spans, derived.steps, derived.upstreams
    failed = spans.failed[steps.span]
    root, began = root_of_each(steps.parent), failed & ~_failed_below(steps.parent, failed)
    is_root = derived.roots[steps.span] & (steps.parent < 0)
    began[is_root] = False
    row, service = steps.span, spans.vocabulary.words["service"]
    node = np.where(steps.is_call, upstreams.name[row], spans.service[row])
    kind = np.where(steps.is_call, upstreams.kind[row], service)
    inside = np.flatnonzero(is_root[root])
    below = inside[~is_root[inside]]
    listed, anybody = np.concatenate([inside, below]), np.zeros(inside.size, dtype=np.int32)
    per_request = grouped(
        {
            "root": root[listed],
            "upstream": np.concatenate([anybody, node[below]]),
            "upstream_kind": np.concatenate([anybody, kind[below]]),
        },
        {"waiting": steps.critical_ns[listed] > 0, "hit": began[listed]},
    )
    request = steps.span[per_request["root"].to_numpy()]
    root_failed, hit = spans.failed[request], per_request["hit"].to_numpy() > 0
    summed = grouped(
        {
            "cell": grid.of_trace[spans.trace[request]],
            "root_service": spans.service[request],
            "root_operation": spans.operation[request],
            "upstream": per_request["upstream"].to_numpy(),
            "upstream_kind": per_request["upstream_kind"].to_numpy(),
        },
        {
            "waiting": per_request["waiting"].to_numpy() > 0,
            "hit": hit,
            "hit_failed": hit & root_failed,
            "missed_failed": ~hit & root_failed,
        },
    )
    texts = spans.vocabulary.decoded("root_service", "root_operation", "upstream", "upstream_kind")
    found = summed.with_columns(grid.decoded("cell"), *texts, requests=pl.col("rows"))
    return REACH_FACTS.conform(found).sort(REACH_FACTS.key)


@kernel
def _failed_below(parent: Rows, failed: Bools) -> Bools:
    """Return which steps have a failed step right below them."""
    below = np.zeros(parent.size, dtype=np.bool_)
    for step in range(parent.size):
        if parent[step] >= 0 and failed[step]:
            below[parent[step]] = True
    return below
