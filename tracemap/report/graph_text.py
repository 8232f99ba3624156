"""The graph in the formats of other tools: Mermaid, DOT, GraphML, JSON, CSV.

Nodes get numbered ids; names appear only as labels, escaped as each format asks.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree as ET

import polars as pl

from tracemap.errors import PipelineError
from tracemap.report.names import shown, spreadsheet_safe, visible
from tracemap.report.rows import Row, rows
from tracemap.report.safe_json import dumps
from tracemap.report.story import Story
from tracemap.report.words import in_ms

_SHAPES = {"database": ("[(", ")]"), "queue": ("[[", "]]"), "external": ("{{", "}}")}
_DOT_SHAPES = {"database": "cylinder", "queue": "box3d", "external": "hexagon"}
_GRAPHML = "http://graphml.graphdrawing.org/xmlns"


@dataclass(frozen=True)
class _Node:
    id_: str
    kind: str
    owner: str | None


def graph(edges: pl.DataFrame, format: str, owners: Mapping[str, str] | None = None) -> str:  # noqa: A002
    """Return the graph of the finding ``edges`` as text.

    Args:
        edges: As `model.EDGES`.
        format: mermaid, dot, graphml, json or csv.
        owners: Owner by node, where known: an attribute of nodes in GraphML and JSON, columns in
            CSV, a tooltip in DOT. Mermaid has no place for it that leaves the graph readable.

    Raises:
        PipelineError: If there is no such format.
    """
    if format not in GRAPH_FORMATS:
        raise PipelineError(
            f"unknown graph format {format!r}",
            where="--format",
            hint=f"take one of {', '.join(GRAPH_FORMATS)}",
        )
    listed = sorted(
        rows("edges", edges, owners or {}),
        key=lambda row: (row["downstream"], row["upstream"], row["connection_type"]),
    )
    return GRAPH_FORMATS[format](listed)


def mermaid_chain(story: Story) -> str:
    """Return the way from the first origin to the hardest hit operation; '' without one."""
    if story.origin is None or story.hit is None or story.findings.verdict != "incident":
        return ""
    leaves = story.hit.from_origin(story.origin)
    if not leaves or len(leaves[0].steps) < 2:  # noqa: PLR2004
        return ""
    steps = leaves[0].steps
    lines = ["flowchart LR"]
    for number, (service, operation) in enumerate(steps):
        name = f"{shown(service, 60)} · {shown(operation, 60)}" if operation else shown(service, 60)
        lines.append(f'  n{number}["{_mermaid(name)}"]')
    lines += [
        f"  n{number} -->|{_arrived(story, *pair)}| n{number + 1}"
        for number, pair in enumerate(pairwise(steps))
    ]
    return "\n".join(lines)


def _arrived(story: Story, upstream: tuple[str, str], downstream: tuple[str, str]) -> str:
    for row in story.propagation:
        ends = (row["upstream"], row["downstream"], row["downstream_operation"])
        is_operation = upstream[1] in ("", row["upstream_operation"])
        if ends == (upstream[0], *downstream) and is_operation and row["arrived_ms"] is not None:
            return f"{in_ms(row['arrived_ms'] * 1e6)} arrived"
    return "propagates to"


def _nodes(edges: Iterable[Row]) -> dict[str, _Node]:
    """Return nodes by name, numbered in the order of names."""
    kinds: dict[str, str] = {}
    owners: dict[str, str | None] = {}
    for row in edges:
        kinds.setdefault(row["downstream"], "service")
        owners[row["downstream"]] = row["downstream_owner"]
    for row in edges:
        kinds[row["upstream"]] = row["upstream_kind"] or "service"
        owners[row["upstream"]] = row["upstream_owner"]
    return {
        name: _Node(f"n{number}", kinds[name], owners[name])
        for number, name in enumerate(sorted(kinds))
    }


def _mermaid(text: str) -> str:
    """Return a label in which only letters, digits and harmless signs stand for themselves."""
    return "".join(
        sign if sign.isalnum() or sign in " ._-/·…" else f"#{ord(sign)};" for sign in text
    )


def _as_mermaid(edges: list[Row]) -> str:
    nodes = _nodes(edges)
    lines = ["flowchart LR"]
    for name, node in nodes.items():
        left, right = _SHAPES.get(node.kind, ("[", "]"))
        lines.append(f'  {node.id_}{left}"{_mermaid(shown(name))}"{right}')
    for row in edges:
        start, end = nodes[row["downstream"]].id_, nodes[row["upstream"]].id_
        lines.append(f'  {start} -->|"{_mermaid(_label(row))}"| {end}')
    return "\n".join(lines) + "\n"


def _label(row: Row) -> str:
    p95 = "" if row["p95_ms"] is None else f", p95 {in_ms(row['p95_ms'] * 1e6)}"
    return f"{row['calls']} calls{p95}"


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _as_dot(edges: list[Row]) -> str:
    nodes = _nodes(edges)
    lines = ["digraph tracemap {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for name, node in nodes.items():
        shape = _DOT_SHAPES.get(node.kind, "box")
        owner = f", tooltip={_dot(f'owner {shown(node.owner)}')}" if node.owner else ""
        lines.append(f"  {node.id_} [label={_dot(shown(name))}, shape={shape}{owner}];")
    for row in edges:
        ends = f"{nodes[row['downstream']].id_} -> {nodes[row['upstream']].id_}"
        lines.append(f"  {ends} [label={_dot(_label(row))}];")
    return "\n".join([*lines, "}"]) + "\n"


def _as_graphml(edges: list[Row]) -> str:
    root = ET.Element("graphml", xmlns=_GRAPHML)
    keys = [
        ("name", "node", "string"), ("kind", "node", "string"),
        ("owner", "node", "string"),
        ("connection_type", "edge", "string"), ("protocol", "edge", "string"),
        ("calls", "edge", "long"), ("errors_downstream", "edge", "long"),
        ("errors_upstream", "edge", "long"), ("p50_ms", "edge", "double"),
        ("p95_ms", "edge", "double"), ("p99_ms", "edge", "double"),
    ]  # fmt: skip
    for name, domain, kind in keys:
        attributes = {"id": name, "for": domain, "attr.name": name, "attr.type": kind}
        ET.SubElement(root, "key", attributes)
    graph_element = ET.SubElement(root, "graph", id="tracemap", edgedefault="directed")
    nodes = _nodes(edges)
    for name, node in nodes.items():
        element = ET.SubElement(graph_element, "node", id=node.id_)
        _data(element, "name", visible(name))
        _data(element, "kind", visible(node.kind))
        if node.owner:
            _data(element, "owner", visible(node.owner))
    for number, row in enumerate(edges):
        source, target = nodes[row["downstream"]].id_, nodes[row["upstream"]].id_
        ends = {"id": f"e{number}", "source": source, "target": target}
        edge = ET.SubElement(graph_element, "edge", ends)
        for name, domain, _ in keys:
            if domain == "edge" and row[name] is not None:
                _data(edge, name, visible(str(row[name])))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _data(parent: ET.Element, key: str, text: str) -> None:
    ET.SubElement(parent, "data", key=key).text = text


def _as_json(edges: list[Row]) -> str:
    nodes = [
        {"name": name, "kind": node.kind, "owner": node.owner}
        for name, node in _nodes(edges).items()
    ]
    return dumps({"nodes": nodes, "edges": edges}, indent=1) + "\n"


def _as_csv(edges: list[Row]) -> str:
    out = io.StringIO()
    columns = list(edges[0]) if edges else ["downstream", "upstream", "connection_type", "calls"]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in edges:
        writer.writerow(
            spreadsheet_safe(visible(value)) if isinstance(value, str) else value
            for value in (row[column] for column in columns)
        )
    return out.getvalue()


GRAPH_FORMATS: dict[str, Callable[[list[Row]], str]] = {
    "mermaid": _as_mermaid,
    "dot": _as_dot,
    "graphml": _as_graphml,
    "json": _as_json,
    "csv": _as_csv,
}
"""How each format is written, by its name."""
