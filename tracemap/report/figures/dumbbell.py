"""A dumbbell chart: one line a thing, from what it was in the baseline to what it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.style import BY_ROLE, GRID, INK, MUTED, axis, layout, text
from tracemap.report.names import shown
from tracemap.report.words import in_ms

_ROW_PX, _FRAME_PX = 30, 78
_LABEL_LENGTH, _LETTER_PX = 34, 6.6


@dataclass(frozen=True)
class Dumbbell:
    """One line: what it is called, and its values in milliseconds."""

    label: str
    before_ms: float
    now_ms: float


def dumbbells(
    id_: str, title: str, summary: str, lines: Sequence[Dumbbell], table: TableBlock
) -> FigureBlock:
    """Return the figure, the first line on top; hollow is the baseline, full is the window."""
    labels = [shown(line.label, _LABEL_LENGTH) for line in lines]
    left = int(_LETTER_PX * max((len(label) for label in labels), default=0)) + 24
    made = layout(
        xaxis=axis(
            rangemode="tozero", title={"text": "ms per user request", "font": {"size": 11}}
        ),
        yaxis=axis(
            tickmode="array", tickvals=list(range(len(lines))), showgrid=False,
            ticktext=[text(label) for label in labels], range=[len(lines) - 0.4, -0.6],
            ticklabelstandoff=8,  # room for a dot at 0
        ),
        margin={"l": left + 8, "r": 24, "t": 12, "b": 50},
        hovermode="closest",
    )  # fmt: skip
    data = [_bars(lines), _ends(lines, is_now=False), _ends(lines, is_now=True)]
    return FigureBlock(
        id_, title, summary, {"data": data, "layout": made},
        height_px=_FRAME_PX + _ROW_PX * max(2, len(lines)),
        min_width_px=min(left + 240, 330), table=table,
    )  # fmt: skip


def _bars(lines: Sequence[Dumbbell]) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    for row, line in enumerate(lines):
        x += [line.before_ms, line.now_ms, None]
        y += [row, row, None]
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip",
        "line": {"color": GRID, "width": 5}, "connectgaps": False,
    }  # fmt: skip


def _ends(lines: Sequence[Dumbbell], *, is_now: bool) -> dict[str, Any]:
    values = [line.now_ms if is_now else line.before_ms for line in lines]
    colours = [
        BY_ROLE["origin"] if line.now_ms > line.before_ms else BY_ROLE["between"] for line in lines
    ]
    what = "window" if is_now else "baseline"
    words = [
        f"{text(shown(line.label))}<br>{what} {in_ms(value * 1e6)}"
        for line, value in zip(lines, values, strict=True)
    ]
    marker = (
        {"size": 11, "color": colours}
        if is_now
        else {"size": 10, "color": MUTED, "symbol": "circle-open", "line": {"width": 2}}
    )
    return {
        "type": "scatter", "mode": "markers", "x": values, "y": list(range(len(lines))),
        "marker": marker, "customdata": words, "hovertemplate": "%{customdata}<extra></extra>",
        "textfont": {"color": INK}, "cliponaxis": False,  # a dot at 0 is a whole dot
    }  # fmt: skip
