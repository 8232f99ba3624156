"""A heat map of pairs: what a graph of hundreds of lines can no longer show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.style import GRID, HEAT, INK, MUTED, axis, layout, text
from tracemap.report.names import shown
from tracemap.report.words import in_ms

_FULL_SIZE = 30
_FEW_COLUMNS = 8
_LABEL_LENGTH = 22
_LETTER_PX = 6.6


@dataclass(frozen=True)
class Cell:
    """One pair: its value in milliseconds, what stands in the cell, and what hovering says."""

    value_ms: float
    mark: str
    words: str


@dataclass(frozen=True)
class Axes:
    """Names of rows and columns in order, and what the two axes are."""

    rows: Sequence[str]
    columns: Sequence[str]
    row_title: str
    column_title: str


def matrix(
    id_: str,
    title: str,
    summary: str,
    axes: Axes,
    cells: Mapping[tuple[str, str], Cell],
    *,
    table: TableBlock | None = None,
) -> FigureBlock:
    """Return the heat map of `cells` by (row, column); colour is logarithmic in milliseconds."""
    is_small = max(len(axes.rows), len(axes.columns)) <= _FULL_SIZE
    is_wide = len(axes.columns) <= _FEW_COLUMNS
    step = 42 if is_wide else 34 if is_small else 14
    width = 92 if is_wide else 34 if is_small else 12
    left = int(_LETTER_PX * _longest(axes.rows)) + 28
    below = 56 if is_wide else int(_LETTER_PX * 0.75 * _longest(axes.columns)) + 44
    made = layout(
        xaxis=_names_axis(axes.columns, axes.column_title, tickangle=0 if is_wide else -45),
        yaxis=_names_axis(axes.rows, axes.row_title, autorange="reversed"),
        margin={"l": left, "r": 70, "t": 8, "b": below},
        hovermode="closest",
    )
    return FigureBlock(
        id_, title, summary, {"data": [_heat(axes, cells, is_small=is_small)], "layout": made},
        height_px=below + 24 + step * max(3, len(axes.rows)),
        min_width_px=left + 80 + width * len(axes.columns),
        max_width_px=left + 80 + 2 * width * max(3, len(axes.columns)), table=table,
    )  # fmt: skip


def _heat(axes: Axes, cells: Mapping[tuple[str, str], Cell], *, is_small: bool) -> dict[str, Any]:
    grid = [[cells.get((row, column)) for column in axes.columns] for row in axes.rows]
    logs = [[_log(cell) for cell in line] for line in grid]
    known = [value for line in logs for value in line if value is not None]
    low, high = math.floor(min(known, default=0)), math.ceil(max(known, default=1))
    trace: dict[str, Any] = {
        "type": "heatmap", "z": logs, "xgap": 1, "ygap": 1, "hoverongaps": False,
        "zmin": low, "zmax": max(high, low + 1), "colorscale": HEAT,
        "customdata": [[cell.words if cell else "" for cell in line] for line in grid],
        "hovertemplate": "%{customdata}<extra></extra>",
        "colorbar": {
            "tickvals": list(range(low, max(high, low + 1) + 1)),
            "ticktext": [in_ms(10**power * 1e6) for power in range(low, max(high, low + 1) + 1)],
            "thickness": 8, "outlinewidth": 0, "tickfont": {"color": MUTED, "size": 10},
            "len": 1, "x": 1.02, "xpad": 0,
        },
    }  # fmt: skip
    if is_small:
        trace["text"] = [[cell.mark if cell else "" for cell in line] for line in grid]
        trace["texttemplate"] = "%{text}"
        trace["textfont"] = {"size": 11, "color": INK}
    return trace


def _log(cell: Cell | None) -> float | None:
    return None if cell is None else round(math.log10(max(cell.value_ms, 0.1)), 4)


def _longest(names: Sequence[str]) -> int:
    return max((len(shown(name, _LABEL_LENGTH)) for name in names), default=0)


def _names_axis(names: Sequence[str], title: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an axis of names; places are numbers, so that two long names never become one."""
    return axis(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=[text(shown(name, _LABEL_LENGTH)) for name in names],
        title={"text": title, "font": {"size": 11, "color": MUTED}},
        showgrid=False,
        showline=True,
        mirror=True,
        linewidth=1,
        zerolinecolor=GRID,
        **more,
    )
