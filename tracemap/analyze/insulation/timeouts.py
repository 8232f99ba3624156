"""Timeouts: calls that were given up, and callers who give up before their callees do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.insulation.seen import SITE, Seen

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds

NEAR_BUCKETS = 2
"""Log buckets on either side that count as the same waiting time: +-2 %."""


def timeouts(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return the edges whose calls are given up after a certain time.

    Calls that were given up wait equally long: at least `Thresholds.timeout_share` of them within
    2 % of the most frequent waiting time, which is the limit.

    Returns:
        Columns `SITE`, ``pattern``, ``occurrences``, ``opportunities`` (calls), ``limit_ns``,
        ``stopped_ns`` (how long upstream went on, in all), ``is_strong``, ``shows``.
    """
    events = seen.of_pattern("timeout").group_by(*SITE, "part").agg(
        pl.col("count", "time_ns", "extra_ns").sum()
    )  # fmt: skip
    total = events.group_by(SITE).agg(
        all=pl.col("count").sum(), stopped_ns=pl.col("extra_ns").sum()
    )
    near = (
        events.join(events.select(*SITE, at="part", near_count="count", near_ns="time_ns"), on=SITE)
        .filter((pl.col("at") - pl.col("part")).abs() <= NEAR_BUCKETS)
        .group_by(*SITE, "part")
        .agg(alike=pl.col("near_count").sum(), near_ns=pl.col("near_ns").sum())
        .sort([*SITE, "alike", "part"], descending=[*[False] * 4, True, False])
        .unique(SITE, keep="first", maintain_order=True)
    )
    found = (
        near.join(total, on=SITE)
        .join(seen.attempts().select(*SITE, "attempts"), on=SITE, how="left")
        .with_columns(share=pl.col("alike") / pl.col("all"))
        .filter(
            (pl.col("all") >= limits.min_occurrences) & (pl.col("share") >= limits.timeout_share)
        )
    )
    limit = pl.col("near_ns") / pl.col("alike")
    return found.select(
        *SITE,
        pattern=pl.lit("timeout"),
        occurrences="all",
        opportunities="attempts",
        limit_ns=limit,
        stopped_ns="stopped_ns",
        is_strong=pl.col("all") >= limits.min_call_count,
        shows=pl.format(
            "{} of {} calls were given up, {} % of them after {} ms; upstream went on for {} ms",
            "all", "attempts", (100 * pl.col("share")).round(0).cast(pl.Int64),
            (limit / 1e6).round(0).cast(pl.Int64),
            (pl.col("stopped_ns") / pl.col("all") / 1e6).round(0).cast(pl.Int64),
        ),
    )  # fmt: skip


def inversions(limited: pl.DataFrame, retried: pl.DataFrame) -> pl.DataFrame:
    """Return the edges that go on waiting after the caller of their downstream has left.

    The limit of an edge, times the attempts a call takes, is above the limit of the edge that leads
    to downstream: upstream then works on answers that nobody waits for any more.

    Args:
        limited: As `timeouts` returns.
        retried: As `retries.retries` returns.
    """
    outer = limited.select(
        downstream="upstream",
        downstream_operation="upstream_operation",
        caller="downstream",
        outer_ns="limit_ns",
    )
    both = (
        limited.join(outer, on=["downstream", "downstream_operation"])
        .join(retried.select(*SITE, "attempts_per_call"), on=SITE, how="left")
        .with_columns(whole_ns=pl.col("limit_ns") * pl.col("attempts_per_call").fill_null(1.0))
        .filter(pl.col("whole_ns") > pl.col("outer_ns") * 1.02)
    )
    return both.sort("outer_ns").unique(SITE, keep="first", maintain_order=True).select(
        *SITE,
        "occurrences",
        "opportunities",
        "limit_ns",
        "is_strong",
        pattern=pl.lit("deadline inversion"),
        shows=pl.format(
            "waits up to {} ms, but {}, which calls this downstream, leaves after {} ms",
            (pl.col("whole_ns") / 1e6).round(0).cast(pl.Int64), "caller",
            (pl.col("outer_ns") / 1e6).round(0).cast(pl.Int64),
        ),
    )  # fmt: skip
