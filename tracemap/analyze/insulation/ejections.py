"""Ejections: a load balancer that leaves out an instance that failed, while others go on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from tracemap.analyze.insulation.seen import SITE, Seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds

_BEFORE = 2
"""Failures that lead to an ejection are looked for in this many cells before it."""


class _Ejected(NamedTuple):
    """One instance that was left out once or more, on one edge.

    Attributes:
        times: How often.
        spared: Calls it would have got meanwhile.
        failed, before: Calls that failed and calls in the cells before.
        returned: Whether it got calls again.
    """

    times: int
    spared: float
    failed: float
    before: float
    returned: bool


def ejections(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return the edges on which an instance of upstream that failed got no calls for a while.

    Two things must hold. For several cells of time in a row it got no calls while others did, so
    many that by its usual share this would happen by chance with less than
    `Thresholds.absence_chance`. And in the two cells before, at least `Thresholds.min_occurrences`
    of its calls failed, a share larger than that of the others by `Thresholds.breaker_errors`. If
    it never gets calls again it may have crashed: confidence is weak. An instance that stops
    without failures was taken out of service, and one that fails and still gets calls was not
    ejected: neither is named.

    Returns:
        Columns `SITE`, ``pattern``, ``occurrences`` (calls it was spared), ``opportunities``
        (calls), ``rescued`` (those that would have failed), ``is_strong``, ``shows``.
    """
    part, count = pl.col("part"), pl.col("count")
    cells = (
        seen.cells.filter(pl.col("pattern") == "instance")
        .group_by(*SITE, "window_start_ns", instance=part // 2)
        .agg(calls=count.sum(), failed=count.filter(part % 2 == 1).sum())
        .sort(*SITE, "window_start_ns", "instance")
    )
    rows = []
    for site, mine in cells.group_by(SITE, maintain_order=True):
        calls, failed = _by_cell(mine, "calls"), _by_cell(mine, "failed")
        found = [
            one
            for place in range(calls.shape[1])
            if (one := _ejected(calls, failed, place, limits)) is not None
        ]
        if found:
            rows.append(_row(site, found, round(float(calls.sum()))))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


_SCHEMA = {
    **dict.fromkeys((*SITE, "pattern"), pl.String()),
    **dict.fromkeys(("occurrences", "opportunities", "rescued"), pl.Int64()),
    "is_strong": pl.Boolean(),
    "shows": pl.String(),
}


def _by_cell(cells: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """Return one number per cell of time and instance."""
    table = cells.pivot(
        "instance", index="window_start_ns", values=name, aggregate_function="sum"
    ).sort("window_start_ns")
    return table.drop("window_start_ns").fill_null(0).to_numpy().astype(np.float64)


def _ejected(
    calls: NDArray[np.float64], failed: NDArray[np.float64], place: int, limits: Thresholds
) -> _Ejected | None:
    """Return how an instance was left out; None: it was not."""
    own, total = calls[:, place], calls.sum(axis=1)
    served = own > 0
    share = own[served].sum() / total[served].sum()
    if share >= 1:  # there is no other
        return None
    found = _Ejected(0, 0.0, 0.0, 0.0, returned=False)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], served, [True]]).astype(int)))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        expected = share * total[first:end].sum()
        before = slice(max(0, first - _BEFORE), first)
        bad, all_of_it = failed[before, place].sum(), own[before].sum()
        others = (failed[before].sum() - bad) / max(total[before].sum() - all_of_it, 1.0)
        if (
            expected >= -math.log(limits.absence_chance)
            and bad >= limits.min_occurrences
            and bad / all_of_it >= others + limits.breaker_errors
        ):
            found = _Ejected(
                found.times + 1,
                found.spared + expected,
                found.failed + bad,
                found.before + all_of_it,
                returned=found.returned or bool(end < served.size),
            )
    return found if found.times else None


def _row(site: tuple[Any, ...], found: list[_Ejected], calls: int) -> tuple[Any, ...]:
    spared = sum(one.spared for one in found)
    failed, before = sum(one.failed for one in found), sum(one.before for one in found)
    times, returned = sum(one.times for one in found), any(one.returned for one in found)
    shows = (
        f"{len(found)} instance{'s' * (len(found) > 1)} left out {times} time{'s' * (times > 1)}"
        f" after {failed:.0f} of {before:.0f} calls to it failed, while others went on"
    )
    ending = "" if returned else "; it has not come back, so it may have crashed"
    rescued = round(spared * failed / before)
    return (
        *site, "ejection", round(spared), calls, rescued,
        returned and spared >= 1, shows + ending,
    )  # fmt: skip
