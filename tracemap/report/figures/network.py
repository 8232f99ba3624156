"""The graph, layered from downstream (left) to upstream (right): Sugiyama's layout by igraph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import igraph

from tracemap.model import USER
from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.style import GRID, INK, SURFACE, bare, layout, text
from tracemap.report.names import LABEL_LENGTH, shown
from tracemap.report.rows import Row
from tracemap.report.words import counted, in_ms

_COLOURS = 4
_WIDTHS = (1.2, 2.4, 4.0, 6.0)
_SYMBOLS = {
    "service": "circle",
    "database": "square",
    "queue": "diamond",
    "external": "hexagon",
    "user": "triangle-right",
    "unknown": "x",
}
_LAYER_PX, _ROW_PX, _FRAME_PX = 150, 58, 110
Point = tuple[float, float]


@dataclass(frozen=True)
class Link:
    """All edges between two nodes as one line."""

    downstream: str
    upstream: str
    calls: int
    p95_ms: float | None
    errors: int


def network(
    id_: str,
    title: str,
    edges: Sequence[Row],
    *,
    roles: Mapping[str, str] | None = None,
    table: TableBlock | None = None,
) -> FigureBlock:
    """Return the graph of `edges` (rows of the finding) as a figure.

    Width says how many calls, colour the p95 of what downstream waited, shape what the node is.

    Args:
        id_: Id of the element.
        title: Its title.
        edges: Rows of the finding ``edges``; at least one.
        roles: Nodes to point out: origin or victim.
        table: The numbers behind it.
    """
    links, kinds = _links(edges), _kinds(edges)
    names = sorted(kinds)
    points, bends = _places(names, links)
    limits = _limits(links)
    layers = round(max(x for x, _ in points.values())) + 1
    height = max(y for _, y in points.values()) - min(y for _, y in points.values())
    data = _lines(links, points, bends, limits)
    data.append(_hover(links, points, bends))
    data += _nodes(names, kinds, points, roles or {})
    made = layout(
        xaxis=bare(range=[-0.45, layers - 0.55]),
        yaxis=bare(range=[*_margin(points)]),
        hovermode="closest",
        showlegend=True,
        legend={
            "orientation": "h", "x": 0, "y": 0, "yanchor": "top", "xanchor": "left",
            "font": {"size": 11}, "itemclick": False, "itemdoubleclick": False,
            "bgcolor": "rgba(0,0,0,0)",
        },
        margin={"l": 8, "r": 8, "t": 8, "b": 72},
    )  # fmt: skip
    return FigureBlock(
        id_, title, _words(links, names), {"data": data, "layout": made},
        height_px=int(_FRAME_PX + _ROW_PX * max(2.0, height + 1)),
        min_width_px=min(1400, max(320, _LAYER_PX * layers)), table=table,
    )  # fmt: skip


def _links(edges: Sequence[Row]) -> list[Link]:
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


def _kinds(edges: Sequence[Row]) -> dict[str, str]:
    kinds = {row["upstream"]: row["upstream_kind"] or "service" for row in edges}
    for row in edges:
        is_user = row["downstream"] == USER
        kinds[row["downstream"]] = "user" if is_user else kinds.get(row["downstream"], "service")
    return kinds


def _places(
    names: Sequence[str], links: Sequence[Link]
) -> tuple[dict[str, Point], list[list[Point]]]:
    """Return a place for each node, and for each link the points its line bends at.

    Links over several layers get vertices of their own in each layer between, so that lines keep
    clear of nodes. (igraph offers such points itself, but in version 1.0 they are not reliable.)
    """
    number = {name: index for index, name in enumerate(names)}
    ends = [(number[link.downstream], number[link.upstream]) for link in links]
    first = igraph.Graph(n=len(names), edges=ends, directed=True).layout_sugiyama()
    layers = [round(first[index][1]) for index in range(len(names))]
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


def _limits(links: Sequence[Link]) -> list[float]:
    """Return the upper limits of the colours, equal steps on a logarithmic scale."""
    values = [max(link.p95_ms, 1e-3) for link in links if link.p95_ms is not None]
    if not values:
        return [1.0] * _COLOURS
    low, high = math.log(min(values)), math.log(max(values))
    return [math.exp(low + (high - low) * (step + 1) / _COLOURS) for step in range(_COLOURS)]


def _colour(link: Link, limits: Sequence[float]) -> int:
    if link.p95_ms is None:
        return -1
    within = (step for step, limit in enumerate(limits) if link.p95_ms <= limit * 1.000001)
    return next(within, _COLOURS - 1)


def _width(link: Link, most: int) -> float:
    share = math.log1p(link.calls) / math.log1p(most) if most else 0.0
    return _WIDTHS[min(len(_WIDTHS) - 1, int(share * len(_WIDTHS)))]


def _route(link: Link, points: Mapping[str, Point], bends: Sequence[Point]) -> list[Point]:
    """Return the points of a link's line; a call of a node to itself becomes a small loop."""
    start, end = points[link.downstream], points[link.upstream]
    if link.downstream == link.upstream:
        x, y = start
        return [start, (x - 0.12, y + 0.35), (x + 0.12, y + 0.35), end]
    return [start, *bends, end]


