"""The same cases with each threshold halved and doubled: what hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from bench.accuracy.cases import Case, Outcome
from bench.accuracy.judging import judged
from tracemap.analyze import Thresholds

Row = dict[str, object]
AS_IS = ("", "")


def variants() -> Iterator[tuple[tuple[str, str], Thresholds]]:
    """Yield every threshold halved and doubled: its name, which of the two, and all limits.

    Of a factor above 1 it is the part above 1 that is halved and doubled.
    """
    defaults: dict[str, Any] = asdict(Thresholds())
    yield AS_IS, Thresholds()
    for name, value in defaults.items():
        for side, times in (("half", 0.5), ("double", 2.0)):
            nothing = 1 if name.endswith("_ratio") and value > 1 else 0
            varied = type(value)(nothing + (value - nothing) * times)
            yield (name, side), replace(Thresholds(), **{name: varied})


def outcomes(case: Case) -> list[tuple[tuple[str, str], Outcome]]:
    """Return how a case goes with each of `variants`."""
    return [(variant, judged(case, limits)) for variant, limits in variants()]


def table(results: Sequence[tuple[tuple[str, str], Outcome]]) -> list[Row]:
    """Return a row a threshold: culprits named first, alarms and spikes, halved and doubled."""
    by_variant: dict[tuple[str, str], list[Outcome]] = {}
    for variant, outcome in results:
        by_variant.setdefault(variant, []).append(outcome)
    as_is = _summed(by_variant[AS_IS])
    rows: list[Row] = [{"threshold": "as they are", "value": "", "halved": as_is, "doubled": as_is}]
    for name, value in asdict(Thresholds()).items():
        halved, doubled = (_summed(by_variant[name, side]) for side in ("half", "double"))
        if (halved, doubled) != (as_is, as_is):
            rows.append(
                {"threshold": name, "value": f"{value:g}", "halved": halved, "doubled": doubled}
            )
    same = len(asdict(Thresholds())) + 1 - len(rows)
    rows.append(
        {"threshold": f"{same} others", "value": "", "halved": "no change", "doubled": "no change"}
    )
    return rows


def _summed(outcomes: Sequence[Outcome]) -> str:
    ranks = [rank for one in outcomes for rank in one.ranks]
    controls = [one for one in outcomes if not one.ranks]
    alarms = sum(one.latency_named > 0 for one in controls)
    spiked = sum(bool(one.spikes) for one in controls)
    return f"{sum(rank == 1 for rank in ranks)}/{len(ranks)} first, {alarms}+{spiked} alarms"
