"""FACTS of whole traces: the one function that runs all of derive."""

from __future__ import annotations

from tracemap.derive.cells import trace_cells
from tracemap.derive.derived import derived
from tracemap.derive.edges import edge_facts
from tracemap.derive.exemplars import exemplars
from tracemap.derive.latency import latency_facts
from tracemap.derive.parallel import parallel_facts
from tracemap.derive.paths import path_facts, paths
from tracemap.derive.patterns import patterns
from tracemap.derive.quality import quality_facts
from tracemap.derive.reach import reach_facts
from tracemap.derive.requests import request_facts
from tracemap.derive.skew import skew_facts
from tracemap.derive.slack import slack_facts
from tracemap.derive.spans import spans
from tracemap.derive.versions import version_facts
from tracemap.model import Cells, Facts, TraceBucket


def facts(bucket: TraceBucket, cells: Cells) -> Facts:
    """Return the facts of the traces in `bucket`.

    Facts of disjoint traces add up: `merge` of the facts of two halves gives the facts of the
    whole, given the same ``resources`` (they say which peers are services of the export). The
    order of rows does not matter, nor a constant error of one host's clock, except where times of
    several hosts are compared by nature: unit ``wait``, ``first_ns``, ``last_ns``, ``skew_facts``
    and the reasons ``clock_skew``, ``wait_negative`` and ``trace_id_reuse``.

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
    found = derived(ours, bucket, collapse_proxies=cells.collapse_proxies)
    pattern_facts, pattern_exemplars = patterns(found, cell.path)
    return Facts(
        {
            "edge_facts": edge_facts(found, cell.latency),
            "latency_facts": latency_facts(found, cell.latency),
            "paths": paths(found),
            "path_facts": path_facts(found, cell.path),
            "pattern_facts": pattern_facts,
            "pattern_exemplars": pattern_exemplars,
            "request_facts": request_facts(found, cell.path),
            "quality_facts": quality_facts(found, cell.path),
            "reach_facts": reach_facts(found, cell.path),
            "parallel_facts": parallel_facts(found, cell.path),
            "slack_facts": slack_facts(found, cell.path),
            "version_facts": version_facts(ours, cell.path),
            "skew_facts": skew_facts(found, cell.path),
            "exemplars": exemplars(found, cell.path),
        }
    )
