"""In which cells of time to look for exemplars, chosen from facts.

Only the spans of these cells are read, so that an exemplar costs little however long the window.
"""

from __future__ import annotations

import polars as pl

from tracemap.model import EXEMPLAR_CELLS, Window
from tracemap.model.histogram import value

_NAMES = ("downstream", "service", "operation")


def exemplar_cells(
    places: pl.DataFrame, latency_facts: pl.DataFrame, slow: Window, typical: Window
) -> pl.DataFrame:
    """Return the cell with the slowest call (or most failures), and one with a median call.

    Args:
        places: As `model.EXEMPLAR_PLACES`.
        latency_facts: As `model.LATENCY_FACTS`.
        slow: Where slow calls are looked for.
        typical: Where typical ones are.

    Returns:
        As `model.EXEMPLAR_CELLS`, sorted by number and role; no row where there is no call.
    """
    any_named = [places[column].is_null() for column in ("downstream", "operation")]
    parts = [EXEMPLAR_CELLS.empty()]
    for asked in places.with_columns(a=any_named[0], b=any_named[1]).partition_by("a", "b"):
        keys = ["unit", *(name for name in _NAMES if asked[name].null_count() == 0)]
        seen = (
            asked.select("number", "failing", *keys)
            .join(latency_facts, on=keys)
            .group_by("number", "failing", "window_start_ns", "bucket")
            .agg(pl.col("count", "errors").sum())
        )
        time = pl.col("window_start_ns")
        shown = _worst(seen.filter(slow.contains(time)))
        usual = _median(seen.filter(typical.contains(time)))
        chosen = pl.concat([shown, usual]).join(asked.drop("failing"), on="number")
        parts.append(EXEMPLAR_CELLS.conform(chosen))
    return pl.concat(parts).sort("number", "role")


def _worst(seen: pl.DataFrame) -> pl.DataFrame:
    """Return the cell of the slowest call of each; of what fails, that with most failures."""
    failures = pl.when("failing").then(pl.col("errors").sum().over("number", "window_start_ns"))
    order = seen.with_columns(failures=failures.fill_null(0)).sort(
        "number", "failures", "bucket", "count", "window_start_ns",
        descending=[False, True, True, True, False],
    )  # fmt: skip
    return order.group_by("number", maintain_order=True).first().select(
        "number", "failing", "window_start_ns",
        role=pl.lit("shows"), middle_ns=pl.lit(0, dtype=pl.Int64),
    )  # fmt: skip


def _median(seen: pl.DataFrame) -> pl.DataFrame:
    """Return the median of each, and the cell with most calls that took about as long."""
    ordered = seen.sort("number", "bucket")
    below = pl.col("count").cum_sum().over("number") * 2
    reached = ordered.filter(below >= pl.col("count").sum().over("number"))
    middle = reached.group_by("number", maintain_order=True).agg(middle=pl.col("bucket").first())
    order = (
        seen.join(middle, on="number")
        .filter(pl.col("bucket") == pl.col("middle"))
        .sort("number", "count", "window_start_ns", descending=[False, True, False])
    )
    return order.group_by("number", maintain_order=True).first().select(
        "number", "failing", "window_start_ns",
        role=pl.lit("typical"), middle_ns=value(pl.col("middle")),
    )  # fmt: skip
