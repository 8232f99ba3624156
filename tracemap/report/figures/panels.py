"""Lines over time, one small panel per unit under each other, with stretches of time shaded.

Panels share the time axis and keep their own scale: a query at 5 ms and a page at 500 ms can be
compared in shape, which one scale for both would hide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tracemap.report.blocks import Column, FigureBlock, TableBlock
from tracemap.report.figures.style import BY_ROLE, INK, MUTED, axis, layout, text
from tracemap.report.names import LABEL_LENGTH
from tracemap.report.names import shown as shown_name
from tracemap.report.rows import Row
from tracemap.report.tables import CALLS, OPERATION, SERVICE, table
from tracemap.report.words import clock, in_ms

_PANEL_PX = 104
_FRAME_PX = 84
_GAP_SHARE = 0.28
_FEW_POINTS = 3
_MARKER_PX = 5
_SHADE_TITLE_PX = 34
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_STROKES: tuple[tuple[str, dict[str, Any], float], ...] = (
    ("p50", {"width": 1, "dash": "dot"}, 1),
    ("p95", {"width": 2.25}, 1),
    ("p99", {"width": 1}, 0.55),
)
"""Lines of a panel: name, stroke, opacity."""
_ROLE_WORDS = {
    "origin": "origin",
    "lead": "lead",
    "victim": "hurt",
    "between": "on the way",
    "user": "users",
}
_HEADROOM = 1.05
"""A scale ends this much above its highest point."""
Stretch = tuple[str, str]
"""Start and end of a stretch of time, ISO-8601."""
Unit = tuple[str, str, str, str]
"""Unit, service, operation, downstream: the key of the finding ``timeline``."""


@dataclass(frozen=True)
class Panel:
    """One unit over time.

    Attributes:
        unit: What is measured.
        title: Its label.
        role: origin, lead (not certain), victim, between, user (slower by its mean only), spike.
        rows: Rows of the timeline, in order of time.
        shaded: Stretches shaded in this panel only.
        baseline: Start and end of what `incident` is compared with; None: not compared.
        incident: Start and end of what is compared; None: what is shaded, if anything is.
        whole: p95 in ms of all calls of the baseline, and of the incident; None: not known.
    """

    unit: Unit
    title: str
    role: str
    rows: Sequence[Row]
    shaded: tuple[tuple[str, str], ...] = ()
    baseline: Stretch | None = None
    incident: Stretch | None = None
    whole: tuple[float, float] | None = None

    def words(self) -> str:
        """Return the panel as a sentence: p95 of the baseline, then of the incident.

        Of all calls where that is known, else of the cell in the middle; then the worst cell, if
        it is worse.
        """
        rows = [row for row in self.rows if row["p95_ms"] is not None]
        if not rows:
            return f"{self.title}: no values."
        usual, during = self._compared
        worst = max(during or rows, key=lambda row: row["p95_ms"])
        before_ms, now_ms = self.whole or (
            _middle(usual) if usual else None,
            _middle(during or rows),
        )
        before = (
            f"{in_ms(before_ms * 1e6)} {'in the baseline' if self.incident else 'outside'} → "
            if before_ms is not None
            else ""
        )
        now = f"p95 {before}{in_ms(now_ms * 1e6)}{self._where if during or self.whole else ''}"
        peak = f", up to {_peak(worst)}" if worst["p95_ms"] > now_ms else ""
        return f"{self.title}: {now}{peak}.{self._cut_off(rows)}"

    @property
    def top_ms(self) -> float | None:
        """Where the scale ends, so that nothing outside both windows flattens them; None: free."""
        usual, during = self._compared
        if not self.incident or not usual or not during:
            return None
        top_ms = _HEADROOM * max(_highest(row) for row in (*usual, *during))
        return top_ms if max(map(_highest, self.rows)) > top_ms else None

    @property
    def _where(self) -> str:
        return " in the window" if self.incident else " where shaded"

    @property
    def _compared(self) -> tuple[list[Row], list[Row]]:
        """Return the cells of the baseline and those of the incident."""
        rows = [row for row in self.rows if row["p95_ms"] is not None]
        stretches = (self.incident,) if self.incident else self.shaded
        step = _step_of([row["window_start"] for row in self.rows])
        lies_in = _lies_in if self.incident else _touches
        during = [row for row in rows if lies_in(row, stretches, step)]
        if self.incident:
            before = (self.baseline,) if self.baseline else ()
            usual = [row for row in rows if _lies_in(row, before, step)]
        else:
            usual = [row for row in rows if row not in during] if during else []
        return usual, during

    def _cut_off(self, rows: Sequence[Row]) -> str:
        """Return what lies beyond the scale, in words."""
        if self.top_ms is None:
            return ""
        worst = max(rows, key=lambda row: row["p95_ms"])
        beyond = f" (p95 {_peak(worst)})" if worst["p95_ms"] > self.top_ms else ""
        return f" Cut off above {in_ms(self.top_ms * 1e6)}, outside both{beyond}."


def _lies_in(row: Row, stretches: Sequence[Stretch], step: timedelta) -> bool:
    """Return whether the middle of a cell, and so most of it, lies in a stretch."""
    middle = f"{datetime.fromisoformat(row['window_start']) + step / 2:{_TIME}}"
    return any(start <= middle < end for start, end in stretches)


def _touches(row: Row, stretches: Sequence[Stretch], step: timedelta) -> bool:
    """Return whether any of a cell lies in a stretch: cells of several minutes may begin before."""
    end = f"{datetime.fromisoformat(row['window_start']) + step:{_TIME}}"
    return any(row["window_start"] < last and first < end for first, last in stretches)


def _highest(row: Row) -> float:
    return max((row[f"{name}_ms"] or 0.0 for name, _, _ in _STROKES), default=0.0)


def _middle(rows: Sequence[Row]) -> float:
    """Return the p95 of the cell in the middle, of two in the middle the lower."""
    values = sorted(row["p95_ms"] for row in rows)
    return float(values[(len(values) - 1) // 2])


def _peak(row: Row) -> str:
    return f"{in_ms(row['p95_ms'] * 1e6)} at {clock(row['window_start'])[11:16]}"


@dataclass(frozen=True)
class Shade:
    """A stretch shaded over all panels: ``incident`` or ``baseline``."""

    start: str
    end: str
    kind: str


def panels(
    id_: str, title: str, summary: str, shown: Sequence[Panel], shades: Sequence[Shade] = ()
) -> FigureBlock:
    """Return the figure; the table behind it holds every point."""
    first, last = _range(shown)
    data: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    shapes = [shape for shade in shades if (shape := _shade(shade, first, last))]
    axes: dict[str, Any] = {}
    for number, panel in enumerate(shown):
        key = "y" if number == 0 else f"y{number + 1}"
        axes[f"yaxis{key[1:]}"] = _value_axis(number, len(shown), panel.top_ms)
        data += _lines(panel, key)
        marks.append(_title(panel, key))
        shapes += [_panel_shade(stretch, key) for stretch in panel.shaded]
    marks += [_shade_title(shade, first, last) for shade in shades if _overlaps(shade, first, last)]
    made = layout(
        **axes,
        xaxis=axis(
            type="date",
            range=[first, last],
            anchor="free",
            position=0,
            showgrid=False,
            showline=True,
            hoverformat="%Y-%m-%d %H:%M:%S",
        ),
        annotations=marks,
        shapes=shapes,
        hovermode="x",
        margin={"l": 60, "r": 16, "t": _SHADE_TITLE_PX if shades else 2, "b": 40},
    )
    return FigureBlock(
        id_, title, summary, {"data": data, "layout": made},
        height_px=_FRAME_PX + _PANEL_PX * len(shown), table=_table(id_, title, shown),
    )  # fmt: skip


def _range(shown: Sequence[Panel]) -> tuple[str, str]:
    """Return the ends of the time axis: the first cell's start and the last one's end."""
    starts = {row["window_start"] for panel in shown for row in panel.rows}
    last = datetime.fromisoformat(max(starts)) + _step_of(starts)
    return f"{datetime.fromisoformat(min(starts)):{_TIME}}", f"{last:{_TIME}}"


def _step_of(starts: Iterable[str]) -> timedelta:
    """Return the width of cells that start then: the least time between two, else a minute."""
    times = sorted({datetime.fromisoformat(start) for start in starts})
    return min((after - before for before, after in pairwise(times)), default=timedelta(minutes=1))


def _value_axis(number: int, total: int, top_ms: float | None) -> dict[str, Any]:
    height = 1 / total
    scale: dict[str, Any] = {"rangemode": "tozero"} if top_ms is None else {"range": [0, top_ms]}
    top = 1 - number * height
    return axis(
        domain=[max(0.0, top - height), top - height * _GAP_SHARE],
        **scale,
        ticksuffix=" ms",
        nticks=4,
        anchor="x",
    )


def _lines(panel: Panel, key: str) -> list[dict[str, Any]]:
    times, values = _with_gaps(panel.rows)
    sizes = _marker_sizes(values["p95"], is_sparse=len(panel.rows) <= _FEW_POINTS)
    mode = "lines+markers" if any(sizes) else "lines"
    colour = BY_ROLE[panel.role]
    common = {"type": "scatter", "x": times, "yaxis": key, "mode": mode, "connectgaps": False}
    if any(sizes):
        common["marker"] = {"size": sizes, "opacity": 1, "line": {"width": 0}, "color": colour}
    return [
        {
            **common,
            "y": values[name],
            "name": name,
            "line": {"color": colour, **line},
            "opacity": opacity,
            "hovertemplate": f"{name} %{{y:,.3~s}} ms<extra></extra>",
        }
        for name, line, opacity in _STROKES
    ]


def _with_gaps(rows: Sequence[Row]) -> tuple[list[str], dict[str, list[float | None]]]:
    """Return times and percentiles by name, with an empty point where cells are missing."""
    starts = [datetime.fromisoformat(row["window_start"]).timestamp() for row in rows]
    steps = [after - before for before, after in pairwise(starts)]
    step = min(steps, default=0)
    times: list[str] = []
    values: dict[str, list[float | None]] = {name: [] for name, _, _ in _STROKES}
    for number, row in enumerate(rows):
        if number and steps[number - 1] > 1.5 * step:
            times.append(row["window_start"])
            for points in values.values():
                points.append(None)
        times.append(row["window_start"])
        for name, points in values.items():
            points.append(row[f"{name}_ms"])
    return times, values


def _marker_sizes(values: Sequence[float | None], *, is_sparse: bool) -> list[int]:
    """Return the size of each point's marker: 0 but for points with no line to either side."""
    padded = [None, *values, None]
    return [
        _MARKER_PX if is_sparse or (before is None and after is None) else 0
        for before, _, after in zip(padded, values, padded[2:], strict=False)
    ]


