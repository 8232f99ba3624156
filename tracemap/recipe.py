"""Recipes: what a report is made of, as data. A TOML file with a closed set of keys, no logic.

If a recipe seems to need an ``if``, it needs a finding instead; if a user needs control flow, the
public API is a ten-line script.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from tracemap.analyze.thresholds import Thresholds
from tracemap.errors import PipelineError
from tracemap.model import FINDINGS

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


_LONG_TERM = {"drift", "regressions", "budget", "trend"}
_BESIDE_LONG_TERM = _LONG_TERM | {"edges", "bottlenecks", "declarations"}
_COMPARING = {"flow", "flow_bands", "propagation", "insulation", "errors", "origins"}
_WINDOWS = dict.fromkeys(_COMPARING, "worst spike") | dict.fromkeys(_LONG_TERM, "last week")
_LARGEST = 1e12
"""No limit is larger; whole numbers stay exact and clear of overflow."""

Mistake = tuple[str, str, str]
"""What is wrong, at which key, and a hint or nothing."""


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
        return bool(_LONG_TERM & set(self.findings))

    @property
    def compares(self) -> bool:
        """Whether any of it needs a window and its baseline."""
        return bool(_COMPARING & set(self.findings)) or "exemplars" in self.sections


def shipped() -> Traversable:
    """Return the folder of the recipes that ship with tracemap (wheel or checkout)."""
    package = files("tracemap")
    inside = package / "_pipelines"
    return inside if inside.is_dir() else package / ".." / "pipelines"


def names() -> list[str]:
    """Return the names of the shipped recipes, sorted."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in shipped().iterdir()
        if entry.name.endswith(".toml")
    )


def text(name: str) -> str:
    """Return the text of a shipped recipe.

    Raises:
        PipelineError: If there is no such recipe.
    """
    if name not in names():
        raise _unknown_recipe(name)
    return (shipped() / f"{name}.toml").read_text(encoding="utf-8")


def load(reference: str, settings: Sequence[str] = ()) -> Recipe:
    """Return the recipe of that name, or in that file, with `settings` laid over it.

    Args:
        reference: The name of a shipped recipe, or the path of a ``.toml`` file.
        settings: ``key=value``; a key of the recipe itself or the name of a threshold; the value
            as TOML, or plain text.

    Raises:
        PipelineError: If there is no such recipe, or anything in it is wrong; all mistakes at once.
    """
    if reference in names():
        name, where = reference, f"recipe {reference}"
        content_text = text(reference)
    else:
        name, where, content_text = _read(reference)
    try:
        content: dict[str, Any] = tomllib.loads(content_text)
    except tomllib.TOMLDecodeError as error:
        raise PipelineError(
            f"the recipe is not valid TOML: {error}", where=where, hint="see docs/pipelines.md"
        ) from error
    mistakes = [mistake for setting in settings for mistake in _lay_over(content, setting)]
    return check(content, name=name, where=where, mistakes=mistakes)


def single(finding: str, settings: Sequence[str] = ()) -> Recipe:
    """Return the recipe that computes one finding and nothing else.

    Raises:
        PipelineError: If a setting is wrong.
    """
    content: dict[str, Any] = {
        "title": finding,
        "window": _WINDOWS.get(finding, "all"),
        "baseline": "weeks before" if finding in _LONG_TERM else "auto",
        "findings": [finding],
        "sections": ["summary"],
    }
    mistakes = [mistake for setting in settings for mistake in _lay_over(content, setting)]
    return check(content, name=finding, where="--set", mistakes=mistakes)


def check(
    content: dict[str, Any], *, name: str, where: str, mistakes: Sequence[Mistake] = ()
) -> Recipe:
    """Return `content` as a recipe.

    Args:
        content: The recipe as TOML gives it.
        name: Its name.
        where: Where it comes from, for messages.
        mistakes: Found before, to be reported with the others.

    Raises:
        PipelineError: Naming every mistake, with the nearest right word where there is one.
    """
    mistakes = list(mistakes)
    recipe = None
    try:
        recipe = Recipe.model_validate({**content, "name": name})
    except ValidationError as error:
        mistakes += [_mistake(detail) for detail in error.errors()]
    mistakes += _unknown(content.get("findings"), FINDINGS, "finding", "findings")
    mistakes += _unknown(content.get("sections"), SECTIONS, "section", "sections")
    mistakes += _unknown(content.get("thresholds"), threshold_defaults(), "threshold", "thresholds")
    mistakes += _impossible(content.get("thresholds"))
    mistakes += _unfit(content)
    if recipe is not None and not mistakes:
        return recipe
    if len(mistakes) == 1:
        what, key, hint = mistakes[0]
        raise PipelineError(what, where=f"{where}, key {key!r}", hint=hint)
    listed = "".join(
        f"\n  - key {key!r}: {what}{f' ({hint})' if hint else ''}" for what, key, hint in mistakes
    )
    raise PipelineError(f"{len(mistakes)} mistakes in the recipe{listed}", where=where)


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


