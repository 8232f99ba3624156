"""With which new version of a service a change began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.windows import sided

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds
    from tracemap.model import Window

_HALF = 0.5
"""Less than this part of a change was there before the version, at least this much with it."""
_MOST = 0.5
"""A version that makes less than this part of a service's spans is a trial, not what it runs."""


def since_version(
    cells: pl.DataFrame,
    version_facts: pl.DataFrame,
    windows: tuple[Window, Window],
    limits: Thresholds,
) -> pl.DataFrame:
    """Return the new version of a service with which the change of each unit began.

    A version is new if it ran in the window and not in the baseline (which names others), and makes
    most spans of the service from its first cell on. The change began with it if the cells of the
    window before it differ from the baseline by less than half as much as those from it on, and its
    first whole cell differs by at least half as much. With fewer than `Thresholds.min_call_count`
    observations before it, the version counts as there since the window began. That both happened
    at once does not prove that one caused the other.

    Args:
        cells: One row per ``unit`` and cell: ``service`` (whose version counts), ``during``,
            ``cell``, ``amount`` and ``count``, of which the ratio changed.
        version_facts: As `model.VERSION_FACTS`, in cells of whatever width.
        windows: Window and baseline.
        limits: Thresholds.

    Returns:
        ``unit`` and ``since_version``; units whose change began with none are left out.
    """
    begun = pl.col("cell").filter(pl.col("during") & (pl.col("cell") <= pl.col("first_ns"))).max()
    known = cells.join(_new(version_facts, *windows), on="service").with_columns(
        first_cell=begun.over("unit").fill_null(pl.col("cell").min().over("unit"))
    )
    early = pl.col("during") & (pl.col("cell") < pl.col("first_cell"))
    late = pl.col("during") & ~early
    later = pl.col("cell").filter(pl.col("during") & (pl.col("cell") > pl.col("first_cell")))
    soon = late & (pl.col("cell") == pl.coalesce(later.min(), pl.col("first_cell")))

    def ratio(rows: pl.Expr) -> pl.Expr:
        return pl.col("amount").filter(rows).sum() / pl.col("count").filter(rows).sum()

    found = known.group_by("unit", "version").agg(
        before=ratio(~pl.col("during")),
        early=ratio(early),
        late=ratio(late),
        soon=ratio(soon),
        seen_early=pl.col("count").filter(early).sum(),
    )
    change = pl.col("late") - pl.col("before")
    at_once = (pl.col("soon") - pl.col("before")) / change >= _HALF
    came_along = pl.col("seen_early") < limits.min_call_count
    not_before = ((pl.col("early") - pl.col("before")) / change).abs() < _HALF
    return (
        found.filter((change != 0) & at_once & (came_along | not_before))
        .select("unit", since_version="version")
        .sort("unit")
    )


def _new(version_facts: pl.DataFrame, window: Window, baseline: Window) -> pl.DataFrame:
    """Return for each service its first new version that makes most spans, and since when.

    Columns ``service``, ``version``, ``first_ns``.
    """
    facts = sided(version_facts, window, baseline).filter(pl.col("version") != "")
    versions = facts.group_by("service", "version").agg(
        is_new=pl.col("during").all(),
        first_cell=pl.col("window_start_ns").min(),
        first_ns=pl.col("first_ns").min(),
    )
    compared = facts.filter(~pl.col("during")).select("service").unique()
    new = versions.filter("is_new").join(compared, on="service", how="semi")
    since = facts.join(
        new.select("service", "first_cell", "first_ns", new="version"), on="service"
    ).filter(pl.col("window_start_ns") >= pl.col("first_cell"))
    spans = pl.col("spans")
    most = since.group_by("service", "new", "first_cell", "first_ns").agg(
        part=spans.filter(pl.col("version") == pl.col("new")).sum() / spans.sum()
    )
    return (
        most.filter(pl.col("part") >= _MOST)
        .sort("service", "first_ns", "new")
        .unique("service", keep="first", maintain_order=True)
        .select("service", "first_ns", version="new")
    )
