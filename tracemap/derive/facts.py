"""FACTS of whole traces: the one function that runs all of derive, and the one that adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.derive.calls import calls
from tracemap.derive.cells import trace_cells
from tracemap.derive.edges import edge_facts
from tracemap.derive.exemplars import exemplars, rechosen
from tracemap.derive.latency import latency_facts
from tracemap.derive.links import links
from tracemap.derive.messaging import messages
from tracemap.derive.paths import path_facts, paths
from tracemap.derive.quality import quality_facts
from tracemap.derive.roles import roles
from tracemap.derive.spans import spans
from tracemap.derive.steps import steps
from tracemap.derive.tree import path_roots, tree
from tracemap.derive.upstreams import upstreams
from tracemap.model import FACTS, Facts

if TYPE_CHECKING:
    from tracemap.model import Cells, TraceBucket

_SMALLEST, _LARGEST = ("first_ns",), ("last_ns",)


def facts(bucket: TraceBucket, cells: Cells) -> Facts:
    """Return the facts of the traces in `bucket`.

    Facts of disjoint traces add up: `merge` of the facts of two halves gives the facts of the
    whole, given the same ``resources`` (they say which peers are services of the export). The
    order of rows does not matter, nor a constant error of one host's clock, except where times of
    several hosts are compared by nature: unit ``wait``, ``first_ns``, ``last_ns`` and the reasons
    ``clock_skew`` and ``wait_negative``.

    Args:
        bucket: Whole traces, duplicates removed.
        cells: Which cells of time to sum over. Edges and latencies go by ``latency_ns``, the other
            tables by ``path_ns``. Traces in none of the named windows make no facts.

    Returns:
        All tables of `model.FACTS`, each sorted by its key.
    """
    ours = spans(bucket)
    cell = trace_cells(ours, cells)
    if not cell.inside.all():
        ours = ours.of_traces(cell.inside)
        cell = trace_cells(ours, cells)
    if len(ours) == 0:
        return Facts()
    family = tree(ours)
    played = roles(ours, family)
    reached = upstreams(ours, played)
    roots = path_roots(ours, family)
    walked = steps(ours, family, played, reached.name, reached.kind, roots)
    sent = messages(ours, family, played, reached, links(ours, bucket))
    observed = pl.concat([*calls(ours, family, played, reached), *sent.observations])
    return _sorted(
        {
            "edge_facts": edge_facts(observed, cell.latency, ours.vocabulary),
            "latency_facts": latency_facts(
                ours, family, played, walked, observed, sent.waits, cell.latency
            ),
            "paths": paths(ours, walked, reached),
            "path_facts": path_facts(ours, played, walked, cell.path),
            "quality_facts": quality_facts(ours, family, played, walked, sent, observed, cell.path),
            "exemplars": exemplars(ours, roots, cell.path),
        }
    )


def merge(facts: Facts) -> Facts:
    """Return `facts` with rows of equal keys summed: one row a key, sorted by key.

    Sums are exact but for ``calls_weighted``, whose order of adding decides the last bit; to make
    that independent of the order of the parts, rows are sorted before they are added. Exemplars
    are chosen again, see `tracemap.derive.exemplars.rechosen`.
    """
    merged = {name: _summed(name, facts[name]) for name in FACTS if name != "exemplars"}
    return _sorted(merged | {"exemplars": rechosen(facts["exemplars"])})


def _summed(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    table = FACTS[name]
    if name == "paths":
        return rows.unique(table.key, keep="any")
    columns = [column for column in rows.columns if column not in table.key]
    floats = [column for column in columns if rows.schema[column].is_float()]
    sums = [
        pl.col(column).min()
        if column in _SMALLEST
        else pl.col(column).max()
        if column in _LARGEST
        else pl.col(column).sort().sum()
        if column in floats
        else pl.col(column).sum()
        for column in columns
    ]
    return table.conform(rows.group_by(table.key).agg(sums))


def _sorted(tables: dict[str, pl.DataFrame]) -> Facts:
    chosen = ("window_start_ns", "service", "operation", "role", "rank")
    return Facts({name: tables[name].sort(FACTS[name].key or chosen) for name in FACTS})
