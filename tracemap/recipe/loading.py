"""Where recipes come from: those that ship with tracemap, files, and single findings."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from tracemap.errors import PipelineError, did_you_mean
from tracemap.recipe.checking import Mistake, check
from tracemap.recipe.recipe import COMPARING, LONG_TERM, Recipe

_WINDOWS = dict.fromkeys(COMPARING, "worst spike") | dict.fromkeys(LONG_TERM, "last week")


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
    laid_over = f"{where} with --set" if settings else where
    return check(content, name=name, where=laid_over, mistakes=mistakes)


def single(finding: str, settings: Sequence[str] = ()) -> Recipe:
    """Return the recipe that computes one finding and nothing else.

    Raises:
        PipelineError: If a setting is wrong.
    """
    content: dict[str, Any] = {
        "title": finding,
        "window": _WINDOWS.get(finding, "all"),
        "baseline": "weeks before" if finding in LONG_TERM else "auto",
        "findings": [finding],
        "sections": ["summary"],
    }
    mistakes = [mistake for setting in settings for mistake in _lay_over(content, setting)]
    return check(content, name=finding, where="--set", mistakes=mistakes)


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
        hint=did_you_mean(
            reference, names(), f"take one of {', '.join(names())}, or the path of a .toml file"
        ),
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
