"""Ways of calls from one node of the graph to another."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tracemap.model import UNKNOWN, USER

_LONGEST_WAY = 6
"""Calls of the longest way through other services that is looked for."""


def call_graph(calls: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Return the calls from each downstream to each upstream, of rows of `model.EDGE_FACTS`."""
    summed = calls.group_by("downstream", "upstream").agg(pl.col("calls").sum())
    graph: dict[str, dict[str, int]] = {}
    for downstream, upstream, count in summed.sort("downstream", "upstream").iter_rows():
        graph.setdefault(downstream, {})[upstream] = count
    return graph


def shortest_way(graph: Mapping[str, Mapping[str, int]], start: str, end: str) -> list[str]:
    """Return the nodes of a shortest way of calls; of several, the first by name."""
    ways = [[start]]
    seen = {start, USER, UNKNOWN}
    for _ in range(_LONGEST_WAY):
        longer = []
        for way in ways:
            for node in graph.get(way[-1], {}):
                if node == end:
                    return [*way, node]
                if node not in seen:
                    seen.add(node)
                    longer.append([*way, node])
        ways = longer
    return []
