"""What is printed: rows of tables, from outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median

from bench.accuracy.cases import Outcome

Row = dict[str, object]

PUBLISHED: Sequence[Row] = (
    {"method": "MicroRank", "online boutique": "41 %", "train ticket": "16 %"},
    {"method": "TraceAnomaly", "online boutique": "30 %", "train ticket": "13 %"},
    {"method": "Nezha, traces alone", "online boutique": "14 %", "train ticket": "7 %"},
    {"method": "Nezha, with metrics and logs", "online boutique": "93 %", "train ticket": "87 %"},
)
"""Top-1 on the whole of the same two fault sets, as published (Nezha, FSE 2023, table 3)."""
RERUN: Sequence[Row] = (
    {"method": "TraceRCA", "first": 2, "first three": 7},
    {"method": "MicroRank", "first": 1, "first three": 4},
    {"method": "BARO on server p90", "first": 6, "first three": 8},
    {"method": "N-sigma", "first": 5, "first three": 7},
    {"method": "best of 14 set-ups", "first": 10, "first three": 11},
    {"method": "chance", "first": 1.4, "first three": 4.2},
)
"""Of 14 latency faults of Online Boutique, run anew with RCAEval 1.8.1 as shipped."""
WITHIN = 0.1
"""Milliseconds are right when they are off by at most this share."""


def named(outcomes: Iterable[Outcome]) -> list[Row]:
    """Return a row a group of cases with culprits."""
    return [_named(group, some) for group, some in _grouped(outcomes).items()]


def alarms(outcomes: Iterable[Outcome]) -> list[Row]:
    """Return a row a group of controls."""
    return [
        {
            "controls": group,
            "windows": len(some),
            "latency origin named": sum(one.latency_named > 0 for one in some),
            "any origin named": sum(bool(one.named) for one in some),
            "spike reported": _spiked(some),
            "s a case": f"{fmean(one.seconds for one in some):.2f}",
        }
        for group, some in _grouped(outcomes).items()
    ]


def misses(outcomes: Iterable[Outcome]) -> list[Row]:
    """Return a row a case in which the first named was not the culprit, or a control was."""
    return [
        {
            "case": one.name,
            "rank": "/".join(map(str, one.ranks)) or "control",
            "named": ", ".join(one.named[:3]) or "nobody",
        }
        for one in outcomes
        if any(rank != 1 for rank in one.ranks) or (not one.ranks and one.latency_named)
    ]


def first(outcomes: Iterable[Outcome]) -> int:
    """Return how many culprits were named first."""
    return sum(rank == 1 for one in outcomes for rank in one.ranks)


def _named(group: str, some: Sequence[Outcome]) -> Row:
    ranks = [rank for one in some for rank in one.ranks]
    off = [abs(share) for one in some for share in one.off]
    edges = [hit for one in some for hit in one.edges]
    return {
        "set": group,
        "culprits": len(ranks),
        "first": sum(rank == 1 for rank in ranks),
        "first three": sum(0 < rank <= 3 for rank in ranks),
        "Avg@5": f"{fmean(_at(ranks, most) for most in range(1, 6)):.3f}",
        "edge itself": f"{sum(edges)}/{len(edges)}" if edges else "-",
        "ms within 10 %": f"{sum(share <= WITHIN for share in off)}/{len(off)}" if off else "-",
        "ms off, median": f"{median(off):.1%}" if off else "-",
        "s a case": f"{fmean(one.seconds for one in some):.2f}",
    }


def _at(ranks: Sequence[int], most: int) -> float:
    return fmean(0 < rank <= most for rank in ranks)


def _spiked(some: Sequence[Outcome]) -> str:
    looked = [one.spikes for one in some if one.spikes is not None]
    return f"{sum(count > 0 for count in looked)}/{len(looked)}" if looked else "-"


def _grouped(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(one.group, []).append(one)
    return groups
