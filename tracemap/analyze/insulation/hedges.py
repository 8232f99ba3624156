"""Hedges: a second call beside a slow one; the first answer counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.insulation.seen import SITE, Seen, per

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds

WON, BY_SERVERS = 1, 2


def hedges(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return the edges with second calls beside slow ones, after a delay that hardly varies.

    Seen at client spans: one of two calls was given up at the moment the other answered, and the
    delays between their starts spread by less than `Thresholds.hedge_spread` of their mean. Where
    one client span hides both calls (gRPC), several servers ran side by side for it: the delay
    cannot be seen and confidence is weak. Where nearly every call has several servers (above
    `Thresholds.hedge_share`), it is sent to several, not hedged.

    Returns:
        Columns `SITE`, ``pattern``, ``occurrences``, ``opportunities`` (calls), ``limit_ns`` (the
        delay), ``stopped_ns`` (how long upstream went on for the call that was left), ``rescued``,
        ``is_strong``, ``shows``.
    """
    found = _seconds(seen)
    variance = pl.col("squares") / pl.col("delayed") - (pl.col("mean_ns") / 1e5) ** 2
    spread = variance.clip(lower_bound=0.0).sqrt() * 1e5 / pl.col("mean_ns")
    steady = (pl.col("delayed") >= limits.min_occurrences) & (spread < limits.hedge_spread)
    by_servers = (
        (pl.col("delayed") == 0)
        & (pl.col("all") >= limits.min_call_count)
        & (pl.col("all") <= limits.hedge_share * pl.col("calls"))
    )
    delay = pl.when(pl.col("delayed") > 0).then(
        pl.format("after {} ms", (pl.col("mean_ns") / 1e6).round(0).cast(pl.Int64))
    )
    return found.filter(steady | by_servers).select(
        *SITE,
        pattern=pl.lit("hedge"),
        occurrences="all",
        opportunities="calls",
        limit_ns="mean_ns",
        stopped_ns="stopped_ns",
        rescued="won",
        is_strong=steady & (pl.col("delayed") >= limits.min_call_count),
        shows=pl.format(
            "{} of {} calls got a second one beside them {}; {} of these answered first",
            "all", "calls", delay.fill_null("after an unseen delay"), "won",
        ),
    )  # fmt: skip


def _seconds(seen: Seen) -> pl.DataFrame:
    """Return per edge the second calls beside slow ones: how many, what came of them, delays."""
    part, count = pl.col("part"), pl.col("count")
    seen_by_clients = (part & BY_SERVERS) == 0
    return (
        seen.of_pattern("hedge")
        .group_by(SITE)
        .agg(
            all=count.sum(),
            won=count.filter((part & WON) != 0).sum(),
            delayed=count.filter(seen_by_clients).sum(),
            delay_ns=pl.col("time_ns").sum(),
            squares=pl.col("squares").sum(),
            stopped_ns=pl.col("extra_ns").sum(),
        )
        .join(seen.attempts().select(*SITE, "calls"), on=SITE, how="left")
        .with_columns(mean_ns=per("delay_ns", "delayed"))
    )  # fmt: skip