def _title(panel: Panel, key: str) -> dict[str, Any]:
    role = _ROLE_WORDS.get(panel.role)
    words = [word for word in (_measured(panel.unit), role) if word]
    suffix = f" <i>({', '.join(words)})</i>" if words else ""
    return {
        "text": f"<b>{text(panel.title)}</b>{suffix}",
        "xref": "paper", "x": 0, "xanchor": "left",
        "yref": f"{key} domain", "y": 1, "yanchor": "bottom",
        "showarrow": False, "font": {"color": INK, "size": 12},
    }  # fmt: skip


def _measured(unit: Unit) -> str:
    """Return what is measured, where it is not simply what the service itself took."""
    kind, _, _, downstream = unit
    waits = text(shown_name(downstream, LABEL_LENGTH))
    return {
        "client": f"as {waits} waits for it" if downstream else "",
        "gap": f"gap to {waits}",
        "self": "own time",
        "server": f"as called by {waits}" if downstream else "",
    }.get(kind, "")


def _overlaps(shade: Shade, first: str, last: str) -> bool:
    return shade.start < last and shade.end > first


def _shade(shade: Shade, first: str, last: str) -> dict[str, Any] | None:
    if not _overlaps(shade, first, last):
        return None
    return {
        "type": "rect", "xref": "x", "yref": "paper", "layer": "below",
        "x0": max(shade.start, first), "x1": min(shade.end, last), "y0": 0, "y1": 1,
        "fillcolor": f"var(--shade-{shade.kind})", "line": {"width": 0},
    }  # fmt: skip


