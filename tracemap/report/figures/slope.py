"""Values then and now, one line a row: what rose, what fell, and who changed places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.style import INK, MUTED, axis, bare, layout, text
from tracemap.report.names import shown
from tracemap.report.words import significant

_ROW_PX, _FRAME_PX = 26, 70
_LABEL_LENGTH, _LETTER_PX = 34, 6.6
_SAME = 0.05


@dataclass(frozen=True)
class Slope:
    """One line: its name and its values then and now, in one unit."""

    name: str
    before: float
    after: float


def slope(
    id_: str,
    title: str,
    summary: str,
    slopes: Sequence[Slope],
    *,
    unit: str,
    ends: tuple[str, str],
    table: TableBlock | None = None,
) -> FigureBlock:
    """Return the figure; labels that would overlap stand apart.

    Args:
        id_: Id of the element.
        title: Its title.
        summary: The same in words.
        slopes: The lines, at least one.
        unit: Written behind each value (``ms``).
        ends: What stands above the values then and now.
        table: The numbers behind it.
    """
    height = _FRAME_PX + _ROW_PX * max(6, len(slopes))
    top = max(max(line.before, line.after) for line in slopes) or 1.0
    least = top * _ROW_PX * 0.7 / height
    places = _apart([line.after for line in slopes], least)
    left_places = _apart([line.before for line in slopes], least)
    marks: list[dict[str, Any]] = [_end(0, ends[0]), _end(1, ends[1])]
    for line, right, left in zip(slopes, places, left_places, strict=True):
        value = f"{significant(line.after)} {unit}"
        marks.append(_mark(1, right, f"{value}  {text(shown(line.name, _LABEL_LENGTH))}"))
        marks.append(_mark(0, left, f"{significant(line.before)} {unit}"))
    right_px = int(_LETTER_PX * (max(len(shown(s.name, _LABEL_LENGTH)) for s in slopes) + 12))
    made = layout(
        xaxis=bare(range=[-0.02, 1.02]),
        yaxis=axis(range=[-0.12 * top, 1.1 * top], visible=False),
        annotations=marks,
        hovermode="closest",
        margin={"l": 90, "r": right_px, "t": 30, "b": 8},
    )
    return FigureBlock(
        id_, title, summary, {"data": [_line(line, unit) for line in slopes], "layout": made},
        height_px=height, min_width_px=right_px + 300, max_width_px=right_px + 700, table=table,
    )  # fmt: skip


def _line(line: Slope, unit: str) -> dict[str, Any]:
    change = line.after - line.before
    paint = "var(--change-same)"
    if abs(change) > _SAME * max(line.before, line.after):
        paint = "var(--origin)" if change > 0 else "var(--victim)"
    said = f"{significant(line.before)} → {significant(line.after)} {unit}"
    return {
        "type": "scatter", "x": [0, 1], "y": [line.before, line.after], "mode": "lines+markers",
        "line": {"color": paint, "width": 2}, "marker": {"color": paint, "size": 7},
        "customdata": [f"{text(shown(line.name, 80))}<br>{said}"] * 2,
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def _mark(x: int, y: float, said: str) -> dict[str, Any]:
    return {
        "text": said, "x": x, "y": y, "xanchor": "left" if x else "right",
        "xshift": 8 if x else -8, "showarrow": False, "font": {"size": 12, "color": INK},
    }  # fmt: skip


def _end(x: int, said: str) -> dict[str, Any]:
    return {
        "text": text(said), "x": x, "y": 1, "yref": "paper", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 11, "color": MUTED},
    }  # fmt: skip


def _apart(values: Sequence[float], least: float) -> list[float]:
    """Return the values moved as little as possible until neighbours are `least` apart.

    Neighbours that would overlap stand evenly around their middle (pool adjacent violators).
    """
    order = sorted(range(len(values)), key=lambda at: (values[at], at))
    pools: list[tuple[float, int]] = []  # sum of places less their steps, and how many
    for step, at in enumerate(order):
        pools.append((values[at] - step * least, 1))
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            last = pools.pop()
            pools[-1] = (pools[-1][0] + last[0], pools[-1][1] + last[1])
    middles = [total / count for total, count in pools for _ in range(count)]
    places = list(values)
    for step, (at, middle) in enumerate(zip(order, middles, strict=True)):
        places[at] = middle + step * least
    return places
