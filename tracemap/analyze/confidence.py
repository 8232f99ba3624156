"""How sure an origin is, and why it is a lead rather than a finding where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracemap.analyze.blame import MOVED, Row, counted

if TYPE_CHECKING:
    from tracemap.analyze.thresholds import Thresholds

UNCERTAIN = "uncertain"
"""The evidence is not strong: a burst, or another mix of requests, could look the same."""
FEW_CALLS = "few calls"
"""The evidence would be strong, but most of it comes from a handful of calls."""
NOT_FELT = "not felt"
"""It moved, but the flow of users' requests says that next to nothing of it reached them."""

_COUNTS = ("calls", "share", "retries", "fallback")
"""Kinds that count calls: how many requests could make them is judged where they are made."""


def doubt(shares: list[tuple[Row, float]], half: float, z: float, limits: Thresholds) -> str | None:
    """Return why an origin is only a lead, judged by its components; None: it is a finding.

    Strong evidence is components that got much slower and make half of it
    (`Thresholds.strong_ratio`), or a rise that is very certain (`Thresholds.strong_z`,
    `Thresholds.strong_interval`); in both cases half of it must come from components with
    `Thresholds.min_call_count` calls on either side.

    Args:
        shares: Components with the part of each that counts.
        half: Half-width of the interval of all together.
        z: Evidence of all together.
        limits: Thresholds.
    """
    excess = sum(counted(row) * part for row, part in shares)
    large = sum(
        counted(row) * part for row, part in shares if row["ratio_low"] >= limits.strong_ratio
    )
    certain = z >= limits.strong_z and half <= limits.strong_interval * excess
    if large < MOVED * excess and not certain:
        return UNCERTAIN
    known = sum(counted(row) * part for row, part in shares if _has_enough_calls(row, limits))
    return None if known >= MOVED * excess else FEW_CALLS


def not_felt(excess_ns: float | None, flow_ns: float | None, limits: Thresholds) -> str | None:
    """Return the doubt that an origin did not reach users; None: it did, or nobody can tell.

    Two computations of the same effect must agree: the sum of the origin's components, and the part
    of the exact split of users' latency (`flow`) that ends at them. An origin is not felt where the
    second has the opposite sign, or is less than `Thresholds.felt_share` of the first.
    """
    if not excess_ns or flow_ns is None:
        return None
    return NOT_FELT if flow_ns < limits.felt_share * excess_ns else None


def _has_enough_calls(row: Row, limits: Thresholds) -> bool:
    fewest = min(row["baseline_calls"], row["calls"])
    return row["kind"] in _COUNTS or fewest >= limits.min_call_count
