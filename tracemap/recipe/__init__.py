"""Recipes: what a report is made of, as data. A TOML file with a closed set of keys, no logic.

If a recipe seems to need an ``if``, it needs a finding instead; if a user needs control flow, the
public API is a ten-line script.
"""

from __future__ import annotations

from tracemap.recipe.explanation import explain
from tracemap.recipe.loading import load, names, shipped, single, text
from tracemap.recipe.recipe import SECTIONS, Recipe, limits, threshold_defaults

__all__ = [
    "SECTIONS",
    "Recipe",
    "explain",
    "limits",
    "load",
    "names",
    "shipped",
    "single",
    "text",
    "threshold_defaults",
]
