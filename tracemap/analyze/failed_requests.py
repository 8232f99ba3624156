"""How many requests of users failed in a window, and when most of them did."""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.model import MINUTE_NS, FailedRequests, Numbers, Window

_MOST = 0.8
"""A stretch that holds this share of the failures holds most of them."""
_SHORT = 0.5
"""A stretch of more than this share of the minutes with requests says nothing about when."""


def failed_requests(latency_facts: pl.DataFrame, minutes: pl.DataFrame) -> FailedRequests:
    """Return how many requests of users there were, how many failed, and when most of these did.

    A request of a user is what a service served that no observed service asked for. The stretch is
    the shortest one of whole minutes that holds four fifths of the failures; None where it takes
    more than half of the minutes with requests: they fail all the time then.

    Nobody is accused: nothing is compared, and what always fails counts as well.

    Args:
        latency_facts: As `model.LATENCY_FACTS`, of the window, in cells of any width.
        minutes: The same on the stored grid.
    """
    requests, failed = _of_users(latency_facts).select(pl.col("count", "errors").sum()).row(0)
    time = "window_start_ns"
    each = _of_users(minutes).group_by(time).agg(pl.col("errors").sum()).sort(time)
    most = _shortest(each[time].to_numpy(), each["errors"].to_numpy())
    return FailedRequests(requests, failed, most)


def _of_users(latency_facts: pl.DataFrame) -> pl.DataFrame:
    return latency_facts.filter(pl.col("unit").eq("server") & pl.col("downstream").eq(""))


def _shortest(starts: Numbers, errors: Numbers) -> Window | None:
    """Return the shortest stretch of minutes that holds most errors, if it is short."""
    total = int(errors.sum())
    if total == 0:
        return None
    until = np.concatenate([[0], np.cumsum(errors)])
    last = np.searchsorted(until, until[:-1] + _MOST * total) - 1
    reached = np.flatnonzero(last < len(starts))
    first = reached[np.argmin(starts[last[reached]] - starts[reached])]
    if last[first] - first + 1 > _SHORT * len(starts):
        return None
    return Window(int(starts[first]), int(starts[last[first]]) + MINUTE_NS)
