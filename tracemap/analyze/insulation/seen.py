"""The pattern facts of one window, summed per edge between operations."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

SITE = ("downstream", "downstream_operation", "upstream", "upstream_operation")
"""What makes an edge between operations."""

FAILED, FOLLOWED, RESENT, NUMBER = 16, 32, 64, 15
"""Bits of the part of an attempt, and of its number (docs/methods.md#pattern-facts)."""
A_CALL_FAILED, THE_LAST_FAILED, DOWNSTREAM_FAILED = 1, 2, 4
"""Bits of the part of a request."""

_SUMS = ("count", "time_ns", "extra_ns", "squares")


@dataclass(frozen=True)
class Seen:
    """What was seen in one window.

    Attributes:
        patterns: Sums per `SITE`, ``pattern``, ``part``, ``other`` and ``other_operation``.
        cells: The same per cell of time.
        latency: As `model.LATENCY_FACTS`, of the window.
    """

    patterns: pl.DataFrame
    cells: pl.DataFrame
    latency: pl.DataFrame

    @classmethod
    def of(cls, pattern_facts: pl.DataFrame, latency_facts: pl.DataFrame) -> Seen:
        """Return what the facts of one window amount to."""
        key = [*SITE, "pattern", "part", "other", "other_operation"]
        sums = pattern_facts.group_by(key).agg(pl.col(_SUMS).sum()).sort(key)
        return cls(sums, pattern_facts, latency_facts)

    def of_pattern(self, pattern: str) -> pl.DataFrame:
        """Return the sums of one pattern."""
        return self.patterns.filter(pl.col("pattern") == pattern)

    def attempts(self) -> pl.DataFrame:
        """Return calls per edge: all, first ones, failed, and what came after them.

        Columns `SITE`, ``attempts``, ``calls`` (first attempts), ``failed``, ``went_well``,
        ``failed_followed``, ``well_followed`` (another call of the series came after it),
        ``further``, ``further_well``, ``resent`` (further ones that say so themselves),
        ``time_ns``.
        """
        part, count = pl.col("part"), pl.col("count")
        failed, followed = (part & FAILED) != 0, (part & FOLLOWED) != 0
        further = (part & NUMBER) > 1
        resent = (part & RESENT) != 0

        def times(holds: pl.Expr) -> pl.Expr:
            return count.filter(holds).sum()

        return (
            self.of_pattern("attempt")
            .group_by(SITE)
            .agg(
                attempts=count.sum(),
                calls=times(~further),
                failed=times(failed),
                went_well=times(~failed),
                failed_followed=times(failed & followed),
                well_followed=times(~failed & followed),
                further=times(further),
                further_well=times(further & ~failed),
                resent=times(further & resent),
                time_ns=pl.col("time_ns").sum(),
            )
            .sort(SITE)
        )

    def requests(self) -> pl.DataFrame:
        """Return requests that make the call: all, and how they and the calls ended.

        Columns `SITE`, ``making``, ``lost`` (the last call failed), ``lost_failed`` (and so did
        downstream), ``fine``, ``fine_failed`` (no call failed, and downstream did all the same).
        """
        part, count = pl.col("part"), pl.col("count")
        lost, failed = (part & THE_LAST_FAILED) != 0, (part & DOWNSTREAM_FAILED) != 0
        fine = (part & (A_CALL_FAILED | THE_LAST_FAILED)) == 0
        return (
            self.of_pattern("request")
            .group_by(SITE)
            .agg(
                making=count.sum(),
                lost=count.filter(lost).sum(),
                lost_failed=count.filter(lost & failed).sum(),
                fine=count.filter(fine).sum(),
                fine_failed=count.filter(fine & failed).sum(),
            )
            .sort(SITE)
        )

    def operations(self) -> pl.DataFrame:
        """Return requests and mean duration of each operation.

        Columns ``downstream``, ``downstream_operation``, ``requests``, ``errors``, ``took_ns``.
        """
        served = self.latency.filter(pl.col("unit") == "server")
        return served.group_by(downstream="service", downstream_operation="operation").agg(
            requests=pl.col("count").sum(),
            errors=pl.col("errors").sum(),
            took_ns=pl.col("sum_ns").sum() / pl.col("count").sum(),
        )


def per(amount: str, by: str) -> pl.Expr:
    """Return one column over another; null where there is nothing to divide by."""
    return pl.when(pl.col(by) > 0).then(pl.col(amount) / pl.col(by))


def z_of_shares(hits: tuple[str, str], of: tuple[str, str]) -> pl.Expr:
    """Return by how many standard errors the first share exceeds the second (pooled z test)."""
    (one, other), (of_one, of_other) = hits, of
    n, m = pl.col(of_one).cast(pl.Float64), pl.col(of_other).cast(pl.Float64)
    pooled = (pl.col(one) + pl.col(other)) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n.clip(lower_bound=1) + 1 / m.clip(lower_bound=1))).sqrt()
    difference = pl.col(one) / n.clip(lower_bound=1) - pl.col(other) / m.clip(lower_bound=1)
    return pl.when(error > 0).then(difference / error).otherwise(0.0)
