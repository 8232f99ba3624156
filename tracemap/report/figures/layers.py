"""Where the nodes of the graph stand: layers from downstream (left) to upstream (right)."""

from __future__ import annotations

import math
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
    "faas": "pentagon",
    "genai": "star",
    "user": "triangle-right",
    "unknown": "x",
}
"""Shapes by kind of node."""
_WIDTHS = (1.2, 2.4, 4.0, 6.0)
_ENDS = ("downstream", "upstream")
Point = tuple[float, float]


@dataclass(frozen=True)
class Link:
    """All edges between two nodes as one line."""

    downstream: str
    upstream: str
    calls: int
    p95_ms: float | None
    errors: int
    before_ms: float | None = None
    during_ms: float | None = None

    @property
    def change_ratio(self) -> float | None:
        """p95 in the incident by that in the baseline; None: not compared."""
        if not self.before_ms or self.during_ms is None:
            return None
        return self.during_ms / self.before_ms


def links_of(edges: Sequence[Row]) -> list[Link]:
    """Return one link per pair of nodes: calls and errors added, the larger p95 and change."""
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in edges:
        grouped.setdefault((row["downstream"], row["upstream"]), []).append(row)
    return [_link(key, grouped[key]) for key in sorted(grouped)]


def _link(ends: tuple[str, str], edges: Sequence[Row]) -> Link:
    known = [row["p95_ms"] for row in edges if row["p95_ms"] is not None]
    compared = [
        (row["baseline_p95_ms"], row["incident_p95_ms"])
        for row in edges
        if row.get("baseline_p95_ms") and row.get("incident_p95_ms") is not None
    ]
    before, during = max(compared, key=lambda pair: pair[1] / pair[0], default=(None, None))
    errors = (max(row["errors_downstream"] or 0, row["errors_upstream"] or 0) for row in edges)
    calls = sum(row["calls"] for row in edges)
    return Link(*ends, calls, max(known, default=None), sum(errors), before, during)


def width_of(link: Link, most: int) -> float:
    """Return the width of a link in pixels, by its calls as a share of the most."""
    share = math.sqrt(link.calls / most) if most else 0.0
    return _WIDTHS[min(len(_WIDTHS) - 1, int(share * len(_WIDTHS)))]


def kinds_of(edges: Sequence[Row]) -> dict[str, str]:
    """Return the kind of each node by its name; a kind without a shape is unknown."""
    kinds = {row["upstream"]: row["upstream_kind"] or "service" for row in edges}
    for row in edges:
        is_user = row["downstream"] == USER
        kinds[row["downstream"]] = "user" if is_user else kinds.get(row["downstream"], "service")
    return {name: kind if kind in SYMBOLS else "unknown" for name, kind in kinds.items()}


def owners_of(edges: Sequence[Row]) -> dict[str, str]:
    """Return the owner of each node that has one, by its name."""
    ends = ((row[end], row.get(f"{end}_owner")) for row in edges for end in _ENDS)
    return {name: owner for name, owner in ends if owner}


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
