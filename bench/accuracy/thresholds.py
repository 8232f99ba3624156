"""The same cases with each threshold halved and doubled: what hangs on it.

Only thresholds that a case reads are varied: one that was never looked at cannot change anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from bench.accuracy.cases import Case, Outcome
from bench.accuracy.judging import judged
from tracemap.analyze import Thresholds

Row = dict[str, object]
Variant = tuple[str, str]
"""Name of a threshold, and ``half`` or ``double``."""
AS_IS: Variant = ("", "")


class Watched(Thresholds):
    """The default thresholds, and a note of which of them were read."""

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - whatever the limit is
        """Return a limit and note that it was read."""
        value = super().__getattribute__(name)
        if name in Thresholds.__dataclass_fields__:
            super().__getattribute__("__dict__").setdefault(" read", set()).add(name)
        return value

    @property
    def read(self) -> frozenset[str]:
        """Names of the limits that were read so far."""
        return frozenset(self.__dict__.get(" read", ()))


def variants(names: frozenset[str]) -> Iterator[tuple[Variant, Thresholds]]:
    """Yield each threshold of `names` halved and doubled.

    Of a factor above 1 it is the part above 1 that is halved and doubled.
    """
    defaults: dict[str, Any] = asdict(Thresholds())
    for name in sorted(names):
        for side, times in (("half", 0.5), ("double", 2.0)):
            value = defaults[name]
            nothing = 1 if name.endswith("_ratio") and value > 1 else 0
            varied = type(value)(nothing + (value - nothing) * times)
            yield (name, side), replace(Thresholds(), **{name: varied})


def outcomes(case: Case) -> list[tuple[Variant, Outcome]]:
    """Return how a case goes as it is, and with each threshold that it reads halved and doubled."""
    watched = Watched()
    as_is = judged(case, watched)
    return [
        (AS_IS, as_is),
        *((one, judged(case, limits)) for one, limits in variants(watched.read)),
    ]


def table(cases: Sequence[Sequence[tuple[Variant, Outcome]]]) -> list[Row]:
    """Return a row a threshold: culprits named first, alarms and spikes, halved and doubled."""
    judgements = [dict(case) for case in cases]
    as_is = _summed([case[AS_IS] for case in judgements])
    rows: list[Row] = [{"threshold": "as they are", "value": "", "halved": as_is, "doubled": as_is}]
    values = asdict(Thresholds())
    read = {name for case in judgements for name, _ in case if name}
    for name in values:
        halved, doubled = (
            _summed([case.get((name, side), case[AS_IS]) for case in judgements])
            for side in ("half", "double")
        )
        if (halved, doubled) != (as_is, as_is):
            value = f"{values[name]:g}"
            rows.append({"threshold": name, "value": value, "halved": halved, "doubled": doubled})
    same, unread = len(read) + 1 - len(rows), len(values) - len(read)
    for count, words in ((same, "no change"), (unread, "not looked at: they judge other findings")):
        rows.append(
            {"threshold": f"{count} others", "value": "", "halved": words, "doubled": words}
        )
    return rows


def _summed(outcomes: Sequence[Outcome]) -> str:
    ranks = [rank for one in outcomes for rank in one.ranks]
    controls = [one for one in outcomes if not one.ranks]
    alarms = sum(one.latency_named > 0 for one in controls)
    spiked = sum(bool(one.spikes) for one in controls)
    return f"{sum(rank == 1 for rank in ranks)}/{len(ranks)} first, {alarms}+{spiked} alarms"
