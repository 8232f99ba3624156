"""How sure it is that the mean call got slower: a fault that hits some calls, and not the typical.

One instance of ten, one shard, a lock that is sometimes held: where a tenth of the calls takes ten
times as long, the geometric mean of all hardly moves. Their mean does, and the mean is what users
wait for; but a single giant request moves it, too. So it counts only as far as leaving out any
part of the traces, and any cell of time, leaves it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_tree import per
from tracemap.analyze.statistics import NORMAL_95, jackknife
from tracemap.analyze.variation import MIN_CELLS, standard_error, t_95

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.analyze.thresholds import Thresholds


def mean_rise(
    usual: NDArray[np.float64], by_trace: NDArray[np.float64], by_cell: NDArray[np.float64]
) -> pl.DataFrame:
    """Return by what factor the mean call of each component got slower, and how sure that is.

    Its standard error is that of ordinary variation (`variation`): the larger of leaving out one
    fiftieth of the traces after the other, and one cell of time after the other.

    Args:
        usual: What each component cost the mean request before, in ns.
        by_trace: By how much that rose, shape (replicate, component); row 0 is all data.
        by_cell: The same, replicates leave out cells of time.

    Returns:
        One row per component: ``mean_ratio_low`` (lower end of the 95 % interval) and ``mean_z``;
        null with fewer than `MIN_CELLS` cells, and where nothing was there before.
    """
    rise, cells = by_trace[0], by_cell.shape[0] - 1
    half = jackknife(by_trace[1:], rise)
    known = (usual > 0) & (cells >= MIN_CELLS)
    if cells >= MIN_CELLS:
        half = np.maximum(half, t_95(cells - 1) * standard_error(by_cell[1:]))
    low = per(usual + rise - half, np.maximum(usual, 0.0)).clip(0.0)
    z = per(NORMAL_95 * rise, half)
    return pl.DataFrame(
        {
            name: pl.Series(np.where(known & (half > 0), each, np.nan)).fill_nan(None)
            for name, each in (("mean_ratio_low", low), ("mean_z", z))
        }
    )


def or_mean(rows: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return components with the evidence of the mean call where that of the typical says less.

    It has to be very certain (`Thresholds.strong_z`): means of a few calls move easily.

    Args:
        rows: With ``ratio_low`` and ``z`` of the typical call, and the columns of `mean_rise`.
        limits: Thresholds.
    """
    says_more = pl.col("mean_ratio_low") > pl.col("ratio_low")
    counts = says_more & (pl.col("mean_z") >= limits.strong_z)
    return rows.with_columns(
        ratio_low=pl.when(counts).then("mean_ratio_low").otherwise("ratio_low"),
        z=pl.when(counts).then("mean_z").otherwise("z"),
    )
