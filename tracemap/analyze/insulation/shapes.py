"""How calls are made: loops, fan-outs, and calls in a row that could run side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.insulation.seen import SITE, Seen

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds

NS_PER_MS = 1e6
SLOWEST = 0.01
"""Share of calls slower than their 99th percentile."""


def shapes(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return loops of calls, fan-outs, and pairs of calls that could run side by side.

    Returns:
        Columns `SITE`, ``pattern``, ``other``, ``occurrences`` (requests), ``opportunities``
        (requests that make the call), ``attempts_per_call`` (calls a request), ``saving_ns`` (at
        most, per such request), ``is_strong``, ``shows``.
    """
    return pl.concat(
        [_loops(seen, limits), _fan_outs(seen, limits), _sequences(seen, limits)],
        how="diagonal",
    )


def _whole(value: pl.Expr) -> pl.Expr:
    """Return numbers as texts: whole, thousands apart."""
    return value.map_elements("{:,.0f}".format, return_dtype=pl.String)


def _many(seen: Seen, pattern: str, limits: Thresholds) -> pl.DataFrame:
    """Return requests with many calls of one operation that last long enough in all."""
    found = seen.of_pattern(pattern).group_by(SITE).agg(
        requests=pl.col("count").sum(),
        each=(pl.col("part") * pl.col("count")).sum() / pl.col("count").sum(),
        sum_ms=pl.col("time_ns").sum() / pl.col("count").sum() / NS_PER_MS,
        extra_ns=pl.col("extra_ns").sum() / pl.col("count").sum(),
    )  # fmt: skip
    return found.join(seen.requests().select(*SITE, "making"), on=SITE).filter(
        (pl.col("requests") >= limits.min_call_count) & (pl.col("sum_ms") >= limits.loop_ms)
    )


def _loops(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    return _many(seen, "in_a_row", limits).select(
        *SITE,
        pattern=pl.lit("calls in a loop"),
        occurrences="requests",
        opportunities="making",
        attempts_per_call="each",
        saving_ns="extra_ns",
        is_strong=pl.lit(value=True),
        shows=pl.format(
            "{} calls one after another in a request, {} ms in all; one call for all of them, or "
            "calls side by side, would save {} ms at most",
            pl.col("each").round(1), _whole(pl.col("sum_ms")),
            _whole(pl.col("extra_ns") / NS_PER_MS),
        ),
    )  # fmt: skip


def _fan_outs(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    slow = 1 - (1 - SLOWEST) ** pl.col("each")
    return _many(seen, "at_once", limits).select(
        *SITE,
        pattern=pl.lit("fan-out"),
        occurrences="requests",
        opportunities="making",
        attempts_per_call="each",
        is_strong=pl.lit(value=True),
        shows=pl.format(
            "{} calls side by side in a request: the slowest decides, and {} % of requests meet a "
            "call slower than its 99th percentile",
            pl.col("each").round(1), (100 * slow).round(0).cast(pl.Int64),
        ),
    )  # fmt: skip


def _sequences(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return pairs of calls of which the second nearly always began when the first had ended.

    Hardly any time lies between them, and the shorter one would be saved were they side by side.
    That the second may need the first one's answer cannot be seen in spans.
    """
    found = _in_a_row(seen, limits)
    return found.select(
        *SITE,
        "other",
        "saving_ns",
        pattern=pl.lit("calls in a row"),
        occurrences="count",
        opportunities="making",
        is_strong=pl.lit(value=False),
        shows=pl.format(
            "{} is called right after it in {} of {} requests; side by side would save {} ms at "
            "most, if the second does not need the first (not visible in spans)",
            "other", "count", "making", _whole(pl.col("saving_ns") / NS_PER_MS),
        ),
    )  # fmt: skip


def _in_a_row(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return of each edge the call that begins when it has ended, if that is worth a change."""
    making = seen.requests().select(*SITE, "making")
    other = making.select(
        "downstream", "downstream_operation", other="upstream",
        other_operation="upstream_operation", making_other="making",
    )  # fmt: skip
    operations = seen.operations().select("downstream", "downstream_operation", "took_ns")
    key = [*SITE, "other", "other_operation"]
    caller = ["downstream", "downstream_operation"]
    return (
        seen.of_pattern("next")
        .group_by(key)
        .agg(pl.col("count", "time_ns", "extra_ns").sum())
        .join(making, on=SITE)
        .join(other, on=[*caller, "other", "other_operation"])
        .join(operations, on=caller)
        .with_columns(
            saving_ns=pl.col("time_ns") / pl.col("count"),
            gap_ns=pl.col("extra_ns") / pl.col("count"),
            fewer=pl.min_horizontal("making", "making_other"),
        )
        .filter(
            (pl.col("count") >= limits.min_sequences)
            & (pl.col("count") >= limits.sequence_share * pl.col("fewer"))
            & (pl.col("gap_ns") <= limits.sequence_gap * pl.col("took_ns"))
            & (pl.col("saving_ns") >= limits.sequence_saving * pl.col("took_ns"))
            & (pl.col("saving_ns") >= limits.spike_rise_ms * NS_PER_MS)
        )
        .sort([*SITE, "count", "other"], descending=[*[False] * 4, True, False])
        .unique(SITE, keep="first", maintain_order=True)
    )  # fmt: skip
