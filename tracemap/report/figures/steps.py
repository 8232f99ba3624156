"""A number before, what was added and taken away, and the number after, as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tracemap.report.blocks import Column, FigureBlock, TableBlock
from tracemap.report.figures.style import GRID, INK, axis, layout, text
from tracemap.report.names import shown
from tracemap.report.tables import table
from tracemap.report.words import in_ms, signed_ms

_BAR_PX, _FRAME_PX = 44, 60
_LABEL_LENGTH = 46
_COLUMNS = (
    Column("what", "Step", "name"),
    Column("ms", "ms", "ms", "flow-share"),
    Column("sum_ms", "Sum so far ms", "ms", "flow-share"),
)


@dataclass(frozen=True)
class Change:
    """A part of the change: what it is and how many milliseconds."""

    what: str
    ms: float


def steps(
    id_: str, title: str, summary: str, before_ms: float, changes: Sequence[Change]
) -> FigureBlock:
    """Return the figure from `before_ms` over `changes` to their sum, with its table."""
    after_ms = before_ms + sum(change.ms for change in changes)
    names = ["before", *(change.what for change in changes), "during"]
    said = [in_ms(before_ms * 1e6), *(signed_ms(change.ms) for change in changes)]
    said.append(in_ms(after_ms * 1e6))
    data = [
        {
            "type": "waterfall", "orientation": "h",
            "measure": ["absolute", *["relative"] * len(changes), "total"],
            "y": list(range(len(names))),
            "x": [round(before_ms, 6), *(round(change.ms, 6) for change in changes), 0],
            "text": said, "textposition": "outside", "textfont": {"color": INK, "size": 12},
            "cliponaxis": False, "constraintext": "none", "width": 0.5,
            "connector": {"line": {"color": GRID, "width": 1}},
            "increasing": {"marker": {"color": "var(--origin)"}},
            "decreasing": {"marker": {"color": "var(--victim)"}},
            "totals": {"marker": {"color": "var(--node)"}},
            "customdata": [
                f"{text(shown(name, 80))}: {value}"
                for name, value in zip(names, said, strict=True)
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    ]  # fmt: skip
    made = layout(
        xaxis=axis(rangemode="tozero", ticksuffix=" ms", nticks=4, tickangle=0),
        yaxis=axis(showticklabels=False, range=[len(names) - 0.5, -0.9], showgrid=False),
        annotations=[_label(name, place) for place, name in enumerate(names)],
        margin={"l": 12, "r": 84, "t": 8, "b": 32}, hovermode="closest",
    )  # fmt: skip
    return FigureBlock(
        id_, title, summary, {"data": data, "layout": made},
        height_px=_FRAME_PX + _BAR_PX * len(names), min_width_px=300,
        table=_table(f"{id_}-table", f"{title}: step by step", before_ms, changes),
    )  # fmt: skip


def _label(name: str, place: int) -> dict[str, Any]:
    """Return a name above its bar: beside it, it would leave no room on a phone."""
    return {
        "x": 0, "xref": "paper", "xanchor": "left", "y": place, "yshift": 18,
        "text": text(shown(name, _LABEL_LENGTH)), "showarrow": False,
        "font": {"size": 11, "color": INK},
    }  # fmt: skip


def _table(id_: str, title: str, before_ms: float, changes: Sequence[Change]) -> TableBlock:
    sums = accumulate((change.ms for change in changes), initial=before_ms)
    parts = [Change("before", before_ms), *changes]
    rows = [
        {"what": part.what, "ms": part.ms, "sum_ms": so_far}
        for part, so_far in zip(parts, sums, strict=True)
    ]
    return table(id_, title, _COLUMNS, rows, folded=True)
