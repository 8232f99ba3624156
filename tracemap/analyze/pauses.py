"""Own time in which an operation only waited before it tried failed calls again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.call_counts import EXPLAINED
from tracemap.analyze.component_rows import COMPONENTS, KEY
from tracemap.analyze.insulation.seen import NUMBER
from tracemap.analyze.windows import sided

if TYPE_CHECKING:
    from tracemap.model import Window

_PLACE = ["service", "operation"]


def with_pauses(
    moved: pl.DataFrame, pattern_facts: pl.DataFrame, incident: Window, baseline: Window
) -> pl.DataFrame:
    """Return components with own times that are pauses before further attempts as kind ``pauses``.

    An own time is that where such pauses make at least `EXPLAINED` of its rise. Downstream is then
    who paused, upstream whose calls were tried again more than before: it failed.

    Args:
        moved: Columns as `COMPONENTS`.
        pattern_facts: As `model.PATTERN_FACTS`, both windows cut into cells.
        incident: The window to explain.
        baseline: The window to compare with.
    """
    again = (pl.col("pattern") == "attempt") & ((pl.col("part") & NUMBER) > 1)
    paused = (
        sided(pattern_facts.filter(again), incident, baseline)
        .group_by("during", "upstream", service="downstream", operation="downstream_operation")
        .agg(pause_ns=pl.col("extra_ns").sum())
    )
    both = [
        paused.filter(pl.col("during") == during).select(*_PLACE, "upstream", pause_ns=named)
        for during, named in ((False, -pl.col("pause_ns")), (True, pl.col("pause_ns")))
    ]
    before, now = both
    own = moved.filter(pl.col("kind") == "self").select(
        "baseline_calls",
        "calls",
        "operation",
        service="upstream",
        rise=pl.col("now") - pl.col("before"),
    )
    per_call = pl.concat(
        [
            before.join(own, on=_PLACE).with_columns(pl.col("pause_ns") / pl.col("baseline_calls")),
            now.join(own, on=_PLACE).with_columns(pl.col("pause_ns") / pl.col("calls")),
        ]
    )
    by_upstream = per_call.group_by(*_PLACE, "upstream", "rise").agg(pl.col("pause_ns").sum())
    longer = (
        by_upstream.sort([*_PLACE, "pause_ns", "upstream"], descending=[False, False, True, False])
        .group_by(*_PLACE, "rise", maintain_order=True)
        .agg(failed=pl.col("upstream").first(), longer_ns=pl.col("pause_ns").sum())
        .filter((pl.col("rise") > 0) & (pl.col("longer_ns") >= EXPLAINED * pl.col("rise")))
    )
    known = longer.select("operation", "failed", kind=pl.lit("self"), upstream="service")
    is_pause = pl.col("failed").is_not_null()
    return (
        moved.join(known, on=["kind", "upstream", "operation"], how="left")
        .with_columns(
            kind=pl.when(is_pause).then(pl.lit("pauses")).otherwise("kind"),
            downstream=pl.when(is_pause).then("upstream").otherwise("downstream"),
            upstream=pl.when(is_pause).then("failed").otherwise("upstream"),
        )
        .select(COMPONENTS.names())
        .sort(KEY)
    )
