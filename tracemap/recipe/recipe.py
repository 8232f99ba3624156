"""A recipe as it is checked, and the thresholds that are in force with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tracemap.analyze.thresholds import Thresholds

SECTIONS = (
    "summary",
    "timeline",
    "graph",
    "flow",
    "flow_bands",
    "edges",
    "spikes",
    "propagation",
    "insulation",
    "errors",
    "origins",
    "bottlenecks",
    "dependencies",
    "blast_radius",
    "critical_path",
    "changes",
    "exemplars",
    "handoff",
    "regressions",
    "drift",
    "trend",
    "budget",
    "declarations",
    "teams",
    "ledger",
)
"""What `report` can show; named here too, so that checking a recipe loads no plotting."""

LONG_TERM = {"drift", "regressions", "budget", "trend"}
"""Findings that compare weeks, from stored facts."""
COMPARING = {"flow", "flow_bands", "propagation", "insulation", "errors", "origins"}
"""Findings that compare an incident with its baseline."""


class Recipe(BaseModel):
    """One recipe, checked.

    Attributes:
        name: File name without ``.toml``; names the report's files.
        title: Title of the report.
        window: ``all``: everything the database covers; ``worst spike``: the window of one spike;
            ``last week``: the last seven days covered.
        baseline: ``auto``: chosen by `analyze.baseline`; ``none``: compare with nothing; ``weeks
            before``: up to four whole weeks before the window.
        findings: What is computed, names of `model.FINDINGS`.
        sections: What the report shows, in order.
        thresholds: Values that differ from the defaults of `analyze.Thresholds`.
        owners: Owner by service, where the spans do not name one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(exclude=True)
    title: str = Field(min_length=1)
    window: Literal["all", "worst spike", "last week"] = "all"
    baseline: Literal["auto", "none", "weeks before"] = "auto"
    findings: list[str] = Field(min_length=1)
    sections: list[str] = Field(min_length=1)
    thresholds: dict[str, float] = {}
    owners: dict[str, str] = {}

    @property
    def is_report(self) -> bool:
        """Whether it is more than one finding asked for alone."""
        return self.findings != [self.name]

    @property
    def is_long_term(self) -> bool:
        """Whether it compares weeks, from facts alone."""
        return bool(LONG_TERM & set(self.findings))

    @property
    def compares(self) -> bool:
        """Whether any of it needs a window and its baseline."""
        return bool(COMPARING & set(self.findings)) or "exemplars" in self.sections


def threshold_defaults() -> dict[str, float]:
    """Return every threshold with its default."""
    return asdict(Thresholds())


def limits(recipe: Recipe) -> Thresholds:
    """Return all thresholds, those of `recipe` in the place of the defaults."""
    defaults = threshold_defaults()
    given: dict[str, Any] = {
        key: type(defaults[key])(value) for key, value in recipe.thresholds.items()
    }
    return Thresholds(**given)
