"""What the page's script needs to draw the surroundings of any one node of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracemap.report.figures.layers import SYMBOLS, kinds_of, links_of, owners_of, width_of
from tracemap.report.figures.scales import Scale
from tracemap.report.names import shown
from tracemap.report.rows import Row


def explorable(edges: Sequence[Row], scale: Scale, roles: Mapping[str, str]) -> dict[str, Any]:
    """Return all nodes and links of `edges` as numbers and names, colours and widths decided.

    Returns:
        ``nodes``: name, symbol, colour, owner ('': unknown) each; ``links``: number of downstream
        and of upstream in nodes, step of the scale, width, calls, p95 in ms, p95 before and during,
        errors; ``paints``: colour of each step, the unknown last.
    """
    links, kinds = links_of(edges), kinds_of(edges)
    names, owners = sorted(kinds), owners_of(edges)
    number = {name: at for at, name in enumerate(names)}
    most = max(link.calls for link in links)
    return {
        "nodes": [
            [
                shown(name),
                SYMBOLS[kinds[name]],
                f"var(--{roles.get(name, 'node')})",
                shown(owners.get(name, "")),
            ]
            for name in names
        ],
        "links": [
            [
                number[link.downstream],
                number[link.upstream],
                scale.step(link),
                width_of(link, most),
                link.calls,
                *(_rounded(ms) for ms in (link.p95_ms, link.before_ms, link.during_ms)),
                link.errors,
            ]
            for link in links
        ],
        "paints": [*scale.paints, scale.paint(-1)],
    }


def _rounded(value_ms: float | None) -> float | None:
    return None if value_ms is None else round(value_ms, 3)
