"""From facts to findings, for the windows that were chosen: what a recipe may ask for.

Traces that show a finding are looked up last, in the spans: facts say in which cell of time
something was slowest, and in which as usual, and spans are read of these cells alone.
"""

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
    EDGES,
    EXEMPLAR_PLACES,
    FACTS,
    FLOW_BANDS,
    HOUR_NS,
    MINUTE_NS,
    ORIGINS,
    Cells,
    Facts,
    Findings,
    Window,
)
from tracemap.pruning import overlapping, unpruned_minutes
from tracemap.recipe import Recipe
from tracemap.self_trace import analyzed
from tracemap.store import Store
from tracemap.windows import Choice, Request

MOST_SPANS = 300_000
"""Spans that are read to show edges, at most; edges with most calls come first."""
MOST_EDGES = 100
"""Edges that are shown by traces."""

_IDS = ("trace_high", "trace_low")
_UNITS = ("client", "server")
"""What shows an edge: what downstream waited; where it recorded nothing, what upstream took."""

STANDING = ("bottlenecks", "dependencies", "availability", "cycles")
"""Findings about one window, that compare nothing."""


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


def observed(
    shown: Facts, choice: Choice, compared: Facts, thresholds: analyze.Thresholds
) -> dict[str, pl.DataFrame]:
    """Return the findings that say what was seen in the window shown."""
    edges = analyzed(analyze.edges)(
        shown["edge_facts"], shown["latency_facts"], shown["pattern_facts"]
    )
    if choice.incident is not None and choice.baseline is not None:
        windows = choice.incident, choice.baseline
        edges = analyze.with_change(edges, compared["latency_facts"], *windows, thresholds)
    critical = analyzed(analyze.critical_path)(shown["path_facts"], shown["paths"])
    return {"edges": edges, "critical_path": critical}


def standing(
    recipe: Recipe, window: Window, facts: Facts, thresholds: analyze.Thresholds
) -> dict[str, pl.DataFrame]:
    """Return what the window shown is like by itself."""
    made: dict[str, Callable[[], pl.DataFrame]] = {
        "bottlenecks": lambda: analyze.bottlenecks(facts, window),
        "dependencies": lambda: analyze.dependencies(facts, thresholds),
        "availability": lambda: analyze.availability(facts, thresholds),
        "cycles": lambda: analyze.cycles(facts["path_facts"], facts["paths"], facts["edge_facts"]),
    }
    return {name: made[name]() for name in STANDING if name in recipe.findings}


def declared(store: Store, request: Request, found: Findings) -> pl.DataFrame:
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


def insulated(
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


def explained(
    choice: Choice,
    facts: Facts,
    thresholds: analyze.Thresholds,
    owners: dict[str, str],
    show: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame] = lambda origins, _: origins,
) -> dict[str, pl.DataFrame]:
    """Return the findings that compare two windows; none where there are no two.

    Args:
        choice: The windows.
        facts: Of both, cut into cells.
        thresholds: Limits.
        owners: Owner by node.
        show: Given origins and the places that show them, returns origins with traces.
    """
    if choice.incident is None or choice.baseline is None or facts["path_facts"].is_empty():
        return {}
    windows = choice.incident, choice.baseline
    paths = facts["paths"].unique("path_id").sort("path_id")
    found = analyzed(analyze.origins_with_flow)(
        facts, *windows, thresholds=thresholds, owners=owners
    )
    return {
        "paths": paths,
        "flow": found.flow,
        "origins": show(found.origins, found.places),
        "user_operations": analyze.user_operations(
            facts["path_facts"], facts["latency_facts"], paths, *windows
        ),
        "propagation": analyzed(analyze.propagation)(
            facts["path_facts"], paths, *windows, thresholds, parallel_facts=facts["parallel_facts"]
        ),
        "errors": analyzed(analyze.errors)(facts["path_facts"], paths, *windows, thresholds),
    }


