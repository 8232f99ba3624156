"""Finding ``whatif``: what a change to one upstream would have done to whoever waits for it."""

from __future__ import annotations

import polars as pl

from tracemap.model import WHATIF
from tracemap.model.histogram import percentiles

MIN_FAILING = 20
"""Fewer requests than this that saw a call fail say nothing of what a failure does."""
_OPERATION = ["service", "operation"]


def hardness(hardness_facts: pl.DataFrame) -> pl.DataFrame:
    """Return per edge how much likelier a request fails when a call to that upstream fails.

    ``P(request failed | a call failed) - P(request failed | it called, none failed)``, not below 0
    (docs/methods.md#whatif). Edges with fewer than `MIN_FAILING` such requests are left out: what a
    failure there does was not observed.

    Args:
        hardness_facts: As `model.HARDNESS_FACTS`; rows with equal keys are summed.

    Returns:
        Columns ``downstream``, ``downstream_operation``, ``upstream``, ``hardness`` (0-1).
    """
    edge = ["downstream", "downstream_operation", "upstream"]
    with_it = pl.col("hit_failed") / pl.col("hit")
    without = (pl.col("requests_failed") / pl.col("requests")).fill_nan(0.0)
    return (
        hardness_facts.group_by(edge)
        .sum()
        .filter(pl.col("hit") >= MIN_FAILING)
        .select(*edge, hardness=(with_it - without).clip(0.0, 1.0))
        .sort(edge)
    )


def whatif(whatif_facts: pl.DataFrame) -> pl.DataFrame:
    """Return mean, percentiles and error rate of each operation before and after a change.

    Only operations with a call that would differ. Percentiles are of all calls of the operation,
    within 0.55 % (docs/methods.md#percentiles).

    Args:
        whatif_facts: As `model.WHATIF_FACTS`; rows with equal keys are summed.

    Returns:
        As `model.WHATIF`, the most added (or saved) time first.
    """
    totals = whatif_facts.group_by("measure", *_OPERATION).agg(
        calls=pl.col("count").sum(), sum_ns=pl.col("sum_ns").sum(), errors=pl.col("errors").sum()
    )
    affected = totals.filter(measure="affected").select(*_OPERATION, affected="calls")
    rows = affected
    for measure in ("before", "after"):
        total = totals.filter(measure=measure).select(
            *_OPERATION,
            pl.col("calls"),
            (pl.col("sum_ns") / pl.col("calls")).round().cast(pl.Int64).alias("mean_ns"),
            (pl.col("errors") / pl.col("calls")).alias("error_rate"),
        )
        ranks = percentiles(whatif_facts.filter(measure=measure), by=_OPERATION).drop("calls")
        named = total.join(ranks, on=_OPERATION)
        names = [name for name in named.columns if name not in (*_OPERATION, "calls")]
        named = named.rename({name: f"{measure}_{name}" for name in names})
        rows = rows.join(named if measure == "before" else named.drop("calls"), on=_OPERATION)
    assumed = totals.filter(measure="assumed").select(*_OPERATION, assumed=pl.lit(value=True))
    moved = (pl.col("after_mean_ns") - pl.col("before_mean_ns")).abs() * pl.col("calls")
    return WHATIF.conform(
        rows.join(assumed, on=_OPERATION, how="left")
        .with_columns(pl.col("assumed").fill_null(value=False))
        .sort(-moved, *_OPERATION)
        .rename({"service": "downstream"})
    )
