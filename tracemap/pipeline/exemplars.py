"""Exemplars: traces that show an origin, an edge or the whole incident.

Facts say in which cell of time something was slowest, and in which it was as usual; spans are read
of these cells alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import polars as pl

from tracemap import analyze, derive, engine
from tracemap.intake import Progress
from tracemap.model import (
    EDGES,
    EXEMPLAR_PLACES,
    MINUTE_NS,
    ORIGINS,
    Cells,
    Facts,
    Findings,
    Window,
)
from tracemap.model.ids import hex_id
from tracemap.pipeline import questions
from tracemap.pipeline.pruning import unpruned_minutes
from tracemap.pipeline.windows import Choice
from tracemap.store import Store

MOST_SPANS = 300_000
"""Spans that are read to find exemplars of edges, at most."""
MOST_EDGES = 100
"""Edges that get exemplars, at most."""

_UNITS = ("client", "server")
"""The unit that shows an edge: what downstream waited; else, what upstream took."""


def of_origins(
    store: Store,
    choice: Choice,
    latency: pl.DataFrame,
    origins: pl.DataFrame,
    places: pl.DataFrame,
    *,
    progress: Progress,
) -> pl.DataFrame:
    """Return `origins` with traces that show each one: slow ones, and typical ones from before.

    Args:
        store: An open database.
        choice: Incident and baseline.
        latency: As `model.LATENCY_FACTS`, of both windows, each cut into cells.
        origins: As `model.ORIGINS`.
        places: Which unit to look for, for each origin; as `model.EXEMPLAR_PLACES`.
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


def of_edges(
    store: Store, shown: Cells, edges: pl.DataFrame, *, progress: Progress
) -> pl.DataFrame:
    """Return `edges` with a slow and a typical trace each, as far as `MOST_SPANS` allows.

    Args:
        store: An open database, its facts up to date.
        shown: The window shown. Minutes whose spans were pruned have no exemplars, and neither have
            edges past collapsed proxies: the stored facts that say where to look still contain the
            proxies.
        edges: As `model.EDGES`; those with most calls are served first.
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


def of_incident(
    store: Store, choice: Choice, facts: Facts, findings: Findings
) -> dict[str, pl.DataFrame]:
    """Return a typical and the worst trace of the hardest hit operation, as `model.TRACE` by role.

    None without an incident.
    """
    from tracemap.report.story import Story  # noqa: PLC0415 - a finding asked for alone needs none

    if choice.incident is None:
        return {}
    hit = Story(findings).hit
    operation = hit.step if hit is not None and hit.change_ms > 0 else None
    chosen = analyze.exemplar_traces(
        facts["exemplars"], operation, choice.incident, choice.baseline
    )
    return {role: questions.waterfall(store, trace_id) for role, trace_id in chosen.items()}


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
    ids = hex_id("trace_high") + hex_id("trace_low")
    rows = derive.best_exemplars(tables).with_columns(traces=ids)
    listed = rows.group_by("number", "role", maintain_order=True).agg("traces")
    shows, typical = (
        listed.filter(role=role).select("number", pl.col("traces").alias(role))
        for role in ("shows", "typical")
    )
    return shows.join(typical, on="number", how="full", coalesce=True)
