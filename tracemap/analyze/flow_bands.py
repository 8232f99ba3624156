"""Finding ``flow_bands``: where the change around p50, p95 and p99 of a root operation went.

Percentiles are not additive, the mean of the requests around one is: the same split as ``flow``,
for these requests alone (docs/methods.md).
"""

from __future__ import annotations

from itertools import product
from math import ceil, floor
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.call_tree import call_tree
from tracemap.analyze.flow import flow_of
from tracemap.analyze.thresholds import Thresholds
from tracemap.model import BAND_LIMITS, FLOW_BANDS, Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracemap.analyze.call_tree import CallTree

BANDS: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {"p50": (0.5, 0.02, 0.1), "p95": (0.95, 0.01, 0.05), "p99": (0.99, 0.004, 0.01)}
)
"""Rank, half-width, and half-width at most: five times as wide, and never past the slowest."""
ROOTS = 3
"""Root operations that are looked at: each costs a share of their spans."""
_ROOT = ["service", "operation"]
_FLOW_ROOT = ["root_service", "root_operation"]


def changed_roots(flow: pl.DataFrame) -> pl.DataFrame:
    """Return the few root operations whose change cost most in all: change x requests.

    Args:
        flow: As `model.FLOW`.

    Returns:
        Columns ``service`` and ``operation``, at most `ROOTS` rows, the most costly first.
    """
    leaves = flow.filter(pl.col("leaf") != "")
    cost = (pl.col("share_ns").sum().cast(pl.Float64) * pl.col("requests").first()).abs()
    return (
        leaves.group_by(service="root_service", operation="root_operation")
        .agg(cost=cost)
        .sort("cost", *_ROOT, descending=[True, False, False])
        .select(_ROOT)
        .head(ROOTS)
    )


def band_limits(
    durations: pl.DataFrame,
    incident: Window,
    baseline: Window,
    thresholds: Thresholds | None = None,
) -> pl.DataFrame:
    """Return between which durations each band lies, in each window.

    A band is as wide as `BANDS` says, in both windows the same share of their requests, wider
    where fewer than `Thresholds.min_band_requests` would lie in it. Requests that took exactly as
    long as one of a band are in it too. A band that would be too wide is left out, and all are
    where the windows overlap.

    Args:
        durations: As `model.ROOT_DURATIONS`, of both windows.
        incident: The window to explain.
        baseline: The window to compare with.
        thresholds: Limits; the defaults when None.

    Returns:
        As `model.BAND_LIMITS`, two rows per band and root operation.
    """
    least = (thresholds or Thresholds()).min_band_requests
    found = []
    if incident.start_ns >= baseline.end_ns or baseline.start_ns >= incident.end_ns:
        ordered = durations.sort(*_ROOT, "window_start_ns", "duration_ns")
        taken = {
            key: rows["duration_ns"]
            for key, rows in ordered.partition_by(
                *_ROOT, "window_start_ns", as_dict=True, maintain_order=True
            ).items()
        }
        roots = ordered.select(_ROOT).unique(maintain_order=True).rows()
        for root, (band, shape) in product(roots, BANDS.items()):
            sides = [taken.get((*root, w.start_ns), pl.Series()) for w in (baseline, incident)]
            half = _half_width(min(side.len() for side in sides), shape, least)
            if half is not None:
                for side, window in zip(sides, (baseline, incident), strict=True):
                    edges = _edges(side, shape[0], half)
                    found.append((band, *root, window.start_ns, *edges))
    return pl.DataFrame(found, schema=BAND_LIMITS.schema, orient="row")


def flow_bands(
    band_facts: pl.DataFrame,
    limits: pl.DataFrame,
    paths: pl.DataFrame,
    incident: Window,
    baseline: Window,
    *,
    thresholds: Thresholds | None = None,
) -> pl.DataFrame:
    """Return where the change of the requests around each percentile went.

    The leaves of ``flow``, for the requests of a band instead of all. They add up to the change of
    the band's mean, exactly; ``smoothing_ns`` is by how much that differs from the change of the
    percentile. A negative share does not mean that today's slow requests improved: it is
    what made requests slow before and no longer does.

    Args:
        band_facts: As `model.BAND_FACTS`, of both windows.
        limits: As `model.BAND_LIMITS`, with which those were made.
        paths: As `model.PATHS`.
        incident: The window to explain.
        baseline: The window to compare with.
        thresholds: Limits; the defaults when None.

    Returns:
        As `model.FLOW_BANDS`, root operations whose bands moved most first.
    """
    windows, parts = (incident, baseline), [FLOW_BANDS.empty()]
    moved = _quantile_changes(limits, *windows)
    for (band,), facts in band_facts.group_by("band", maintain_order=True):
        tree = call_tree(facts, paths, *windows)
        leaves = flow_of(tree, thresholds or Thresholds()).filter(pl.col("leaf") != "")
        named = leaves.with_columns(
            band=pl.lit(band), band_change_ns=pl.col("share_ns").sum().over(_FLOW_ROOT)
        )
        named = named.join(_baseline_requests(tree), on=_FLOW_ROOT)
        named = named.join(moved, on=["band", *_FLOW_ROOT]).with_columns(
            smoothing_ns=pl.col("band_change_ns") - pl.col("quantile_change_ns")
        )
        parts.append(FLOW_BANDS.conform(named))
    found = pl.concat(parts)
    most = pl.col("band_change_ns").abs().max().over(_FLOW_ROOT)
    place = pl.struct("path_id", "leaf").cum_count().over("band", *_FLOW_ROOT)
    return (
        found.with_columns(most=most, place=place)
        .sort("most", *_FLOW_ROOT, "band", "place", descending=[True, *[False] * 4])
        .drop("most", "place")
    )


def _quantile_changes(limits: pl.DataFrame, incident: Window, baseline: Window) -> pl.DataFrame:
    """Return by how much each percentile itself changed."""
    during, before = (
        limits.filter(window_start_ns=window.start_ns).select(
            "band", pl.col("service", "operation").name.prefix("root_"), "quantile_ns"
        )
        for window in (incident, baseline)
    )
    both = during.join(before, on=["band", *_FLOW_ROOT], suffix="_before")
    change = pl.col("quantile_ns") - pl.col("quantile_ns_before")
    return both.select("band", *_FLOW_ROOT, quantile_change_ns=change)


def _baseline_requests(tree: CallTree) -> pl.DataFrame:
    """Return how many requests of each root operation the baseline has."""
    calls = tree.sums["calls"][0, 0, tree.roots].astype("int64")
    roots = tree.paths.select(pl.col("service", "operation").name.prefix("root_"))
    return roots[tree.roots].with_columns(baseline_requests=pl.Series(calls, dtype=pl.Int64))


def _half_width(requests: int, shape: tuple[float, float, float], least: int) -> float | None:
    """Return how far a band reaches to each side; None where it would be too wide."""
    _, half, most = shape
    needed = max(half, least / (2 * requests)) if requests else most + 1
    return needed if needed <= most else None


def _edges(durations: pl.Series, rank: float, half: float) -> tuple[int, int, int]:
    """Return shortest and longest request of a band, and the percentile, of sorted durations."""
    count = durations.len()
    first = max(0, floor((rank - half) * count))
    last = min(count, ceil((rank + half) * count)) - 1
    return durations[first], durations[last], durations[ceil(rank * count) - 1]
