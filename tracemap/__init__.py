"""tracemap: from exported OpenTelemetry spans, who was slow, whom it hurt, and what stopped it.

The public API, a dozen names; they are imported when first used, so that ``import tracemap`` is
cheap::

    import tracemap

    with tracemap.Store.open(Path("tracemap.duckdb"), create=True) as store:
        findings = tracemap.run(tracemap.load_recipe("postmortem"), store, ["exports/"])
    print(tracemap.build_report(findings).headline)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracemap.catalog import load as load_catalog
    from tracemap.errors import TracemapError
    from tracemap.intake import take_in
    from tracemap.model import Findings, Window
    from tracemap.pipeline.run import run
    from tracemap.pipeline.windows import Bounds, Request
    from tracemap.recipe import Recipe
    from tracemap.recipe import load as load_recipe
    from tracemap.report import build as build_report
    from tracemap.report import rows
    from tracemap.store import Store

__version__ = "0.1.0"

__all__ = [
    "Bounds",
    "Findings",
    "Recipe",
    "Request",
    "Store",
    "TracemapError",
    "Window",
    "build_report",
    "load_catalog",
    "load_recipe",
    "rows",
    "run",
    "take_in",
]

_HOMES = {
    "Bounds": ("tracemap.pipeline.windows", "Bounds"),
    "Findings": ("tracemap.model", "Findings"),
    "Recipe": ("tracemap.recipe", "Recipe"),
    "Request": ("tracemap.pipeline.windows", "Request"),
    "Store": ("tracemap.store", "Store"),
    "TracemapError": ("tracemap.errors", "TracemapError"),
    "Window": ("tracemap.model", "Window"),
    "build_report": ("tracemap.report", "build"),
    "load_catalog": ("tracemap.catalog", "load"),
    "load_recipe": ("tracemap.recipe", "load"),
    "rows": ("tracemap.report", "rows"),
    "run": ("tracemap.pipeline", "run"),
    "take_in": ("tracemap.intake", "take_in"),
}
"""Where each public name lives: module and name there."""


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, home_name = _HOMES[name]
    return getattr(import_module(module), home_name)


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]
