"""The graph, layered from downstream (left) to upstream (right): Sugiyama's layout by igraph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.explorer import explorable
from tracemap.report.figures.layers import (
    SYMBOLS,
    Link,
    Point,
    kinds_of,
    links_of,
    owners_of,
    places_of,
    width_of,
)
from tracemap.report.figures.scales import Scale, scale_of
from tracemap.report.figures.style import INK, SURFACE, bare, layout, text
from tracemap.report.names import LABEL_LENGTH, shown
from tracemap.report.rows import Row
from tracemap.report.words import counted, in_ms

_ROSE = 1.1
_LAYER_PX, _FRAME_PX = 150, 110
_ROW_PX, _LEAST_ROW_PX, _TALL_PX = 58, 36, 720
_LEGEND = {
    "orientation": "h", "x": 0, "y": 0, "yanchor": "top", "xanchor": "left",
    "font": {"size": 11}, "itemclick": False, "itemdoubleclick": False,
    "bgcolor": "rgba(0,0,0,0)",
}  # fmt: skip


@dataclass(frozen=True)
class _Node:
    """A node as drawn; `number` is its place among all that can be searched, for a click."""

    name: str
    kind: str
    number: int
    owner: str


def network(
    id_: str,
    title: str,
    edges: Sequence[Row],
    *,
    roles: Mapping[str, str] | None = None,
    table: TableBlock | None = None,
    everything: Sequence[Row] | None = None,
) -> FigureBlock:
    """Return the graph of `edges` (rows of the finding) as a figure.

    Width says how many calls, colour how the p95 of what downstream waited changed (the p95 itself
    where nothing was compared), shape what the node is.

    Args:
        id_: Id of the element.
        title: Its title.
        edges: Rows of the finding ``edges``; at least one.
        roles: Nodes to point out: origin or victim.
        table: The numbers behind it.
        everything: Edges that can be searched for and focused on; None: `edges`.
    """
    everything = edges if everything is None else everything
    links, kinds = links_of(edges), kinds_of(edges)
    scale = scale_of(links_of(everything))
    explore = explorable(everything, scale, roles or {})
    names, said = sorted(kinds), owners_of(edges)
    points, bends = places_of(names, links)
    layers = round(max(x for x, _ in points.values())) + 1
    height = max(y for _, y in points.values()) - min(y for _, y in points.values())
    row_px = max(_LEAST_ROW_PX, min(_ROW_PX, _TALL_PX / (height + 1)))
    data = _lines(links, points, bends, scale)
    data.append(_hover(links, points, bends))
    number = {name: at for at, name in enumerate(sorted(kinds_of(everything)))}
    about = [_Node(name, kinds[name], number[name], said.get(name, "")) for name in names]
    data += _nodes(about, points, roles or {})
    made = layout(
        xaxis=bare(range=[-0.45, layers - 0.55]),
        yaxis=bare(range=[*_margin(points)]),
        annotations=[_label(name, points[name]) for name in names],
        hovermode="closest",
        showlegend=True,
        legend=_LEGEND,
        margin={"l": 8, "r": 8, "t": 8, "b": 56},
    )  # fmt: skip
    return FigureBlock(
        id_, title, _words(links, names), {"data": data, "layout": made},
        height_px=int(_FRAME_PX + row_px * max(2.0, height + 1)),
        min_width_px=min(1400, max(320, _LAYER_PX * layers)), table=table,
        explore=explore,
    )  # fmt: skip


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
    scale: Scale,
) -> list[dict[str, Any]]:
    """Return one trace per colour and width: a trace per link would draw far slower."""
    most = max(link.calls for link in links)
    grouped: dict[tuple[int, float], list[list[Point]]] = {}
    for link, bend in zip(links, bends, strict=True):
        key = (scale.step(link), width_of(link, most))
        grouped.setdefault(key, []).append(_route(link, points, bend))
    steps = sorted({step for step, _ in grouped})
    return [
        *(
            _line(scale.paint(step), width, routes)
            for (step, width), routes in sorted(grouped.items())
        ),
        *(_colour_key(scale.label(step), scale.paint(step)) for step in steps),
    ]


def _colour_key(name: str, paint: str) -> dict[str, Any]:
    """Return the entry of the legend for a colour: a line of one width, seen nowhere else."""
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "lines", "name": name,
        "line": {"color": paint, "width": 4}, "hoverinfo": "skip",
    }  # fmt: skip


def _line(paint: str, width: float, routes: Sequence[Sequence[Point]]) -> dict[str, Any]:
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
        "showlegend": False,
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
        words.append(_link_words(link))
    return {
        "type": "scatter", "x": [x for x, _ in middle], "y": [y for _, y in middle],
        "mode": "markers", "marker": {"size": 16, "opacity": 0, "color": INK},
        "text": words, "hovertemplate": "%{text}<extra></extra>", "showlegend": False,
    }  # fmt: skip


def _link_words(link: Link) -> str:
    """Return what hovering over a link says, in the markup of plotly."""
    p95 = "unknown" if link.p95_ms is None else in_ms(link.p95_ms * 1e6)
    ends = f"{text(shown(link.downstream, 60))} → {text(shown(link.upstream, 60))}"
    said = f"{ends}<br>{counted(link.calls, 'call')}, p95 {p95}, {counted(link.errors, 'error')}"
    if link.change_ratio is None:
        return said
    before, during = (in_ms((value or 0) * 1e6) for value in (link.before_ms, link.during_ms))
    return f"{said}<br>p95 {before} before, {during} during"


def _nodes(
    nodes: Sequence[_Node], points: Mapping[str, Point], roles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return one trace per kind of node, with what hovering over a node says."""
    traces = []
    for kind in [kind for kind in SYMBOLS if kind in {node.kind for node in nodes}]:
        mine = [node for node in nodes if node.kind == kind]
        paints = [f"var(--{roles.get(node.name, 'node')})" for node in mine]
        trace = {
            "type": "scatter", "x": [points[node.name][0] for node in mine],
            "y": [points[node.name][1] for node in mine], "mode": "markers", "showlegend": False,
            "marker": {
                "symbol": SYMBOLS[kind], "size": 17, "color": paints, "opacity": 1,
                "line": {"color": SURFACE, "width": 2},
            },
            "customdata": [
                [text(shown(node.name, 60)), node.number, _owner_words(node)] for node in mine
            ],
            "hovertemplate": f"%{{customdata[0]}}<br>{kind}%{{customdata[2]}}<extra></extra>",
        }  # fmt: skip
        traces += [trace, _node_key(kind, SYMBOLS[kind], "node")]
    for role, said in (("origin", "likeliest origin"), ("victim", "hurt")):
        if role in {roles.get(node.name) for node in nodes}:
            traces.append(_node_key(said, "circle", role))
    return traces


