"""What all figures share: names of colours, the bare layout, and text plotly cannot misread."""

from __future__ import annotations

from html import escape
from typing import Any

from tracemap.report.names import shown

LETTER_PX = 6.6
"""About how wide a letter of a label is."""
INK = "var(--ink)"
MUTED = "var(--muted)"
GRID = "var(--grid)"
SURFACE = "var(--surface)"
BY_ROLE = {
    "origin": "var(--origin)",
    "lead": "var(--between)",
    "spike": "var(--origin)",
    "victim": "var(--victim)",
    "between": "var(--between)",
    "user": "var(--between)",
}
HEAT = [[step / 4, f"var(--heat-{step})"] for step in range(5)]
"""One hue, light to dark (in the dark: dark to light), on all of which text can be read."""


def text(name: str) -> str:
    """Return a name as plotly shows it literally: plotly reads a small part of HTML."""
    return escape(name, quote=False)


def lines(name: str, length: int) -> str:
    """Return a name for plotly, service and operation below each other: half as wide."""
    return "<br>".join(text(shown(part, length)) for part in name.split(" · "))


def width_px(label: str) -> int:
    """Return about how wide a label made by `lines` is."""
    return int(LETTER_PX * max(len(part) for part in label.split("<br>")))


def layout(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the layout every figure starts from, laid over with `more`."""
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": INK, "size": 12, "family": "system-ui, sans-serif"},
        "margin": {"l": 56, "r": 16, "t": 28, "b": 40},
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": SURFACE,
            "bordercolor": GRID,
            "font": {"color": INK, "size": 12},
            "align": "left",
        },
        **more,
    }


def axis(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an axis with quiet lines, laid over with `more`."""
    return {
        "gridcolor": GRID,
        "linecolor": GRID,
        "zeroline": False,
        "tickfont": {"color": MUTED, "size": 11},
        "fixedrange": True,
        **more,
    }


def bare(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an axis of which nothing is seen."""
    return axis(showgrid=False, showticklabels=False, showline=False, ticks="", **more)
