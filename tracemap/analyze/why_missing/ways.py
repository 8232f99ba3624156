"""Ways of calls from one node of the graph to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import polars as pl

from tracemap.analyze.why_missing.pair import Pair, Reason
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


def other_ways(pair: Pair) -> Iterator[Reason]:
    """Return how else one reaches the other: a queue, other services, the other way round."""
    calls = pair.edge_facts.filter(pl.col("connection_type") != "link")
    graph = call_graph(calls)
    way = shortest_way(graph, pair.downstream, pair.upstream)
    if way and len(way) > 2:  # noqa: PLR2004 (more than the two ends)
        queues = set(calls.filter(pl.col("downstream_kind") == "queue")["downstream"])
        reason = "through_queue" if queues & set(way[1:-1]) else "through_service"
        least = min(graph[one][other] for one, other in pairwise(way))
        yield Reason(reason, least, f"The way is {' -> '.join(way)}, at least {least:,} calls.", [])
    yield from _reverse(
        pair, [] if way else shortest_way(graph, pair.upstream, pair.downstream), graph
    )
    elsewhen = calls.filter(
        (pl.col("downstream") == pair.downstream) & (pl.col("upstream") == pair.upstream)
    )
    if not elsewhen.is_empty():
        count = int(elsewhen["calls"].sum())
        text = (
            f"The edge is there outside the window: {count:,} calls. Ask without --from and --to."
        )
        yield Reason("other_window", count, text, [])


def _reverse(
    pair: Pair, way: list[str], graph: Mapping[str, Mapping[str, int]]
) -> Iterator[Reason]:
    """Return that upstream calls downstream, directly or by `way`."""
    reverse = pair.count("reverse")
    arrow = f"{pair.upstream} -> {pair.downstream}"
    text = ""
    if reverse:
        text = f"The edge is the other way round: {arrow}, {reverse:,} calls."
    elif way:
        reverse = min(graph[one][other] for one, other in pairwise(way))
        through = ", ".join(way[1:-1])
        text = f"{arrow} is the way of the calls" + (f", through {through}" if through else "")
        text += f", at least {reverse:,} calls: asked the other way round."
    if text:
        text += " downstream is who waits, upstream who provides."
        yield Reason("reverse_edge", reverse, text, pair.exemplars("reverse"))
