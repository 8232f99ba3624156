"""Milliseconds on their way from where they began to the operations users see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.style import GRID, INK, layout, lines, text, width_px
from tracemap.report.names import shown
from tracemap.report.words import in_ms

_ROW_PX, _FRAME_PX = 62, 60


@dataclass(frozen=True)
class Stop:
    """A node of the diagram: what it is, its role, and which of those on one way it is.

    One way may pass a node twice (A calls B, which calls A): `visit` tells the two apart, so that
    the diagram never runs in a circle.
    """

    label: str
    role: str
    visit: int = 0


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
    columns_of = _columns(streams)
    stops = sorted(
        columns_of, key=lambda stop: (columns_of[stop], stop.label, stop.role, stop.visit)
    )
    sizes = Counter(columns_of.values())
    tallest = max(sizes.values(), default=1)
    passes = {stop: _passes(stop, streams) for stop in stops}
    labels = [f"{lines(stop.label, 30)} {in_ms(passes[stop] * 1e6)}" for stop in stops]
    data = [
        {
            "type": "sankey",
            "arrangement": "snap",
            "valueformat": ",.3~s",
            "valuesuffix": " ms",
            "textfont": {"color": INK, "size": 12, "shadow": "none"},
            "node": _nodes(labels, [colours[stop.role] for stop in stops]),
            "link": _links(streams, {stop: index for index, stop in enumerate(stops)}),
        }
    ]
    made = layout(margin={"l": 8, "r": 8, "t": 16, "b": 16})
    return FigureBlock(
        id_, title, summary, {"data": data, "layout": made},
        height_px=_FRAME_PX + _ROW_PX * max(3, tallest),
        min_width_px=_width(labels, [columns_of[stop] for stop in stops]), table=table,
    )  # fmt: skip


def _nodes(labels: Sequence[str], colours: Sequence[str]) -> dict[str, Any]:
    return {
        "label": labels,
        "align": "justify",
        "color": colours,
        "line": {"width": 0},
        "thickness": 14,
        "pad": 34,
        "hovertemplate": "%{label}<extra></extra>",
    }


def _links(streams: Sequence[Stream], number: Mapping[Stop, int]) -> dict[str, Any]:
    return {
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
    }


def _width(labels: Sequence[str], columns: Sequence[int]) -> int:
    """Return the width at which no label reaches another: those of the last column face left."""
    last = max(columns, default=0)
    facing, others = (
        max((width_px(label) for label, column in zip(labels, columns, strict=True)
             if (column == last) is is_last), default=0)
        for is_last in (True, False)
    )  # fmt: skip
    return last * (others + facing + 30) + 30


def _columns(streams: Sequence[Stream]) -> dict[Stop, int]:
    """Return the column of each stop: the longest way to it from where time began."""
    columns = {stop: 0 for stream in streams for stop in (stream.source, stream.target)}
    for _ in columns:
        moved = False
        for stream in streams:
            if columns[stream.target] <= columns[stream.source]:
                columns[stream.target] = columns[stream.source] + 1
                moved = True
        if not moved:
            break
    return columns


def _passes(stop: Stop, streams: Sequence[Stream]) -> float:
    """Return the milliseconds that pass a stop: what leaves it, or reaches it at the end."""
    leaving = sum(stream.value_ms for stream in streams if stream.source == stop)
    return leaving or sum(stream.value_ms for stream in streams if stream.target == stop)


def stream_words(source: str, target: str, value_ms: float) -> str:
    """Return a stream as a phrase."""
    return f"{shown(source, 60)} → {shown(target, 60)}: {in_ms(value_ms * 1e6)}"