def _owner_words(node: _Node) -> str:
    """Return the line of the hover that names the owner, in the markup of plotly; '': unknown."""
    return f"<br>owner {text(shown(node.owner, 60))}" if node.owner else ""


def _node_key(name: str, symbol: str, colour: str) -> dict[str, Any]:
    """Return the entry of the legend for a shape or a colour of nodes."""
    return {
        "type": "scatter", "x": [None], "y": [None], "mode": "markers", "name": name,
        "marker": {"symbol": symbol, "size": 10, "color": f"var(--{colour})"}, "hoverinfo": "skip",
    }  # fmt: skip


def _label(name: str, point: Point) -> dict[str, Any]:
    """Return a name below its node, on a ground of its own so that lines do not cross it."""
    return {
        "text": text(shown(name, LABEL_LENGTH)), "x": point[0], "y": point[1], "yshift": -19,
        "showarrow": False, "bgcolor": SURFACE, "borderpad": 1, "opacity": 0.92,
        "font": {"size": 12, "color": INK},
    }  # fmt: skip


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
    risen = [link for link in links if (link.change_ratio or 0.0) > _ROSE]
    if risen:
        most = max(risen, key=lambda link: (link.change_ratio or 0, link.downstream, link.upstream))
        return (
            f"{words} p95 rose most from {shown(most.upstream, 60)} to "
            f"{shown(most.downstream, 60)}: {in_ms((most.before_ms or 0) * 1e6)} before, "
            f"{in_ms((most.during_ms or 0) * 1e6)} during."
        )
    slowest = max(known, key=lambda link: (link.p95_ms or 0, link.downstream, link.upstream))
    return (
        f"{words} Slowest: {shown(slowest.downstream, 60)} to {shown(slowest.upstream, 60)} "
        f"(p95 {in_ms((slowest.p95_ms or 0) * 1e6)})."
    )
