"""Retries: further attempts after failed ones, their pauses, storms, and retries in two layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from tracemap.analyze.insulation.seen import NUMBER, SITE, Seen, per, z_of_shares

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds

IMMEDIATE_NS = 5e6
"""A mean pause below this is none: it is the client's own time."""
SYNCHRONISED, JITTERED = 0.1, 0.3
"""Spread of the pauses (standard deviation over mean) below and above which they are called so.
Full jitter, even between 0 and a limit, has 0.577."""
CONSTANT, GROWS = 0.2, 0.5
"""Growth of the pause per attempt, in powers of two, below and above which it is called so."""
_GAPS = 10


def retries(seen: Seen, limits: Thresholds) -> pl.DataFrame:
    """Return the edges whose failed calls are tried again.

    A further attempt is a retry where it says so itself (``http.request.resend_count``) or where
    failed calls are followed by another one clearly more often than calls that went well: in a loop
    both are followed alike. Redirects and requests for credentials are no failures.

    Returns:
        Columns `SITE`, ``pattern``, ``occurrences`` (retries), ``opportunities`` (failed calls),
        ``attempts_per_call``, ``success`` (of retried calls), ``rescued``, ``is_strong``,
        ``shows``.
    """
    attempts = seen.attempts().with_columns(
        more=per("failed_followed", "failed") - per("well_followed", "went_well").fill_null(0.0),
        z=z_of_shares(("failed_followed", "well_followed"), ("failed", "went_well")),
    )
    says_so = pl.col("resent") * 2 >= pl.col("further")
    differs = (pl.col("more") >= limits.retry_lift) & (pl.col("z") >= limits.pattern_z)
    found = attempts.filter(
        (pl.col("further") >= limits.min_occurrences) & (says_so | differs)
    ).with_columns(pauses=pl.struct(SITE).map_elements(_Pauses(seen), return_dtype=pl.String))
    first_retried = pl.col("failed_followed").clip(lower_bound=1)
    success = (pl.col("further_well") / first_retried).clip(upper_bound=1.0)
    return found.select(
        *SITE,
        pattern=pl.lit("retry"),
        occurrences="further",
        opportunities="failed",
        attempts_per_call=per("attempts", "calls"),
        success=success,
        rescued="further_well",
        is_strong=pl.col("further") >= limits.min_call_count,
        shows=pl.format(
            "{} of {} failed calls were tried again, {}; {} of the retries went well",
            "failed_followed", "failed", "pauses", "further_well",
        ),
    )  # fmt: skip


class _Pauses:
    """Says how the pauses before further attempts of an edge grow and spread."""

    def __init__(self, seen: Seen) -> None:
        further = seen.of_pattern("attempt").with_columns(number=pl.col("part") & NUMBER)
        self._pauses: dict[tuple[str, ...], list[tuple[int, float, float]]] = {}
        grouped = (
            further.filter(pl.col("number") > 1)
            .group_by(*SITE, "number")
            .agg(pl.col("count", "extra_ns", "squares").sum())
            .sort(*SITE, "number")
        )
        for row in grouped.iter_rows():
            site, (number, count, extra_ns, squares) = row[:4], row[4:]
            if count < _GAPS:
                continue
            mean = extra_ns / count
            variance = max(squares / count - (mean / 1e5) ** 2, 0.0)
            spread = math.sqrt(variance) * 1e5 / mean if mean else 0.0
            self._pauses.setdefault(site, []).append((number, mean, spread))

    def __call__(self, site: dict[str, str]) -> str:
        """Return the pauses of one edge in words."""
        known = self._pauses.get(tuple(site[name] for name in SITE), [])
        if not known:
            return "too few of them to say with which pauses"
        if known[0][1] < IMMEDIATE_NS:
            return "without a visible pause"
        first = f"after {known[0][1] / 1e6:.0f} ms on average"
        spread = known[0][2]
        jitter = ", jittered" if spread >= JITTERED else ""
        jitter = ", all alike" if spread < SYNCHRONISED else jitter
        return f"{first}{_shape(known)}{jitter}"


def _shape(known: list[tuple[int, float, float]]) -> str:
    """Return how pauses grow: the slope of their logarithm over the attempt."""
    if len(known) == 1:
        return ""
    (first, one, _), (last, other, _) = known[0], known[-1]
    slope = math.log2(max(other, 1.0) / one) / (last - first)
    if slope >= GROWS:
        return ", growing exponentially"
    return ", constant" if abs(slope) < CONSTANT else ""


def storms(seen: Seen, before: Seen, retried: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return the edges with retries that at least doubled the calls upstream got.

    Attempts per call reach `Thresholds.storm_ratio` times those of the baseline (1 where nothing
    was retried there) while at least `Thresholds.storm_errors` of the calls fail.

    Returns:
        As `retries`.
    """
    usual = before.attempts().select(*SITE, usual=per("attempts", "calls"))
    now = seen.attempts().join(usual, on=SITE, how="left").with_columns(
        amplification=per("attempts", "calls"), usual=pl.col("usual").fill_null(1.0)
    )  # fmt: skip
    share = pl.col("failed") / pl.col("attempts")
    found = now.join(retried, on=SITE, how="semi").filter(
        (pl.col("amplification") >= limits.storm_ratio * pl.col("usual"))
        & (share >= limits.storm_errors)
    )
    return found.select(
        *SITE,
        pattern=pl.lit("retry storm"),
        occurrences="further",
        opportunities="calls",
        attempts_per_call="amplification",
        is_strong=pl.col("further") >= limits.min_call_count,
        shows=pl.format(
            "{} attempts for {} calls while {} % of them failed",
            "attempts", "calls", (100 * share).round(0).cast(pl.Int64),
        ),
    )  # fmt: skip


def layers(retried: pl.DataFrame, limits: Thresholds) -> pl.DataFrame:
    """Return the edges with retries whose downstream is itself called again by a retrying caller.

    What both do multiplies: attempts per call of both together reach at least
    `Thresholds.amplified_ratio`. The row stands on the lower edge.

    Returns:
        As `retries`.
    """
    upper = retried.select(
        downstream="upstream",
        downstream_operation="upstream_operation",
        caller="downstream",
        outer="attempts_per_call",
    )
    both = retried.join(upper, on=["downstream", "downstream_operation"])
    product = pl.col("attempts_per_call") * pl.col("outer")
    both = both.filter(product >= limits.amplified_ratio)
    worst = both.sort("outer", descending=True).unique(SITE, keep="first", maintain_order=True)
    return worst.select(
        *SITE,
        "occurrences",
        "opportunities",
        "is_strong",
        pattern=pl.lit("layered retries"),
        attempts_per_call=product,
        shows=pl.format(
            "retries here and by {}, which calls this downstream, multiply to {} attempts per call",
            "caller", product.round(1),
        ),
    )  # fmt: skip
