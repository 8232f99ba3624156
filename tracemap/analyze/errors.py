"""Finding ``errors``: what failing calls offered, and what failed downstream because of them.

The unit is not milliseconds but shares of downstream requests. Every failure of an operation is
its own or charged to one of its calls (`derive.failures`), so what arrived over all edges and what
began in the operation add up to the rise of its failures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.call_edges import CallEdges, call_edges
from tracemap.analyze.call_tree import call_tree, per
from tracemap.analyze.statistics import jackknife, rate_difference
from tracemap.analyze.thresholds import Thresholds
from tracemap.model import ERRORS, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray


def errors(
    path_facts: pl.DataFrame,
    paths: pl.DataFrame,
    incident: Window,
    baseline: Window,
    thresholds: Thresholds | None = None,
) -> pl.DataFrame:
    """Return for each pair of operations how many of an upstream's failures reached the caller.

    Only pairs with a failed call in either window. The verdicts are those of `propagation`:

    - ``too few calls``: fewer than `Thresholds.min_call_count` on either side.
    - ``no spike``: failed calls per request rose by less than `Thresholds.error_rise`, by fewer
      than `Thresholds.min_errors` in all, or the 95 % interval of the rise holds zero.
    - ``propagated``: at least `Thresholds.propagated_ratio` of the rise made requests fail;
      ``amplified`` from `Thresholds.amplified_ratio` on; ``absorbed``: less did (downstream tried
      again, had a fallback, or could do without).

    Hardness is over both windows: how much likelier a request fails that saw such a call fail than
    one that made it and did not. Unknown with fewer than `Thresholds.min_call_count` of the first.

    Args:
        path_facts: As `model.PATH_FACTS`, of both windows.
        paths: As `model.PATHS`.
        incident: The window to explain.
        baseline: The window to compare with.
        thresholds: Limits; the defaults when None.

    Returns:
        As `model.ERRORS`, what arrived most first.
    """
    limits = thresholds or Thresholds()
    edges = call_edges(call_tree(path_facts, paths, incident, baseline))
    if not edges.pairs:
        return ERRORS.empty()
    spiked = pl.col("verdict").is_in(["propagated", "amplified", "absorbed"])
    rows = _of_pairs(edges, limits).filter(
        pl.col("errors") + pl.col("baseline_errors") > 0, pl.col("downstream") != pl.col("upstream")
    ).with_columns(
        pl.when(spiked).then("ratio").alias("ratio"),
        pl.col("hardness", "hardness_low", "hardness_high").fill_nan(None),
    )  # fmt: skip
    key = list(ERRORS.key)
    return ERRORS.conform(rows).sort(
        ["arrived_errors", "offered_errors", *key], descending=[True, True, *[False] * len(key)]
    )


def _of_pairs(edges: CallEdges, limits: Thresholds) -> pl.DataFrame:
    """Return the columns of the finding for each pair of operations."""
    offered, arrived = edges.change("errors"), edges.change("charged_errors")
    offered_half, half = (jackknife(moved[1:], moved[0]) for moved in (offered, arrived))
    failed, calls = edges.sums["errors"][0], edges.sums["calls"][0]
    requests = edges.requests[0][:, edges.caller]
    ratio = per(arrived[0], np.maximum(offered[0], 0.0))
    hardness, low, high = _hardness(edges, limits)
    verdicts = _verdicts(edges, offered[0], offered_half, ratio, limits)
    return pl.DataFrame(
        {
            **edges.names(),
            "offered_errors": offered[0],
            "arrived_errors": arrived[0],
            "arrived_low": arrived[0] - half,
            "arrived_high": arrived[0] + half,
            "ratio": ratio,
            "verdict": verdicts,
            "hardness": hardness,
            "hardness_low": low,
            "hardness_high": high,
            "errors": failed[1],
            "baseline_errors": failed[0],
            "calls": calls[1],
            "baseline_calls": calls[0],
            "downstream_requests": requests[1],
        }
    )


def _verdicts(
    edges: CallEdges,
    offered: NDArray[np.float64],
    offered_half: NDArray[np.float64],
    ratio: NDArray[np.float64],
    limits: Thresholds,
) -> NDArray[np.str_]:
    """Return the verdict of each pair."""
    requests = edges.requests[0][:, edges.caller]
    calls = edges.sums["calls"][0]
    few = (requests.min(axis=0) < limits.min_call_count) | (calls[1] < limits.min_call_count)
    more = offered * requests[1]
    spiked = (offered >= limits.error_rise) & (offered > offered_half)
    spiked &= more >= limits.min_errors
    return np.select(
        [few, ~spiked, ratio < limits.propagated_ratio, ratio >= limits.amplified_ratio],
        ["too few calls", "no spike", "absorbed", "amplified"],
        "propagated",
    )


def _hardness(
    edges: CallEdges, limits: Thresholds
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return hardness and its interval per pair; not a number where too few calls failed."""
    hit, both, callers, failed = (
        edges.sums[name][0].sum(axis=0)
        for name in ("hit_callers", "hit_callers_failed", "callers", "callers_failed")
    )
    found = rate_difference((both, hit), (failed - both, callers - hit))
    known = hit >= limits.min_call_count
    value, low, high = (np.where(known, each, np.nan) for each in found)
    return value, low, high
