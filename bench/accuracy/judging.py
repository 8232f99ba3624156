"""One case judged: at which rank each culprit is named, and how far its milliseconds are off."""

from __future__ import annotations

import time
from typing import Any

from bench.accuracy.cases import Case, Culprit, Outcome
from tracemap import analyze
from tracemap.analyze import Thresholds

NO_LATENCY = ("error", "mix")
"""Causes that accuse nobody of being slow."""


def judged(case: Case, limits: Thresholds | None = None) -> Outcome:
    """Return how a case went.

    Args:
        case: The case.
        limits: Thresholds; the defaults when None.
    """
    begun = time.perf_counter()
    rows = analyze.origins(case.facts, case.incident, case.baseline, thresholds=limits).to_dicts()
    seconds = case.seconds + time.perf_counter() - begun
    spikes = None if case.latency is None else analyze.spikes(case.latency, limits).height
    outcome = Outcome(
        case.group,
        case.name,
        named=[row["service"] for row in rows],
        latency_named=sum(row["cause"] not in NO_LATENCY for row in rows),
        spikes=spikes,
        seconds=seconds,
    )
    for culprit in case.culprits:
        others = [other for other in case.culprits if other is not culprit]
        _count(outcome, culprit, _rivals(rows, culprit, others))
    return outcome


def _rivals(
    rows: list[dict[str, Any]], culprit: Culprit, others: list[Culprit]
) -> list[dict[str, Any]]:
    """Return the origins without those that are right for another culprit alone."""
    return [
        row
        for row in rows
        if culprit.is_named_by(row) or not any(other.is_named_by(row) for other in others)
    ]


def _count(outcome: Outcome, culprit: Culprit, rows: list[dict[str, Any]]) -> None:
    hits = [place for place, row in enumerate(rows) if culprit.is_named_by(row)]
    outcome.ranks.append(hits[0] + 1 if hits else 0)
    if culprit.edge is not None:
        named = [(row["edge_downstream"], row["edge_upstream"]) for row in rows]
        outcome.edges.append(culprit.edge in named)
    slow = [rows[place] for place in hits if rows[place]["cause"] not in NO_LATENCY]
    if slow and culprit.excess_ms:
        outcome.off.append(slow[0]["excess_ns"] / 1e6 / culprit.excess_ms - 1)
