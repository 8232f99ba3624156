"""Default windows: which time to look at and what to compare it with, where nobody said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from tracemap.model import HOUR_NS, MINUTE_NS, Window

WEEK_NS = 7 * 24 * HOUR_NS
_EARLIER_WEEKS = 4
_OBSERVED_SHARE = 0.5
"""An earlier week counts only if this share of its cells has calls: half an export is no week."""
_FULL_SHARE = 0.8
"""With calls in less than this share of its cells, a baseline's reason says in how many."""
_MOST_LEFT_OUT = 0.5
"""No cell is left free beside a window that was asked for if that costs this share of the data."""
_LONGEST_STRETCH = 6
"""A quiet stretch is cut to this many times the window (at least an hour): older is less alike."""


@dataclass(frozen=True)
class Baseline:
    """What a window is compared with.

    Attributes:
        window: The stretch of time; None: there is none.
        reason: How it was chosen, in words.
    """

    window: Window | None
    reason: str


def spike_window(spikes: pl.DataFrame, rank: int) -> Window | None:
    """Return the window of the `rank`-th spike, counted from 1; None if there are fewer.

    Args:
        spikes: As `model.SPIKES`, worst first.
        rank: Which one.
    """
    if not 1 <= rank <= spikes.height:
        return None
    row = spikes.row(rank - 1, named=True)
    return Window(row["start_ns"], row["end_ns"])


def baseline(
    window: Window,
    cells: pl.Series,
    spikes: pl.DataFrame,
    *,
    cell_ns: int = MINUTE_NS,
    is_asked_for: bool = False,
) -> Baseline:
    """Choose what to compare `window` with.

    The same hours of one of the four weeks before come first, the latest that was observed and had
    no spike: load and traffic mix are alike then. Otherwise the quiet time before the window: the
    stretch nearest to it without a spike that is at least as long as the window, else the longest.
    A spike that reaches into the window counts as part of it, not as quiet time. With nothing quiet
    before, the quiet time after it. Where calls were observed in less than 80 % of its cells, the
    reason says in how many.

    Args:
        window: What is looked at.
        cells: Starts of the cells of time in which calls were observed, ns since the epoch.
        spikes: As `model.SPIKES`.
        cell_ns: Width of a cell.
        is_asked_for: Whether somebody said when it began and ended: then the cell next to it is
            part of the quiet time where half of the data, or more, lie there.
    """
    chosen = _chosen(window, cells, spikes, cell_ns, window if is_asked_for else None)
    if chosen.window is None:
        return chosen
    return Baseline(chosen.window, chosen.reason + _holes(chosen.window, cells, cell_ns))


def _holes(window: Window, cells: pl.Series, cell_ns: int) -> str:
    """Return a remark on how many minutes of `window` hold calls; '' where most do."""
    seen, whole = _cells_in(cells, window), max(1, window.duration_ns // cell_ns)
    if seen >= _FULL_SHARE * whole:
        return ""
    return f", with data in {seen:,} of {whole:,} minutes"


def _chosen(
    window: Window, cells: pl.Series, spikes: pl.DataFrame, cell_ns: int, asked: Window | None
) -> Baseline:
    busy = sorted(
        Window(start, end) for start, end in spikes.select("start_ns", "end_ns").iter_rows()
    )
    for weeks in range(1, _EARLIER_WEEKS + 1):
        earlier = Window(window.start_ns - weeks * WEEK_NS, window.end_ns - weeks * WEEK_NS)
        wanted = _OBSERVED_SHARE * earlier.duration_ns / cell_ns
        quiet = not any(_overlap(earlier, episode) for episode in busy)
        if quiet and _cells_in(cells, earlier) >= max(1, wanted):
            ago = "one week" if weeks == 1 else f"{weeks} weeks"
            return Baseline(earlier, f"the same hours {ago} before the window")
    if cells.is_empty():
        return Baseline(None, "there is nothing to compare with: no calls were observed")
    times_ns = cells.to_list()
    first, last = min(times_ns), max(times_ns) + cell_ns
    longest_ns = max(_LONGEST_STRETCH * window.duration_ns, HOUR_NS)
    before = _stretches(Window(first, window.start_ns), busy, cells, cell_ns, asked)
    if before:
        chosen = _nearest(before[::-1], window.duration_ns)
        start_ns = max(chosen.start_ns, chosen.end_ns - longest_ns)
        return Baseline(Window(start_ns, chosen.end_ns), "the quiet time before the window")
    after = _stretches(Window(window.end_ns, last), busy, cells, cell_ns, asked)
    if after:
        chosen = _nearest(after, window.duration_ns)
        end_ns = min(chosen.end_ns, chosen.start_ns + longest_ns)
        return Baseline(
            Window(chosen.start_ns, end_ns),
            "as nothing quiet was recorded before, the quiet time after the window",
        )
    return Baseline(None, "there is nothing to compare with: no quiet time outside the window")


def _overlap(one: Window, other: Window) -> bool:
    return one.start_ns < other.end_ns and other.start_ns < one.end_ns


def _cells_in(cells: pl.Series, window: Window) -> int:
    return int(((cells >= window.start_ns) & (cells < window.end_ns)).sum())


def _stretches(
    span: Window, busy: Sequence[Window], cells: pl.Series, cell_ns: int, asked: Window | None
) -> list[Window]:
    """Return the parts of `span` that no spike touches and that have calls, in order of time.

    A cell next to a spike is left out where the stretch stays long enough: spikes do not start and
    end on the grid. Beside the window that was asked for see `_trimmed`.
    """
    reached_ns = span.start_ns
    edges = [span.start_ns]
    for episode in busy:
        if episode.end_ns <= reached_ns or episode.start_ns >= span.end_ns:
            continue
        edges += [max(episode.start_ns, reached_ns), min(episode.end_ns, span.end_ns)]
        reached_ns = edges[-1]
    edges.append(span.end_ns)
    quiet = [Window(start, end) for start, end in list(pairwise(edges))[::2] if end > start]
    trimmed = [_trimmed(stretch, cells, cell_ns, asked) for stretch in quiet]
    return [stretch for stretch in trimmed if _cells_in(cells, stretch)]


def _trimmed(stretch: Window, cells: pl.Series, cell_ns: int, asked: Window | None) -> Window:
    """Return a stretch without the cells at its ends, where it stays long enough.

    The cell next to the window that was asked for stays where most of the data lie in it.
    """
    if stretch.duration_ns < 5 * cell_ns:
        return stretch
    trimmed = Window(stretch.start_ns + cell_ns, stretch.end_ns - cell_ns)
    if asked is None:
        return trimmed
    start_ns = stretch.start_ns if stretch.start_ns == asked.end_ns else trimmed.start_ns
    end_ns = stretch.end_ns if stretch.end_ns == asked.start_ns else trimmed.end_ns
    whole = Window(start_ns, end_ns)
    kept, all_of_it = (
        _cells_in(cells, Window(each.start_ns, each.end_ns - cell_ns + 1))
        for each in (trimmed, whole)
    )
    return whole if kept <= _MOST_LEFT_OUT * all_of_it else trimmed


def _nearest(stretches: Sequence[Window], least_ns: int) -> Window:
    """Return the first stretch of at least `least_ns`, else the longest."""
    for stretch in stretches:
        if stretch.duration_ns >= least_ns:
            return stretch
    return max(stretches, key=lambda stretch: stretch.duration_ns)
