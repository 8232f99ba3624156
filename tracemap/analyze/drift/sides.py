"""The two sides of a comparison, numbered by edge and cut into cells of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tracemap.analyze.windows import sided
from tracemap.model import USER, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

EDGE = ["downstream", "upstream", "connection_type"]


@dataclass(frozen=True)
class Sides:
    """Facts of window (``during`` true) and baseline (false).

    Attributes:
        edges: One row per edge, sorted by `EDGE`, with its number ``edge`` (Int64).
        calls: `model.EDGE_FACTS` plus ``edge``, ``during`` and ``cell``.
        latency: `model.LATENCY_FACTS` plus ``during`` and ``cell``; ``downstream`` of requests
            from outside is `model.USER`.
        cell_counts: Cells with any call in baseline and window.
    """

    edges: pl.DataFrame
    calls: pl.DataFrame
    latency: pl.DataFrame
    cell_counts: tuple[int, int]


def sides(
    edge_facts: pl.DataFrame, latency_facts: pl.DataFrame, window: Window, baseline: Window
) -> Sides:
    """Return the facts of two windows side by side. Calls within one service are left out."""
    between = edge_facts.filter(pl.col("downstream") != pl.col("upstream"))
    calls = sided(between, window, baseline).rename({"window_start_ns": "cell"})
    edges = calls.select(EDGE).unique().sort(EDGE).with_row_index("edge")
    edges = edges.with_columns(pl.col("edge").cast(pl.Int64))
    latency = sided(latency_facts, window, baseline).rename({"window_start_ns": "cell"})
    counts = dict(latency.group_by("during").agg(pl.col("cell").n_unique()).iter_rows())
    return Sides(
        edges=edges,
        calls=calls.join(edges, on=EDGE),
        latency=_outside_named(latency, between),
        cell_counts=(counts.get(False, 0), counts.get(True, 0)),
    )


def _outside_named(latency: pl.DataFrame, edge_facts: pl.DataFrame) -> pl.DataFrame:
    """Name who waits for requests from outside: facts of operations have '' there."""
    entries = (
        edge_facts.filter(pl.col("downstream") == USER)
        .select(
            pl.col("upstream").alias("service"), pl.col("upstream_operation").alias("operation")
        )
        .unique()
        .with_columns(outside=pl.lit(value=True))
    )
    is_outside = (pl.col("unit") == "server") & (pl.col("downstream") == "") & pl.col("outside")
    return (
        latency.join(entries, on=["service", "operation"], how="left")
        .with_columns(
            downstream=pl.when(is_outside.fill_null(value=False))
            .then(pl.lit(USER))
            .otherwise("downstream")
        )
        .drop("outside")
    )


def both(frame: pl.DataFrame, values: list[str], by: str = "edge") -> pl.DataFrame:
    """Return one row per unit: `values` of the window, and of the baseline as ``baseline_*``.

    Args:
        frame: One row per unit and side, column ``during``.
        values: Columns to put side by side; null where a side has no row.
        by: Name of the column that tells units apart.
    """
    now = frame.filter(pl.col("during")).select(by, *values)
    before = frame.filter(~pl.col("during")).select(
        by, *(pl.col(name).alias(f"baseline_{name}") for name in values)
    )
    return now.join(before, on=by, how="full", coalesce=True).sort(by)


def stacked(rows: pl.DataFrame, *names: str) -> dict[str, NDArray[np.float64]]:
    """Return columns that `both` made as arrays (side, unit), baseline first.

    NaN where a side has no row.
    """
    return {
        name: np.stack(
            [
                rows[side + name].cast(pl.Float64).fill_null(np.nan).to_numpy()
                for side in ("baseline_", "")
            ]
        )
        for name in names
    }
