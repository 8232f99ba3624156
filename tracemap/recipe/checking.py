"""What is wrong with a recipe: all mistakes at once, each with a hint."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tracemap.errors import PipelineError, did_you_mean
from tracemap.model import FINDINGS
from tracemap.recipe.recipe import LONG_TERM, SECTIONS, Recipe, threshold_defaults

_BESIDE_LONG_TERM = LONG_TERM | {"edges", "bottlenecks", "declarations"}
_LARGEST = 1e12
"""No limit is larger; whole numbers stay exact and clear of overflow."""

Mistake = tuple[str, str, str]
"""What is wrong, at which key, and a hint or nothing."""


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


def _mistake(detail: ErrorDetails) -> Mistake:
    """Return one mistake that pydantic found as (what, key, hint)."""
    key = ".".join(str(part) for part in detail["loc"])
    value = detail["input"]
    if detail["type"] == "extra_forbidden":
        keys = [field for field in Recipe.model_fields if field != "name"]
        hint = did_you_mean(key, keys, f"the keys are {', '.join(keys)}")
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
    long_term = sorted(LONG_TERM & findings)
    weeks = {"window": "last week", "baseline": "weeks before"}
    mistakes: list[Mistake] = []
    for key, value in weeks.items():
        if long_term and content.get(key, value) != value:
            hint = f"write {value!r}, or leave {long_term[0]!r} out"
            mistakes.append((f"{long_term[0]!r} compares weeks", key, hint))
        if findings and not long_term and content.get(key) == value:
            hint = f"add one of {', '.join(sorted(LONG_TERM))}"
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
            did_you_mean(word, words, f"there are {', '.join(words)}"),
        )
        for word in given
        if isinstance(word, str) and word not in words
    ]
