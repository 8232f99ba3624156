"""``--fail-on``: conditions on named figures of a report, for CI and cron. A closed, small grammar.

::

    condition = figure operator number        such as  p95_ratio>1.2  or  new_edges >= 1
    operator  = ">" | ">=" | "<" | "<="
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from tracemap.errors import PipelineError, ThresholdError, did_you_mean
from tracemap.model import Findings

_CONDITION = re.compile(r"\s*(?P<figure>\w+)\s*(?P<operator>>=|<=|>|<)\s*(?P<number>\S+)\s*")
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
)


@dataclass(frozen=True)
class Figure:
    """One number of a report.

    Attributes:
        finding: Where it comes from; a recipe without that finding does not have the figure.
        meaning: What it is, for docs and messages.
        of: How to read it.
    """

    finding: str
    meaning: str
    of: Callable[[pl.DataFrame], float]


def _changed(change: str) -> Callable[[pl.DataFrame], float]:
    return lambda rows: float(rows["changes"].list.contains(change).sum())


def _largest(column: str, *, least: float) -> Callable[[pl.DataFrame], float]:
    return lambda rows: float(max([least, *rows[column].drop_nulls().to_list()]))


def _accused(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the origins that are findings; another mix of requests accuses nobody."""
    return rows.filter(pl.col("confidence").eq("strong") & pl.col("cause").ne("mix"))


def _slower(rows: pl.DataFrame) -> float:
    slower = rows.filter(pl.col("changes").list.contains("slower"))
    return float(max([1.0, *slower["p95_ratio"].drop_nulls().to_list()]))


FIGURES: Mapping[str, Figure] = MappingProxyType(
    {
        "spikes": Figure("spikes", "latency spikes in the window", lambda rows: rows.height),
        "spike_ratio": Figure(
            "spikes", "largest p95 of a spike over its baseline", _largest("ratio", least=1.0)
        ),
        "origins": Figure(
            "origins", "origins that are findings, not leads",
            lambda rows: float(_accused(rows).height),
        ),
        "excess_ms": Figure(
            "origins", "ms that the worst such origin added to a user request",
            lambda rows: max([0.0, *(_accused(rows)["excess_ns"] / 1e6)]),
        ),
        "p95_ratio": Figure(
            "drift", "largest p95 ratio of an edge that is slower, beyond chance and mix", _slower
        ),
        "slower_edges": Figure("drift", "edges that are slower", _changed("slower")),
        "new_edges": Figure("drift", "edges that are new", _changed("new")),
        "gone_edges": Figure("drift", "edges that are gone", _changed("gone")),
        "re_routed_edges": Figure("drift", "edges that are re-routed", _changed("re-routed")),
        "error_edges": Figure("drift", "edges with more errors", _changed("more errors")),
        "user_ms": Figure(
            "regressions", "change of the mean user request in ms, the same mix",
            lambda rows: float(rows["change_ns"].sum() or 0) / 1e6,
        ),
        "budget_used": Figure(
            "budget", "part of the error budget used: 1 is all of it",
            lambda rows: float(rows["budget_share"].sum() or 0.0),
        ),
    }
)  # fmt: skip
"""Every figure by its name."""


@dataclass(frozen=True)
class Condition:
    """One condition, as it was written and as it is checked."""

    text: str
    figure: str
    operator: str
    number: float


def conditions(texts: Sequence[str], findings: Sequence[str]) -> list[Condition]:
    """Return conditions out of texts.

    Args:
        texts: As given to ``--fail-on``.
        findings: What the recipe computes.

    Raises:
        PipelineError: Naming all that is wrong with the first condition that is not right.
    """
    return [_condition(text, findings) for text in texts]


def _condition(text: str, findings: Sequence[str]) -> Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise _mistake(f"{text!r} is no condition", "write it such as 'p95_ratio>1.2'", text)
    name, number = match["figure"], _number(match["number"])
    if name not in FIGURES:
        hint = did_you_mean(name, FIGURES, f"there are {', '.join(FIGURES)}")
        raise _mistake(f"unknown figure {name!r}", hint, text)
    if number is None:
        raise _mistake(f"{match['number']!r} is no number", "such as 1.2 or 5", text)
    needed = FIGURES[name].finding
    if needed not in findings:
        here = [each for each, figure in FIGURES.items() if figure.finding in findings]
        hint = f"add {needed!r} to its findings"
        if here:
            hint = f"this recipe has {', '.join(here)}; or {hint}"
        raise _mistake(f"the recipe has no {name!r}: it does not compute {needed!r}", hint, text)
    return Condition(text, name, match["operator"], number)


def check(wanted: Sequence[Condition], findings: Findings, report: str) -> None:
    """Raise an error where a condition holds; nothing can be said where data was insufficient.

    Args:
        wanted: Conditions to fail on.
        findings: Of the report.
        report: Where the report is, for the hint.

    Raises:
        ThresholdError: Naming every condition that holds, with its figure.
    """
    if findings.verdict == "insufficient_data":
        return
    held = []
    for condition in wanted:
        figure = FIGURES[condition.figure]
        value = figure.of(findings.tables[figure.finding])
        if _OPERATORS[condition.operator](value, condition.number):
            held.append(f"{condition.figure} is {value:.4g} ({condition.text.strip()})")
    if held:
        raise ThresholdError(
            "; ".join(held), where="--fail-on", hint=f"the report says why: {report}"
        )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _mistake(what: str, hint: str, text: str) -> PipelineError:
    return PipelineError(what, where=f"--fail-on {text!r}", hint=hint)
