"""FACTS of whole traces: the one function that runs all of derive, and the one that adds up."""

from __future__ import annotations

import polars as pl

from tracemap.derive.cells import trace_cells
from tracemap.derive.derived import derived
from tracemap.derive.edges import edge_facts
from tracemap.derive.exemplars import exemplars, rechosen
from tracemap.derive.latency import latency_facts
from tracemap.derive.paths import path_facts, paths
from tracemap.derive.quality import quality_facts
from tracemap.derive.spans import spans
from tracemap.model import FACTS, Cells, Facts, TraceBucket


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
    found = derived(ours, bucket)
    return Facts(
        {
            "edge_facts": edge_facts(found, cell.latency),
            "latency_facts": latency_facts(found, cell.latency),
            "paths": paths(found),
            "path_facts": path_facts(found, cell.path),
            "quality_facts": quality_facts(found, cell.path),
            "exemplars": exemplars(found, cell.path),
        }
    )


def merge(facts: Facts) -> Facts:
    """Return `facts` with rows of equal keys summed: one row a key, sorted by key.

    Sums are exact but for ``calls_weighted``, whose order of adding decides the last bit; to make
    that independent of the order of the parts, rows are sorted before they are added. Exemplars
    are chosen again, see `tracemap.derive.exemplars.rechosen`.
    """
    merged = {name: _summed(name, facts[name]) for name in FACTS if name != "exemplars"}
    return Facts(merged | {"exemplars": rechosen(facts["exemplars"])})


def _summed(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    table = FACTS[name]
    if name == "paths":
        return rows.unique(table.key, keep="any").sort(table.key)
    sums = [_total(column, dtype) for column, dtype in table.schema.items()]
    kept = [total for total in sums if total.meta.output_name() not in table.key]
    return table.conform(rows.group_by(table.key).agg(kept)).sort(table.key)


def _total(column: str, dtype: pl.DataType) -> pl.Expr:
    if column == "first_ns":
        return pl.col(column).min()
    if column == "last_ns":
        return pl.col(column).max()
    if dtype.is_float():
        return pl.col(column).sort().sum()
    return pl.col(column).sum()