def explain(recipe: Recipe) -> str:
    """Return in words what running `recipe` will do, one step a line."""
    looked_at = {
        "all": "everything the database covers, or --from/--to",
        "worst spike": "the worst spike (--spike N: the N-th), or --from/--to",
        "last week": "the last seven days covered, or --from/--to",
    }[recipe.window]
    compared = {
        "auto": "the same hours of an earlier week, else quiet time nearby, or --baseline-from/-to",
        "none": "nothing",
        "weeks before": "up to four whole weeks before the window, or --baseline-from/-to",
    }[recipe.baseline]
    lines = [
        f"{recipe.name}: {recipe.title}",
        "1. ingest    the inputs given; known files are skipped",
        "2. derive    facts of the hours that changed",
        f"3. window    {looked_at}",
        f"   baseline  {compared}",
        f"4. findings  {', '.join(recipe.findings)}",
        f"5. report    {', '.join(recipe.sections)}",
        "thresholds (* set by this recipe)",
    ]
    for key, value in asdict(limits(recipe)).items():
        mark = "*" if key in recipe.thresholds else " "
        lines.append(f" {mark} {key} = {value:g}")
    return "\n".join(lines)


def _read(reference: str) -> tuple[str, str, str]:
    path = Path(reference)
    if path.suffix != ".toml":
        raise _unknown_recipe(reference)
    try:
        return path.stem, str(path), path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise PipelineError(
            f"the recipe cannot be read: {reason}",
            where=str(path),
            hint=f"shipped recipes go by name: {', '.join(names())}",
        ) from error


def _unknown_recipe(reference: str) -> PipelineError:
    return PipelineError(
        f"there is no recipe {reference!r}",
        where="argument RECIPE",
        hint=_did_you_mean(reference, names())
        or f"take one of {', '.join(names())}, or the path of a .toml file",
    )


def _lay_over(content: dict[str, Any], setting: str) -> list[Mistake]:
    """Lay one setting over `content`, and return what is wrong with its form."""
    key, equals, text = setting.partition("=")
    if not equals or not key:
        return [(f"{setting!r} is not key=value", "--set", "such as --set min_call_count=50")]
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if key in Recipe.model_fields and key not in {"name", "thresholds"}:
        content[key] = value
    elif isinstance(content.setdefault("thresholds", {}), dict):
        content["thresholds"][key] = value
    return []


def _mistake(detail: ErrorDetails) -> Mistake:
    """Return one mistake that pydantic found as (what, key, hint)."""
    key = ".".join(str(part) for part in detail["loc"])
    value = detail["input"]
    if detail["type"] == "extra_forbidden":
        keys = [field for field in Recipe.model_fields if field != "name"]
        hint = _did_you_mean(key, keys) or f"the keys are {', '.join(keys)}"
        return f"unknown key {key!r}", key, hint
    if detail["type"] == "missing":
        return f"the key {key!r} is missing", key, "copy it from a shipped recipe"
    if detail["type"] == "literal_error":
        return f"{value!r} is not allowed", key, f"write {detail['ctx']['expected']}"
    return f"{value!r}: {detail['msg'][0].lower()}{detail['msg'][1:]}", key, ""


def _unfit(content: dict[str, Any]) -> list[Mistake]:
    """Return a mistake for each key that does not fit a recipe over weeks, or needs one."""
    given = content.get("findings")
    findings = (
        {word for word in given if isinstance(word, str)} if isinstance(given, list) else set()
    )
    long_term = sorted(_LONG_TERM & findings)
    weeks = {"window": "last week", "baseline": "weeks before"}
    mistakes: list[Mistake] = []
    for key, value in weeks.items():
        if long_term and content.get(key, value) != value:
            hint = f"write {value!r}, or leave {long_term[0]!r} out"
            mistakes.append((f"{long_term[0]!r} compares weeks", key, hint))
        if findings and not long_term and content.get(key) == value:
            hint = f"add one of {', '.join(sorted(_LONG_TERM))}"
            mistakes.append((f"{value!r} is for findings that compare weeks", key, hint))
    if long_term:
        mistakes += [
            (f"{word!r} needs spans, {long_term[0]!r} compares weeks from facts", "findings",
             "make two recipes of it")
            for word in sorted((findings & set(FINDINGS)) - _BESIDE_LONG_TERM)
        ]  # fmt: skip
    return mistakes


def _impossible(given: object) -> list[Mistake]:
    """Return a mistake for each threshold whose value cannot be a limit.

    Values that are no numbers are the schema's to report.
    """
    mistakes: list[Mistake] = []
    if not isinstance(given, dict):
        return mistakes
    for name, default in threshold_defaults().items():
        value = given.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        if not math.isfinite(value) or not 0 <= value <= _LARGEST:
            wanted = f"a number from 0 to {_LARGEST:,.0f}"
        elif value == 0 and name.endswith("_ratio"):
            wanted = "a factor: it must be above 0"
        elif isinstance(default, int) and value != int(value):
            wanted = "a whole number"
        else:
            continue
        hint = f"the default is {default:g}"
        mistakes.append((f"{value!r} is not {wanted}", f"thresholds.{name}", hint))
    return mistakes


def _unknown(given: object, known: Iterable[str], what: str, key: str) -> list[Mistake]:
    """Return a mistake for each word of `given` that is not in `known`."""
    if not isinstance(given, list | dict):
        return []
    words = list(known)
    return [
        (
            f"unknown {what} {word!r}",
            key,
            _did_you_mean(word, words) or f"there are {', '.join(words)}",
        )
        for word in given
        if isinstance(word, str) and word not in words
    ]


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""
