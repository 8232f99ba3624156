"""Where the nodes of the graph stand: layers from downstream (left) to upstream (right)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import igraph

from tracemap.model import USER
from tracemap.report.rows import Row

SYMBOLS = {
    "service": "circle",
    "database": "square",
    "queue": "diamond",
    "external": "hexagon",
    "user": "triangle-right",
    "unknown": "x",
}
"""Shapes by kind of node."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Link:
    """All edges between two nodes as one line."""

    downstream: str
    upstream: str
    calls: int
    p95_ms: float | None
    errors: int


def links_of(edges: Sequence[Row]) -> list[Link]:
    """Return one link per pair of nodes: calls and errors added, the larger p95."""
    made: dict[tuple[str, str], Link] = {}
    for row in edges:
        key = (row["downstream"], row["upstream"])
        old = made.get(key)
        p95 = row["p95_ms"]
        if old is not None:
            p95 = max((value for value in (old.p95_ms, p95) if value is not None), default=None)
        made[key] = Link(
            *key,
            row["calls"] + (old.calls if old else 0),
            p95,
            max(row["errors_downstream"] or 0, row["errors_upstream"] or 0)
            + (old.errors if old else 0),
        )
    return [made[key] for key in sorted(made)]


def kinds_of(edges: Sequence[Row]) -> dict[str, str]:
    """Return the kind of each node by its name; a kind without a shape is unknown."""
    kinds = {row["upstream"]: row["upstream_kind"] or "service" for row in edges}
    for row in edges:
        is_user = row["downstream"] == USER
        kinds[row["downstream"]] = "user" if is_user else kinds.get(row["downstream"], "service")
    return {name: kind if kind in SYMBOLS else "unknown" for name, kind in kinds.items()}


def places_of(
    names: Sequence[str], links: Sequence[Link]
) -> tuple[dict[str, Point], list[list[Point]]]:
    """Return a place for each node, and for each link the points its line bends at.

    Links over several layers get vertices of their own in each layer between, so that lines keep
    clear of nodes. igraph can do both by itself, but its version 1.0 reads memory it does not own
    when it does (wrong points, at times a crash); given layers and short links it is sound.
    """
    number = {name: index for index, name in enumerate(names)}
    ends = [(number[link.downstream], number[link.upstream]) for link in links]
    layers = _layers(len(names), ends)
    pieces: list[tuple[int, int]] = []
    between: list[list[int]] = []
    for start, end in ends:
        low, high = (start, end) if layers[start] <= layers[end] else (end, start)
        steps = range(layers[low] + 1, layers[high])
        added = [len(layers) + step for step in range(len(steps))]
        layers += steps
        way = [low, *added, high]
        pieces += [pair for pair in pairwise(way) if layers[pair[0]] != layers[pair[1]]]
        between.append(added if low == start else added[::-1])
    graph = igraph.Graph(n=len(layers), edges=pieces, directed=True)
    second = graph.layout_sugiyama(layers=layers, maxiter=200)
    points = [
        (float(second[vertex][1]), -float(second[vertex][0])) for vertex in range(len(layers))
    ]
    return (
        {name: points[index] for name, index in number.items()},
        [[points[vertex] for vertex in added] for added in between],
    )


def _layers(nodes: int, ends: Sequence[tuple[int, int]]) -> list[int]:
    """Return each node's layer: the longest way to it, links that close a circle left out."""
    others = [(start, end) for start, end in ends if start != end]
    graph = igraph.Graph(n=nodes, edges=others, directed=True)
    graph.delete_edges(graph.feedback_arc_set(method="eades"))
    layers = [0] * nodes
    for node in graph.topological_sorting():
        for upstream in graph.successors(node):
            layers[upstream] = max(layers[upstream], layers[node] + 1)
    return layers
