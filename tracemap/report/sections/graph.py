"""Section "Graph": who calls whom; beyond 40 nodes a heat map first, then the part that matters."""

from __future__ import annotations

from collections.abc import Sequence

from tracemap.report.blocks import Block, Column, FigureBlock, Section, remark
from tracemap.report.figures.matrix import Axes, Cell, matrix
from tracemap.report.figures.network import network
from tracemap.report.figures.style import text
from tracemap.report.names import shown
from tracemap.report.rows import Row
from tracemap.report.story import SILENT, Story
from tracemap.report.tables import CALLS, DOWNSTREAM, UPSTREAM, table
from tracemap.report.words import counted, in_ms

_COLUMNS = (
    DOWNSTREAM,
    UPSTREAM,
    CALLS,
    Column("baseline_p95_ms", "p95 before ms", "ms", "percentiles"),
    Column("incident_p95_ms", "p95 during ms", "ms", "percentiles"),
    Column("change_ratio", "Change", "ratio", "rise-ratio"),
    Column("p95_ms", "p95 in all ms", "ms", "percentiles"),
    Column("errors_downstream", "Errors seen downstream", "count", "failed-calls"),
)
_NODES_DRAWN = 40
_EDGES_DRAWN = 150
_MATRIX_SIZE = 60


def graph(story: Story) -> Section | None:
    """Return the observed graph; None without edges."""
    if not story.edges:
        return None
    names = _names(story.edges)
    blocks: list[Block] = []
    if len(names) <= _NODES_DRAWN and len(story.edges) <= _EDGES_DRAWN:
        blocks.append(_network(story, "Who calls whom", story.edges))
        return _section(blocks, story)
    blocks.append(_adjacency(story))
    near = _near(story)
    blocks.append(
        remark(
            f"{counted(len(names), 'node')} and {counted(len(story.edges), 'edge')} are too "
            "many to draw as lines. The heat map shows the busiest, the graph below it the "
            "surroundings of origins, spikes and the busiest edges; the table of edges has all."
        )
    )
    blocks.append(_network(story, "The part that matters most", near))
    return _section(blocks, story)


def _section(blocks: Sequence[Block], story: Story) -> Section:
    coloured = "how the p95 of what downstream waited changed from baseline to incident"
    if not any(row["baseline_p95_ms"] for row in story.edges):
        coloured = "the p95 of what downstream waited"
    return Section(
        "graph",
        "Graph",
        tuple(blocks),
        "Arrows point from downstream (who waits) to upstream (who provides). Thick lines carry "
        f"many calls; the colour is {coloured}. Search for a node, or click it, to see it with its "
        "neighbours, or with all that lies upstream or downstream of it.",
    )


def _network(story: Story, title: str, edges: Sequence[Row]) -> FigureBlock:
    """Return the graph of `edges` in which all edges can be searched, with their numbers."""
    rows = [
        {**row, "change_ratio": row["incident_p95_ms"] / row["baseline_p95_ms"]}
        if row["baseline_p95_ms"] and row["incident_p95_ms"] is not None
        else row
        for row in story.edges
    ]
    rows.sort(key=lambda row: -row.get("change_ratio", 0.0))
    behind = table(
        "graph-table", "Edges, those that got slower most first", _COLUMNS, rows, folded=True
    )
    return network(
        "graph-figure", title, edges, roles=_roles(story), table=behind, everything=story.edges
    )


def _names(edges: Sequence[Row]) -> set[str]:
    return {row[side] for row in edges for side in ("downstream", "upstream")}


def _roles(story: Story) -> dict[str, str]:
    if story.findings.verdict != "incident":
        return {}
    roles = {root.service: "victim" for root in story.slower[:3]}
    return roles | ({story.origin["service"]: "origin"} if story.origin else {})


def _adjacency(story: Story) -> FigureBlock:
    kept = _busiest(story)
    cells: dict[tuple[str, str], Cell] = {}
    for row in story.edges:
        key = (row["downstream"], row["upstream"])
        if not kept.issuperset(key) or row["p95_ms"] is None or key in cells:
            continue
        ends = " → ".join(text(shown(name, 60)) for name in key)
        p95 = in_ms(row["p95_ms"] * 1e6)
        cells[key] = Cell(row["p95_ms"], "", f"{ends}<br>{row['calls']:,} calls, p95 {p95}")
    axes = Axes(
        sorted({key[0] for key in cells}),
        sorted({key[1] for key in cells}),
        "downstream",
        "upstream",
    )
    everybody = len(_names(story.edges))
    summary = (
        f"The {len(kept)} busiest of {everybody:,} nodes; a cell is an edge, its colour the p95 of "
        "what downstream waited."
    )
    return matrix("adjacency-figure", "Who calls whom, as a table of colours", summary, axes, cells)


def _busiest(story: Story) -> set[str]:
    calls: dict[str, int] = {}
    for row in story.edges:
        for side in ("downstream", "upstream"):
            calls[row[side]] = calls.get(row[side], 0) + row["calls"]
    ranked = sorted(calls, key=lambda name: (-calls[name], name))
    first = [name for name in _in_question(story) if name in calls]
    return set([*first, *[name for name in ranked if name not in set(first)]][:_MATRIX_SIZE])


def _in_question(story: Story) -> list[str]:
    """Return the services the findings speak of, most important first."""
    named = [row["service"] for row in story.origins[:3]]
    named += [root.service for root in story.roots[:3]]
    moved = [row for row in story.propagation if row["verdict"] not in SILENT]
    named += [row[side] for row in moved[:10] for side in ("upstream", "downstream")]
    named += [row["service"] for row in story.spikes[:5]]
    return list(dict.fromkeys(named))


def _near(story: Story) -> list[Row]:
    """Return edges that touch what the findings speak of, then the busiest, as many as fit."""
    asked = set(_in_question(story)[:12])
    both = [row for row in story.edges if row["downstream"] in asked and row["upstream"] in asked]
    touching = [
        row for row in story.edges if row["downstream"] in asked or row["upstream"] in asked
    ]
    kept: list[Row] = []
    names: set[str] = set()
    for row in [*both, *touching, *story.edges[:20]]:
        ends = {row["downstream"], row["upstream"]}
        if len(names | ends) <= _NODES_DRAWN and row not in kept and len(kept) < _EDGES_DRAWN:
            kept.append(row)
            names |= ends
    return kept