def _shade_title(shade: Shade, first: str, last: str) -> dict[str, Any]:
    near_end = shade.kind == "incident"
    return {
        "text": {"incident": "window", "baseline": "baseline"}.get(shade.kind, ""),
        "xref": "x", "x": min(shade.end, last) if near_end else max(shade.start, first),
        "xanchor": "right" if near_end else "left",
        "yref": "paper", "y": 1, "yanchor": "bottom", "showarrow": False,
        "font": {"color": MUTED, "size": 11},
    }  # fmt: skip


def _panel_shade(stretch: tuple[str, str], key: str) -> dict[str, Any]:
    return {
        "type": "rect", "xref": "x", "yref": f"{key} domain", "layer": "below",
        "x0": stretch[0], "x1": stretch[1], "y0": 0, "y1": 1,
        "fillcolor": "var(--shade-incident)", "line": {"width": 0},
    }  # fmt: skip


def _table(id_: str, title: str, shown: Sequence[Panel]) -> TableBlock:
    columns = (
        Column("unit", "Measured"), SERVICE, OPERATION, Column("downstream", "Who waits", "name"),
        Column("window_start", "From (UTC)", "time"), CALLS,
        Column("p50_ms", "p50 ms", "ms", "percentiles"),
        Column("p95_ms", "p95 ms", "ms", "percentiles"),
        Column("p99_ms", "p99 ms", "ms", "percentiles"),
    )  # fmt: skip
    rows = [row for panel in shown for row in panel.rows]
    return table(f"{id_}-table", f"{title}: the points of the lines", columns, rows, folded=True)
