"""Fallbacks: something else is called after a failure, or downstream answers without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.insulation.seen import DOWNSTREAM_FAILED, SITE, Seen

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds

_OTHER = ("other", "other_operation")


def fallbacks(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return the edges after whose failures something else is called that is not called otherwise.

    Its share after failures exceeds its share after calls that went well by
    `Thresholds.fallback_lift`. What is always called next is no fallback.

    Returns:
        Columns `SITE`, ``pattern``, ``other``, ``occurrences``, ``opportunities`` (calls that
        failed for good), ``rescued`` (requests that went well), ``success``, ``is_strong``,
        ``shows``.
    """
    found = _instead(seen, limits)
    return found.select(
        *SITE,
        "rescued",
        pattern=pl.lit("fallback"),
        other="other",
        occurrences="instead",
        opportunities="lost",
        success=pl.col("rescued") / pl.col("instead"),
        is_strong=pl.col("instead") >= limits.min_call_count,
        shows=pl.format(
            "after {} of {} failures {} was called instead, after {} of {} calls that went well; "
            "{} requests went well",
            "instead", "lost", "other", "next", "well", "rescued",
        ),
    )  # fmt: skip


def _instead(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return per edge what is called after its failures more than otherwise, the first choice.

    Columns `SITE`, ``other``, ``other_operation``, ``instead``, ``rescued``, ``lost``, ``next``
    (the same after calls that went well) and ``well``.
    """
    key = [*SITE, *_OTHER]
    count = pl.col("count")
    fine = (pl.col("part") & DOWNSTREAM_FAILED) == 0
    after = seen.of_pattern("after_failure").group_by(key).agg(
        instead=count.sum(), rescued=count.filter(fine).sum()
    )  # fmt: skip
    otherwise = seen.of_pattern("next").group_by(key).agg(next=count.sum())
    calls = seen.attempts().select(
        *SITE,
        lost=pl.col("failed") - pl.col("failed_followed"),
        well=pl.col("went_well") - pl.col("well_followed"),
    )
    return (
        after.join(otherwise, on=key, how="left")
        .join(calls, on=SITE)
        .with_columns(pl.col("next").fill_null(0), pl.col("lost").clip(lower_bound=1))
        .with_columns(
            lift=pl.col("instead") / pl.col("lost")
            - pl.col("next") / pl.col("well").clip(lower_bound=1)
        )
        .filter(
            (pl.col("instead") >= limits.min_occurrences)
            & (pl.col("instead") <= pl.col("lost"))  # else it follows something else
            & (pl.col("lift") >= limits.fallback_lift)
        )
        .sort([*SITE, "instead", *_OTHER], descending=[*[False] * 4, True, False, False])
        .unique(SITE, keep="first", maintain_order=True)
    )


def tolerated(seen: Seen, fallen_back: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return the edges whose failures downstream survives without calling anything else.

    At least `Thresholds.tolerated_share` of the requests whose call failed for good went well.

    Returns:
        As `fallbacks`, without ``other``.
    """
    found = (
        seen.requests()
        .join(fallen_back, on=SITE, how="anti")
        .with_columns(rescued=pl.col("lost") - pl.col("lost_failed"))
        .filter(
            (pl.col("lost") >= limits.min_call_count)
            & (pl.col("rescued") >= limits.tolerated_share * pl.col("lost"))
        )
    )
    return found.select(
        *SITE,
        "rescued",
        pattern=pl.lit("optional call"),
        occurrences="rescued",
        opportunities="lost",
        success=pl.col("rescued") / pl.col("lost"),
        is_strong=pl.lit(value=True),
        shows=pl.format(
            "{} of {} requests whose call failed went well; nothing was called instead",
            "rescued", "lost",
        ),
    )  # fmt: skip