def _lines(
    links: Sequence[Link],
    points: Mapping[str, Point],
    bends: Sequence[Sequence[Point]],
    limits: Sequence[float],
) -> list[dict[str, Any]]:
    """Return one trace per colour and width: a trace per link would draw far slower."""
    most = max(link.calls for link in links)
    grouped: dict[tuple[int, float], list[list[Point]]] = {}
    for link, bend in zip(links, bends, strict=True):
        key = (_colour(link, limits), _width(link, most))
        grouped.setdefault(key, []).append(_route(link, points, bend))
    named: set[int] = set()
    traces = []
    for (colour, width), routes in sorted(grouped.items()):
        traces.append(_line(colour, width, routes, limits, is_first=colour not in named))
        named.add(colour)
    return traces


def _line(
    colour: int,
    width: float,
    routes: Sequence[Sequence[Point]],
    limits: Sequence[float],
    *,
    is_first: bool,
) -> dict[str, Any]:
    paint = GRID if colour < 0 else f"var(--step-{colour})"
    name = "p95 unknown" if colour < 0 else f"p95 up to {in_ms(limits[colour] * 1e6)}"
    xs: list[float | None] = []
    ys: list[float | None] = []
    sizes: list[float] = []
    for route in routes:
        xs += [*(x for x, _ in route), None]
        ys += [*(y for _, y in route), None]
        sizes += [*[0.0] * (len(route) - 1), 9.0 + width, 0.0]
    return {
        "type": "scatter", "x": xs, "y": ys, "mode": "lines+markers", "hoverinfo": "skip",
        "line": {"color": paint, "width": width, "shape": "spline", "smoothing": 0.7},
        "marker": {
            "symbol": "arrow", "angleref": "previous", "size": sizes, "standoff": 8,
            "color": paint, "opacity": 1, "line": {"width": 0},
        },
        "name": name, "legendgroup": f"p95-{colour}", "showlegend": is_first,
    }  # fmt: skip


def _hover(
    links: Sequence[Link], points: Mapping[str, Point], bends: Sequence[Sequence[Point]]
) -> dict[str, Any]:
    """Return unseen points in the middle of the lines that say the numbers of a link."""
    middle: list[Point] = []
    words: list[str] = []
    for link, bend in zip(links, bends, strict=True):
        route = _route(link, points, bend)
        if len(route) > 2:  # noqa: PLR2004
            middle.append(route[len(route) // 2])
        else:
            (x0, y0), (x1, y1) = route
            middle.append(((x0 + x1) / 2, (y0 + y1) / 2))
        p95 = "unknown" if link.p95_ms is None else in_ms(link.p95_ms * 1e6)
        ends = f"{text(shown(link.downstream, 60))} → {text(shown(link.upstream, 60))}"
        words.append(
            f"{ends}<br>{counted(link.calls, 'call')}, p95 {p95}, {counted(link.errors, 'error')}"
        )
    return {
        "type": "scatter", "x": [x for x, _ in middle], "y": [y for _, y in middle],
        "mode": "markers", "marker": {"size": 16, "opacity": 0, "color": INK},
        "text": words, "hovertemplate": "%{text}<extra></extra>", "showlegend": False,
    }  # fmt: skip


def _nodes(
    names: Sequence[str],
    kinds: Mapping[str, str],
    points: Mapping[str, Point],
    roles: Mapping[str, str],
) -> list[dict[str, Any]]:
    traces = []
    for kind in [kind for kind in _SYMBOLS if kind in set(kinds.values())]:
        mine = [name for name in names if kinds[name] == kind]
        paints = [f"var(--{roles[name]})" if name in roles else "var(--node)" for name in mine]
        traces.append(
            {
                "type": "scatter",
                "x": [points[name][0] for name in mine],
                "y": [points[name][1] for name in mine],
                "mode": "markers+text",
                "marker": {
                    "symbol": _SYMBOLS[kind], "size": 17, "color": paints, "opacity": 1,
                    "line": {"color": SURFACE, "width": 2},
                },
                "text": [text(shown(name, LABEL_LENGTH)) for name in mine],
                "textposition": "bottom center",
                "textfont": {"size": 12, "color": INK},
                "customdata": [text(shown(name, 60)) for name in mine],
                "hovertemplate": f"%{{customdata}}<br>{kind}<extra></extra>",
                "name": kind,
            }
        )  # fmt: skip
    return traces


def _margin(points: Mapping[str, Point]) -> Point:
    low, high = min(y for _, y in points.values()), max(y for _, y in points.values())
    return low - 0.8, high + 0.6


def _words(links: Sequence[Link], names: Sequence[str]) -> str:
    busiest = max(links, key=lambda link: (link.calls, link.downstream, link.upstream))
    known = [link for link in links if link.p95_ms is not None]
    words = (
        f"{counted(len(names), 'node')} and {counted(len(links), 'edge')}, downstream on the left. "
        f"Most calls: {shown(busiest.downstream, 60)} to {shown(busiest.upstream, 60)} "
        f"({busiest.calls:,})."
    )
    if not known:
        return words
    slowest = max(known, key=lambda link: (link.p95_ms or 0, link.downstream, link.upstream))
    return (
        f"{words} Slowest: {shown(slowest.downstream, 60)} to {shown(slowest.upstream, 60)} "
        f"(p95 {in_ms((slowest.p95_ms or 0) * 1e6)})."
    )