def banded(
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


def origins_shown(
    store: Store,
    choice: Choice,
    latency: pl.DataFrame,
    origins: pl.DataFrame,
    places: pl.DataFrame,
    *,
    progress: Progress,
) -> pl.DataFrame:
    """Return origins with traces of their own: in which what moved was slow, and as usual before.

    Args:
        store: An open database.
        choice: Incident and baseline.
        latency: As `model.LATENCY_FACTS`, both windows cut into cells.
        origins: As `model.ORIGINS`.
        places: What shows each, as `model.EXEMPLAR_PLACES`.
        progress: Told how far it got.
    """
    if places.is_empty() or choice.incident is None or choice.baseline is None:
        return origins
    ends = {
        cell.start_ns: cell.end_ns
        for window in (choice.baseline, choice.incident)
        for cell in analyze.cells(window)
    }
    cells = analyze.exemplar_cells(places, latency, choice.incident, choice.baseline)
    found = _found(store, cells, ends.__getitem__, progress).rename({"number": "rank"})
    rows = origins.drop("typical_exemplars").join(found, on="rank", how="left")
    return ORIGINS.conform(
        rows.with_columns(
            exemplars=pl.coalesce("shows", "exemplars"), typical_exemplars=pl.col("typical")
        )
    )


def edges_shown(
    store: Store, shown: Cells, edges: pl.DataFrame, *, progress: Progress
) -> pl.DataFrame:
    """Return edges with a slow and a typical trace each, those with most calls first.

    Args:
        store: An open database, its facts up to date.
        shown: The window shown. Minutes of which the spans were pruned show nothing, and nothing is
            shown where proxies are collapsed: stored facts, which say where to look, have them.
        edges: As `model.EDGES`.
        progress: Told how far it got.
    """
    (window,) = shown.windows
    if shown.collapse_proxies:
        return edges
    latency = store.facts("latency_facts", window)
    kept = unpruned_minutes(store.pruned_hours(), latency["window_start_ns"].unique())
    latency = latency.filter(pl.col("window_start_ns").is_in(kept.implode()))
    key = list(EDGES.key)
    ranked = edges.sort(["calls", *key], descending=[True, *[False] * len(key)])
    busiest = ranked.head(MOST_EDGES).with_row_index("edge")
    places = pl.concat(_edge_places(busiest, place) for place in range(len(_UNITS)))
    cells = analyze.exemplar_cells(places, latency, window, window)
    cells = _affordable(store, cells.sort("number", "role"))
    found = _found(store, cells, lambda start_ns: start_ns + MINUTE_NS, progress)
    first = found.sort("number").with_columns(edge=pl.col("number") // len(_UNITS))
    traces = first.group_by("edge").agg(
        slow_trace=pl.col("shows").drop_nulls().first().list.first(),
        typical_trace=pl.col("typical").drop_nulls().first().list.first(),
    )
    shown_by = busiest.select(*key, pl.col("edge").cast(pl.Int32)).join(traces, on="edge")
    rows = edges.drop("slow_trace", "typical_trace")
    return EDGES.conform(rows.join(shown_by, on=key, how="left", maintain_order="left"))


def _edge_places(edges: pl.DataFrame, place: int) -> pl.DataFrame:
    return EXEMPLAR_PLACES.conform(
        edges.select(
            "downstream",
            number=pl.col("edge").cast(pl.Int32) * len(_UNITS) + place,
            unit=pl.lit(_UNITS[place]),
            service="upstream",
            operation=pl.lit(None, dtype=pl.String),
            failing=pl.lit(value=False),
        )
    )


def _affordable(store: Store, cells: pl.DataFrame) -> pl.DataFrame:
    """Return as many of the cells, halved as often as it takes, as hold `MOST_SPANS` together."""
    while not cells.is_empty():
        starts = cells["window_start_ns"].unique().sort().to_list()
        if store.spans_in([Window(start, start + MINUTE_NS) for start in starts]) <= MOST_SPANS:
            break
        cells = cells.head(cells.height // 2)
    return cells


def _found(
    store: Store, cells: pl.DataFrame, end_of: Callable[[int], int], progress: Progress
) -> pl.DataFrame:
    """Return columns number, shows and typical: ids of traces in hex, the best first."""
    starts = cells["window_start_ns"].unique().sort().to_list()
    windows = [Window(start, end_of(start)) for start in starts]
    look = partial(derive.unit_exemplars, wanted=cells)
    tables = engine.window_tables(store, windows, look, progress=progress) if windows else []
    ids = (pl.col(name).map_elements(_hex, return_dtype=pl.String) for name in _IDS)
    rows = derive.best_exemplars(tables).with_columns(*ids)
    listed = rows.group_by("number", "role", maintain_order=True).agg(traces=pl.concat_str(*_IDS))
    shows, typical = (
        listed.filter(role=role).select("number", pl.col("traces").alias(role))
        for role in ("shows", "typical")
    )
    return shows.join(typical, on="number", how="full", coalesce=True)


def _hex(part: int) -> str:
    return f"{part:016x}"
