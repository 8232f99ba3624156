"""Calls that were not made: open circuit breakers, caches and switches that answered instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.insulation.seen import FAILED, SITE, Seen, per

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds


def breakers(seen: Seen, before: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return the edges with an open circuit breaker: calls that failed at once without being made.

    Where the error names a circuit breaker, there is one. Otherwise there is one where a share of
    `Thresholds.breaker_share` of calls failed so and, in the same cells of time, at least
    `Thresholds.breaker_errors` of the calls that were made failed too: that is why it opened.

    Returns:
        Columns `SITE`, ``pattern``, ``occurrences``, ``opportunities`` (calls), ``stopped_ns`` (how
        much longer than before the calls not made would have taken, had they been as slow as those
        that were: an estimate), ``is_strong``, ``shows``.
    """
    found = _refused(seen, before)
    says_so = pl.col("named") * 2 >= pl.col("fast")
    looks_so = (pl.col("share") >= limits.breaker_share) & (
        pl.col("made_failed") >= limits.breaker_errors * pl.col("made")
    )
    slower = (pl.col("each_ns") - pl.col("usual_ns")).clip(lower_bound=0.0)
    stopped = (pl.col("fast") * slower).fill_null(0.0)
    return found.filter(
        (pl.col("fast") >= limits.min_occurrences) & (says_so | (looks_so & (pl.col("made") > 0)))
    ).select(
        *SITE,
        pattern=pl.lit("circuit breaker"),
        occurrences="fast",
        opportunities="all",
        stopped_ns=stopped,
        is_strong=says_so & (pl.col("fast") >= limits.min_call_count),
        shows=pl.format(
            "{} calls failed at once, unmade{}; {} of {} that were made failed",
            "fast",
            pl.when(says_so).then(pl.lit(", as their errors say")).otherwise(pl.lit("")),
            "made_failed", "made",
        ),
    )  # fmt: skip


def _refused(seen: Seen, before: Seen) -> pl.DataFrame:
    """Return calls that failed at once, and those made in the same cells of time.

    Columns `SITE`, ``fast``, ``named`` (their error names a breaker), ``made``, ``made_failed``,
    ``share`` (fast ones of the cells' calls), ``each_ns`` and ``usual_ns`` (a call that was made:
    now, in the baseline), ``all`` (calls of the whole window).
    """
    cell = ["window_start_ns", *SITE]
    part, count = pl.col("part"), pl.col("count")
    fast = seen.cells.filter(pl.col("pattern") == "fast_failure").group_by(cell).agg(
        fast=count.sum(), named=count.filter(part == 1).sum(), fast_ns=pl.col("time_ns").sum()
    )  # fmt: skip
    calls = seen.cells.filter(pl.col("pattern") == "attempt").group_by(cell).agg(
        attempts=count.sum(),
        failed=count.filter((part & FAILED) != 0).sum(),
        time_ns=pl.col("time_ns").sum(),
    )  # fmt: skip
    return (
        fast.join(calls, on=cell)
        .group_by(SITE)
        .agg(pl.all().exclude("window_start_ns").sum())
        .with_columns(
            made=pl.col("attempts") - pl.col("fast"),
            made_failed=pl.col("failed") - pl.col("fast"),
            share=per("fast", "attempts"),
        )
        .join(_each(before, "usual_ns"), on=SITE, how="left")
        .join(seen.attempts().select(*SITE, all="attempts"), on=SITE)
        .with_columns(
            each_ns=pl.when(pl.col("made") > 0)
            .then((pl.col("time_ns") - pl.col("fast_ns")) / pl.col("made"))
            .otherwise(0.0)
        )
    )


def short_circuits(seen: Seen, before: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return the edges that clearly fewer, or more, requests of an operation used than before.

    Fewer, while the operation failed no more often: something answered without the call, a cache or
    a switch (``short circuit``). More: a cache that had the answers no longer has them (``cache
    misses``). That the share of requests that make a call is below one says nothing: an optional
    call and a cache look alike, so only its change counts.

    Returns:
        Columns `SITE`, ``pattern``, ``occurrences`` (requests that made the call),
        ``opportunities`` (requests), ``stopped_ns``, ``is_strong``, ``shows``.
    """
    both = _usage(seen, before)
    n, m = pl.col("requests_now"), pl.col("requests_then")
    pooled = (pl.col("now") * n + pl.col("then") * m) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)).sqrt()
    z = pl.when(error > 0).then((pl.col("now") - pl.col("then")) / error).otherwise(0.0)
    few = pl.min_horizontal("requests_now", "requests_then") < limits.min_call_count
    known = both.filter(~few)
    fewer = known.filter(
        (z <= -limits.short_circuit_z)
        & (pl.col("now") <= pl.col("then") / limits.spike_ratio)
        & (pl.col("worse") < limits.short_circuit_errors)
    )
    more = known.filter(
        (pl.col("made_then") > 0)  # else it is a new call, not one that a cache spared
        & (z >= limits.short_circuit_z)
        & (pl.col("now") >= pl.col("then") * limits.spike_ratio)
    )
    slower = (pl.col("each_ns_now") - pl.col("each_ns_then")).clip(lower_bound=0.0)
    saved = (pl.col("then") - pl.col("now")) * pl.col("requests_now") * slower
    parts = [
        fewer.with_columns(pattern=pl.lit("short circuit"), stopped_ns=saved),
        more.with_columns(pattern=pl.lit("cache misses"), stopped_ns=pl.lit(None, pl.Float64)),
    ]
    percent = [(100 * pl.col(name)).round(0).cast(pl.Int64) for name in ("now", "then")]
    return pl.concat(parts).select(
        *SITE,
        "pattern",
        occurrences="made_now",
        opportunities="requests_now",
        stopped_ns="stopped_ns",
        is_strong=pl.lit(value=False),
        shows=pl.format("{} % of requests made the call, {} % in the baseline", *percent),
    )


def _usage(seen: Seen, before: Seen) -> pl.DataFrame:
    """Return requests and those that made the call, ``*_now`` and ``*_then``; 0 where none did.

    Besides these: ``now`` and ``then`` (their shares), ``worse`` (by how much more often requests
    failed).
    """
    sides = []
    sites = pl.concat([side.requests().select(SITE) for side in (seen, before)]).unique()
    for side, name in ((seen, "now"), (before, "then")):
        used = side.requests().select(*SITE, made="making")
        both = (
            sites.join(side.operations(), on=["downstream", "downstream_operation"])
            .join(used, on=SITE, how="left")
            .join(_each(side, "each_ns"), on=SITE, how="left")
            .with_columns(pl.col("made").fill_null(0))
        )
        columns = ("made", "requests", "errors", "each_ns")
        sides.append(
            both.select(*SITE, *(pl.col(each).alias(f"{each}_{name}") for each in columns))
        )
    return sides[0].join(sides[1], on=SITE).with_columns(
        now=per("made_now", "requests_now").clip(upper_bound=1.0),
        then=per("made_then", "requests_then").clip(upper_bound=1.0),
        worse=per("errors_now", "requests_now") - per("errors_then", "requests_then"),
    )  # fmt: skip


def _each(seen: Seen, name: str) -> pl.DataFrame:
    """Return what a call of each edge took on average."""
    return seen.attempts().select(*SITE, per("time_ns", "attempts").alias(name))
