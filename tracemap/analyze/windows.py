"""How a named window is cut into cells of time for the statistics."""

from __future__ import annotations

from itertools import pairwise

from tracemap.model import SECOND_NS, Window

CELLS = 20
"""Cells per window: enough to see whether a rise lasted, few enough to hold calls."""


def cells(window: Window, count: int = CELLS) -> tuple[Window, ...]:
    """Return `window` cut into at most `count` equal cells of at least a second, in order."""
    count = max(1, min(count, window.duration_ns // SECOND_NS))
    edges = [window.start_ns + window.duration_ns * i // count for i in range(count + 1)]
    return tuple(Window(start, end) for start, end in pairwise(edges))
