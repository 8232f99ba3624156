"""Time on the critical path as an icicle: what a step waits for stands below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.style import HEAT, INK, SURFACE, layout, lines, text
from tracemap.report.names import LABEL_LENGTH, shown
from tracemap.report.words import in_ms, percent

_LEVEL_PX, _FRAME_PX = 58, 24
_LABEL_LENGTH = LABEL_LENGTH + 12


@dataclass(frozen=True)
class Tile:
    """One step.

    Attributes:
        id: Its own.
        above: Id of the step that waits for it; '' at the top.
        name: What it is.
        own_ms: Its own time, per user request.
        whole_ms: Its own time and that of all below it.
        depth: Tiles above it.
    """

    id: str
    above: str
    name: str
    own_ms: float
    whole_ms: float
    depth: int


def icicle(
    id_: str, title: str, summary: str, tiles: Sequence[Tile], *, table: TableBlock | None = None
) -> FigureBlock:
    """Return the figure; the darker a tile, the more of the time is its own."""
    whole = max((tile.whole_ms for tile in tiles), default=0.0) or 1.0
    most = max((tile.own_ms for tile in tiles), default=0.0) or 1.0
    data = [
        {
            "type": "icicle",
            "ids": [tile.id for tile in tiles],
            "parents": [tile.above for tile in tiles],
            "labels": [lines(tile.name, _LABEL_LENGTH) for tile in tiles],
            "values": [round(tile.own_ms, 6) for tile in tiles],
            "branchvalues": "remainder",
            "sort": False,
            "tiling": {"orientation": "v", "pad": 1},
            "pathbar": {"visible": False},
            "marker": {
                "colors": [round(tile.own_ms, 6) for tile in tiles],
                "colorscale": HEAT, "cmin": 0, "cmax": round(most, 6),
                "line": {"color": SURFACE, "width": 1},
            },
            "text": [in_ms(tile.whole_ms * 1e6) for tile in tiles],
            "textinfo": "label+text",
            "textfont": {"color": INK, "size": 12},
            "insidetextfont": {"color": INK, "size": 12},
            "customdata": [
                f"{text(shown(tile.name, 80))}<br>{in_ms(tile.whole_ms * 1e6)} per request, "
                f"{percent(tile.whole_ms / whole)} of all<br>own: {in_ms(tile.own_ms * 1e6)}"
                for tile in tiles
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    ]  # fmt: skip
    levels = max((tile.depth for tile in tiles), default=0) + 1
    made = layout(
        margin={"l": 2, "r": 2, "t": 4, "b": 4}, uniformtext={"minsize": 9, "mode": "hide"}
    )
    return FigureBlock(
        id_, title, summary, {"data": data, "layout": made},
        height_px=_FRAME_PX + _LEVEL_PX * levels, min_width_px=320, table=table,
    )  # fmt: skip
