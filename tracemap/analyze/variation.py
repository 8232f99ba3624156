"""Ordinary variation: which rises are larger than the windows vary among themselves.

Leaving out hash buckets of traces measures chance in which requests were recorded; leaving out
cells of time measures how much a latency varies from minute to minute anyway, bursts included. The
larger of the two counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracemap.analyze.call_tree import call_tree, per
from tracemap.analyze.statistics import NORMAL_95, discoveries, upper_tail
from tracemap.analyze.windows import sided

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from tracemap.model import Window

MIN_CELLS = 5
"""With fewer cells of time in a window there is no telling how it varies."""


def standard_error(replicates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the jackknife's standard error, from replicates that each leave out one part.

    ``sqrt((k-1)/k * sum((replicate - mean)^2))`` with k parts (Efron & Stein 1981); zero with fewer
    than two.

    Args:
        replicates: One row per part left out, any further shape.
    """
    parts = replicates.shape[0]
    if parts < 2:  # noqa: PLR2004 - one part has no spread
        return np.zeros(replicates.shape[1:])
    spread = ((replicates - replicates.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(np.sqrt((parts - 1) / parts * spread))


def cells_seen(path_facts: pl.DataFrame, incident: Window, baseline: Window) -> int:
    """Return how many cells of time hold calls, in the window that has fewer."""
    facts = sided(path_facts, incident, baseline)
    return min(facts.filter(during=side)["window_start_ns"].n_unique() for side in (False, True))


def root_halves(
    path_facts: pl.DataFrame, paths: pl.DataFrame, incident: Window, baseline: Window
) -> dict[int, float]:
    """Return how far the change of each root operation's mean may be off by ordinary variation.

    Half-widths of 95 % intervals in ns, by path, from leaving out one cell of time after the other;
    none with fewer than `MIN_CELLS` cells.

    Args:
        path_facts: As `model.PATH_FACTS`, cut into cells of time.
        paths: As `model.PATHS`.
        incident: The window to explain.
        baseline: The window to compare with.
    """
    cells = cells_seen(path_facts, incident, baseline)
    if cells < MIN_CELLS:
        return {}
    measures = ("calls", "duration_ns")
    tree = call_tree(path_facts, paths, incident, baseline, by_cell=True, measures=measures)
    mean = per(tree.sums["duration_ns"][:, :, tree.roots], tree.sums["calls"][:, :, tree.roots])
    error = standard_error((mean[:, 1] - mean[:, 0])[1:])
    ids = tree.paths["path_id"].gather(tree.roots.tolist())
    return dict(zip(ids.to_list(), (t_95(cells - 1) * error).tolist(), strict=True))


def t_95(degrees: int) -> float:
    """Return the half-width of a 95 % interval in standard errors, by Student's t.

    The first terms of its expansion in 1/degrees (Fisher & Cornish 1960): within 0.05 from four
    degrees of freedom on.
    """
    z = NORMAL_95
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / degrees + second / degrees**2


def beyond_variation(
    rises: tuple[NDArray[np.float64], NDArray[np.float64]],
    cells: int,
    tested: NDArray[np.bool_],
    rate: float,
) -> NDArray[np.bool_]:
    """Return which rises are larger than ordinary variation explains, of all that were tested.

    One-sided t tests of the rise over the larger of its two standard errors, at a false discovery
    rate: of fifty edges looked at, one in twenty would pass a test of its own by chance.

    Args:
        rises: Replicates of each rise (row 0: all data): leaving out a hash bucket of traces, and
            leaving out a cell of time.
        cells: Cells of time that hold calls, in the window that has fewer.
        tested: Which rises are looked at.
        rate: False discoveries allowed.
    """
    by_trace, by_cell = rises
    if cells < MIN_CELLS:
        return tested.copy()
    error = np.maximum(standard_error(by_trace[1:]), standard_error(by_cell[1:]))
    t = np.divide(by_cell[0], error, out=np.full_like(error, np.inf), where=error > 0)
    chance = upper_tail(t[tested], np.full(int(tested.sum()), cells - 1.0))
    beyond = np.zeros(tested.shape, dtype=np.bool_)
    beyond[tested] = discoveries(chance, rate)
    return beyond
