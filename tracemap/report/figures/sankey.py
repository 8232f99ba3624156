"""Milliseconds on their way from where they began to the operations users see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.style import GRID, INK, layout, text
from tracemap.report.names import shown
from tracemap.report.words import in_ms

_ROW_PX, _FRAME_PX, _COLUMN_PX = 46, 60, 170


@dataclass(frozen=True)
class Stop:
    """A node of the diagram: how far from the user (0: the user's operation), and what it is."""

    hops: int
    label: str
    role: str


@dataclass(frozen=True)
class Stream:
    """Milliseconds per user request that go from one stop to the next."""

    source: Stop
    target: Stop
    value_ms: float
    words: str


def sankey(
    id_: str,
    title: str,
    summary: str,
    streams: Sequence[Stream],
    *,
    colours: Mapping[str, str],
    table: TableBlock | None = None,
) -> FigureBlock:
    """Return the diagram, origin on the left; `colours` by role of a stop."""
    stops = sorted(
        {stop for stream in streams for stop in (stream.source, stream.target)},
        key=lambda stop: (-stop.hops, stop.label, stop.role),
    )
    number = {stop: index for index, stop in enumerate(stops)}
    columns = max((stop.hops for stop in stops), default=0) + 1
    tallest = max((sum(stop.hops == hops for stop in stops) for hops in range(columns)), default=1)
    data = [
        {
            "type": "sankey",
            "arrangement": "snap",
            "valueformat": ",.3~s",
            "valuesuffix": " ms",
            "textfont": {"color": INK, "size": 12, "shadow": "none"},
            "node": {
                "label": [text(shown(stop.label, 44)) for stop in stops],
                "color": [colours[stop.role] for stop in stops],
                "line": {"width": 0},
                "thickness": 14,
                "pad": 22,
                "hovertemplate": "%{label}: %{value}<extra></extra>",
            },
            "link": {
                "source": [number[stream.source] for stream in streams],
                "target": [number[stream.target] for stream in streams],
                "value": [round(stream.value_ms, 6) for stream in streams],
                "color": [
                    "var(--stream-origin)" if stream.source.role == "origin" else "var(--stream)"
                    for stream in streams
                ],
                "customdata": [text(stream.words) for stream in streams],
                "hovertemplate": "%{customdata}<extra></extra>",
                "line": {"width": 0, "color": GRID},
            },
        }
    ]
    made = layout(margin={"l": 8, "r": 8, "t": 16, "b": 16})
    return FigureBlock(
        id_, title, summary, {"data": data, "layout": made},
        height_px=_FRAME_PX + _ROW_PX * max(3, tallest),
        min_width_px=_COLUMN_PX * columns, table=table,
    )  # fmt: skip


def stream_words(source: str, target: str, value_ms: float) -> str:
    """Return a stream as a phrase."""
    return f"{shown(source, 60)} → {shown(target, 60)}: {in_ms(value_ms * 1e6)}"
