"""Findings about one window, or about an incident and its baseline: facts loaded, then analyzed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import polars as pl

from tracemap import analyze, derive, engine
from tracemap.errors import NoDataError
from tracemap.intake import Progress
from tracemap.model import (
    DECLARATIONS,
    EXEMPLAR_PLACES,
    FACTS,
    FLOW_BANDS,
    HOUR_NS,
    Cells,
    Facts,
    Findings,
    Window,
)
from tracemap.pipeline.pruning import overlapping
from tracemap.pipeline.windows import Choice, Request
from tracemap.recipe import Recipe
from tracemap.self_trace import analyzed
from tracemap.store import Store

ONE_WINDOW = ("bottlenecks", "dependencies", "availability", "cycles")
"""Findings about one window that compare it with nothing."""


def compared_facts(store: Store, choice: Choice, progress: Progress) -> Facts:
    """Return the facts of incident and baseline, each cut into cells; none where not needed."""
    if choice.incident is None:
        return Facts()
    windows = {choice.incident, choice.baseline or choice.incident}
    cells = tuple(cell for window in sorted(windows) for cell in analyze.cells(window))
    return engine.window_facts(store, Cells(windows=cells), progress=progress)


def shown_facts(
    store: Store,
    cells: Cells,
    choice: Choice,
    covered: Window,
    compared: Facts,
    *,
    progress: Progress,
) -> Facts:
    """Return the facts of the window shown: stored ones, those compared, or derived on demand.

    Where its spans were pruned, the stored ones of its minutes (call paths: hours).

    Raises:
        NoDataError: If no trace starts in that window, although calls were made in it.
    """
    if choice.shown == covered and not cells.collapse_proxies:
        return Facts({name: store.facts(name) for name in FACTS})
    facts = compared
    is_other = choice.shown != choice.incident or compared["edge_facts"].is_empty()
    is_pruned = bool(overlapping(store.pruned_hours(), choice.shown))
    if is_pruned and not cells.collapse_proxies:  # which needs the spans: those there are
        facts = Facts({name: store.facts(name, choice.shown) for name in FACTS})
    elif is_other or cells.collapse_proxies:
        facts = engine.window_facts(store, cells, progress=progress)
    inside = choice.shown.contains(pl.col("window_start_ns"))
    shown = Facts(
        {
            name: rows.filter(inside) if "window_start_ns" in rows.columns else rows
            for name, rows in facts.tables.items()
        }
    )
    if shown["latency_facts"].is_empty():
        raise NoDataError(
            f"no trace starts in the window {choice.shown}",
            where="--from, --to",
            hint=f"the database covers {covered}",
        )
    return shown


def edges_and_critical_path(
    shown: Facts, choice: Choice, compared: Facts, thresholds: analyze.Thresholds
) -> dict[str, pl.DataFrame]:
    """Return the findings `edges` and `critical_path` of the window shown."""
    edges = analyzed(analyze.edges)(
        shown["edge_facts"], shown["latency_facts"], shown["pattern_facts"]
    )
    if choice.incident is not None and choice.baseline is not None:
        windows = choice.incident, choice.baseline
        edges = analyze.with_change(edges, compared["latency_facts"], *windows, thresholds)
    critical = analyzed(analyze.critical_path)(shown["path_facts"], shown["paths"])
    return {"edges": edges, "critical_path": critical}


def one_window(
    recipe: Recipe, window: Window, facts: Facts, thresholds: analyze.Thresholds
) -> dict[str, pl.DataFrame]:
    """Return the findings of `ONE_WINDOW` that `recipe` asks for."""
    made: dict[str, Callable[[], pl.DataFrame]] = {
        "bottlenecks": lambda: analyze.bottlenecks(facts, window),
        "dependencies": lambda: analyze.dependencies(facts, thresholds),
        "availability": lambda: analyze.availability(facts, thresholds),
        "cycles": lambda: analyze.cycles(facts["path_facts"], facts["paths"], facts["edge_facts"]),
    }
    return {name: made[name]() for name in ONE_WINDOW if name in recipe.findings}


def timeline(
    tables: dict[str, pl.DataFrame], latency: pl.DataFrame, choice: Choice, covered: Window
) -> pl.DataFrame:
    """Return the finding `timeline`: the units that the other findings in `tables` speak of."""
    time = analyze.timeline_window(choice.shown, choice.baseline, covered)
    units = analyze.timeline_units(tables, latency)
    return analyzed(analyze.timeline)(latency, units, time)


def declarations(store: Store, request: Request, found: Findings) -> pl.DataFrame:
    """Return what the catalog declares against what was observed; none without a catalog.

    Observed are the calls of the window and of what it is compared with.
    """
    if request.catalog is None or found.window is None:
        return DECLARATIONS.empty()
    known = [asdict(each) for each in request.catalog.dependencies()]
    schema = {"downstream": pl.String, "upstream": pl.String, "says": pl.String,
              "is_known": pl.Boolean}  # fmt: skip
    windows = sorted({found.window, found.baseline or found.window})
    width_ns = max(window.duration_ns for window in windows)
    edge_facts = store.rolled_up("edge_facts", windows, width_ns)
    nodes = dict(store.nodes())
    return analyze.declarations(edge_facts, pl.DataFrame(known, schema=schema), nodes, found.owners)


def insulation(
    shown: Facts,
    choice: Choice,
    compared: Facts,
    tables: dict[str, pl.DataFrame],
    thresholds: analyze.Thresholds,
    *,
    critical: frozenset[str],
) -> dict[str, pl.DataFrame]:
    """Return what stops a spike, in the incident or else in all that is shown, and who did."""
    if choice.incident is None:
        # stored cells begin at full hours
        whole = Window(choice.shown.start_ns // HOUR_NS * HOUR_NS, choice.shown.end_ns)
        found = analyze.insulation(shown, whole, thresholds=thresholds, critical=critical)
        return {"insulation": found}
    found = analyze.insulation(
        compared,
        choice.incident,
        choice.baseline,
        tables["propagation"],
        thresholds,
        critical=critical,
    )
    named = analyze.named_mechanisms(tables["propagation"], found)
    return {"insulation": found, "propagation": named}


def compared(
    choice: Choice, facts: Facts, thresholds: analyze.Thresholds, owners: dict[str, str]
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the findings that compare two windows, and where to look for exemplars of origins.

    Both are empty where there are no two windows to compare.

    Args:
        choice: The windows.
        facts: Of both windows, each cut into cells.
        thresholds: Limits.
        owners: Owner by node.

    Returns:
        Findings by name, and `model.EXEMPLAR_PLACES`.
    """
    if choice.incident is None or choice.baseline is None or facts["path_facts"].is_empty():
        return {}, EXEMPLAR_PLACES.empty()
    windows = choice.incident, choice.baseline
    paths = facts["paths"].unique("path_id").sort("path_id")
    found = analyzed(analyze.origins_with_flow)(
        facts, *windows, thresholds=thresholds, owners=owners
    )
    tables = {
        "paths": paths,
        "flow": found.flow,
        "origins": found.origins,
        "user_operations": analyze.user_operations(
            facts["path_facts"], facts["latency_facts"], paths, *windows
        ),
        "propagation": analyzed(analyze.propagation)(
            facts["path_facts"], paths, *windows, thresholds, parallel_facts=facts["parallel_facts"]
        ),
        "errors": analyzed(analyze.errors)(facts["path_facts"], paths, *windows, thresholds),
    }
    return tables, found.places


def flow_bands(
    store: Store,
    choice: Choice,
    tables: dict[str, pl.DataFrame],
    thresholds: analyze.Thresholds,
    progress: Progress,
) -> pl.DataFrame:
    """Return the flow of the slow requests of the operations that changed most; maybe none."""
    roots = analyze.changed_roots(tables["flow"])
    if choice.incident is None or choice.baseline is None or roots.is_empty():
        return FLOW_BANDS.empty()
    windows = choice.incident, choice.baseline
    listed = partial(derive.root_durations, roots=roots)
    durations = engine.window_tables(store, windows, listed, progress=progress)
    limits = analyze.band_limits(pl.concat(durations), *windows, thresholds)
    if limits.is_empty():
        return FLOW_BANDS.empty()
    summed = partial(derive.band_facts, limits=limits)
    facts = pl.concat(engine.window_tables(store, windows, summed, progress=progress))
    return analyzed(analyze.flow_bands)(
        facts, limits, tables["paths"], *windows, thresholds=thresholds
    )
