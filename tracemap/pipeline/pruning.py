"""Pruned hours: which windows still have their spans, and what to prune next."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from tracemap.errors import NoDataError, PipelineError
from tracemap.model import HOUR_NS, Window
from tracemap.store import Store

_DURATION = re.compile(r"(?P<count>\d{1,6})\s*(?P<unit>[hdw])", re.ASCII)
_UNITS_NS = {"h": HOUR_NS, "d": 24 * HOUR_NS, "w": 7 * 24 * HOUR_NS}


def duration_ns(text: str, option: str) -> int:
    """Return a duration such as ``14d``, ``36h`` or ``8w`` in nanoseconds.

    Raises:
        PipelineError: If it is none.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise PipelineError(
            f"{text!r} is no duration",
            where=option,
            hint="write hours, days or weeks: 36h, 14d, 8w",
        )
    return int(match["count"]) * _UNITS_NS[match["unit"]]


def prunable(store: Store, keep_ns: int) -> Window | None:
    """Return the time whose spans are older than `keep_ns` before the end of the data, or None.

    The end of the data counts, not the clock: an old export is not emptied by looking at it late.
    Hours whose spans have no possible time are left alone.
    """
    covered = store.covered()
    if covered is None:
        return None
    start_ns = covered.start_ns // HOUR_NS * HOUR_NS
    end_ns = (covered.end_ns - keep_ns) // HOUR_NS * HOUR_NS
    return Window(start_ns, end_ns) if end_ns > start_ns else None


def overlapping(pruned: Sequence[Window], window: Window) -> bool:
    """Return whether any pruned hour touches `window`."""
    return any(hour.start_ns < window.end_ns and window.start_ns < hour.end_ns for hour in pruned)


def unpruned_minutes(pruned: Sequence[Window], minutes: pl.Series) -> pl.Series:
    """Return those of `minutes` whose spans are there."""
    hours = pl.Series([hour.start_ns for hour in pruned], dtype=pl.Int64)
    return minutes.filter(~(minutes // HOUR_NS * HOUR_NS).is_in(hours.implode()))


def unpruned_spikes(pruned: Sequence[Window], spikes: pl.DataFrame) -> pl.DataFrame:
    """Return those of `spikes` whose spans are there: only these can be taken apart."""
    kept = [
        not overlapping(pruned, Window(start_ns, end_ns))
        for start_ns, end_ns in spikes.select("start_ns", "end_ns").iter_rows()
    ]
    return spikes.filter(pl.Series(kept, dtype=pl.Boolean))


def require_spans(pruned: Sequence[Window], window: Window, option: str) -> None:
    """Raise an error that names `option` where spans of `window` were pruned.

    Raises:
        NoDataError: If some were.
    """
    if overlapping(pruned, window):
        raise NoDataError(
            f"spans of the window {window} were pruned",
            where=option,
            hint="facts are there: tracemap drift, tracemap run weekly, tracemap edges",
        )
