"""Components as rows of one table, whatever moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.statistics import jackknife

if TYPE_CHECKING:
    from numpy.typing import NDArray

Label = tuple[str, str, str]
"""Downstream ('' for a service's own), upstream, operation."""
KEY = ["kind", "downstream", "upstream", "operation"]

COMPONENTS = pl.Schema(
    {
        "kind": pl.String(),  # self, gap, virtual, unanswered; calls, share, retries, fallback
        "downstream": pl.String(),  # who waits; '' for self
        "upstream": pl.String(),  # whose own time; the called one; for fallback: who failed
        "operation": pl.String(),  # the operation, the one called
        "baseline_calls": pl.Int64(),
        "calls": pl.Int64(),
        "before": pl.Float64(),  # ns per call; for counts: calls per caller, share of requests
        "now": pl.Float64(),
        "excess": pl.Float64(),  # visible effect per root request: ns; of failures: their share
        "half": pl.Float64(),  # half-width of its 95 % interval
        "ratio_low": pl.Float64(),  # the typical or mean call got slower by at least this factor
        "z": pl.Float64(),  # log of that factor over its standard error
        "weight": pl.Float64(),  # 0: has not moved, 1: has moved
    }
)


def component_rows(
    kinds: str | list[str],
    labels: list[Label],
    calls: NDArray[np.float64],
    mean: NDArray[np.float64],
    excess: NDArray[np.float64],
) -> pl.DataFrame:
    """Return components as rows without evidence yet.

    Args:
        kinds: Of all, or of each.
        labels: Of each.
        calls: Before and now, shape (2, component).
        mean: Before and now, same shape.
        excess: Shape (replicate, component); the replicates give the interval.
    """
    return pl.DataFrame(
        {
            "kind": [kinds] * len(labels) if isinstance(kinds, str) else kinds,
            "downstream": [label[0] for label in labels],
            "upstream": [label[1] for label in labels],
            "operation": [label[2] for label in labels],
            "baseline_calls": calls[0],
            "calls": calls[1],
            "before": mean[0],
            "now": mean[1],
            "excess": excess[0],
            "half": jackknife(excess[1:], excess[0]),
        },
        schema={name: COMPONENTS[name] for name in COMPONENTS.names()[:10]},
        strict=False,
    )


def indexed(labels: list[Label | None]) -> tuple[NDArray[np.int64], list[Label]]:
    """Return for each path the number of its label (-1: none), and the labels in order."""
    known: dict[Label, int] = {}
    index = np.array(
        [-1 if label is None else known.setdefault(label, len(known)) for label in labels],
        dtype=np.int64,
    )
    return index, list(known)
