"""A recipe run: ingest, derive, analyze, in that order. The first thing to read.

Stages never call each other; this file hands each one what the last one gave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import polars as pl

from tracemap import analyze
from tracemap.intake import Progress, silent, take_in
from tracemap.model import (
    FINDINGS,
    MINUTE_NS,
    SPIKES,
    Cells,
    Facts,
    FailedRequests,
    Findings,
    Ledger,
    Window,
)
from tracemap.pipeline import exemplars, week_findings, window_findings
from tracemap.pipeline.pruning import require_spans, unpruned_minutes, unpruned_spikes
from tracemap.pipeline.up_to_date import bring_up_to_date
from tracemap.pipeline.windows import Choice, Request, choose, covered_window, spikes_within
from tracemap.recipe import Recipe, limits
from tracemap.self_trace import analyzed
from tracemap.store import Store


def run(
    recipe: Recipe,
    store: Store,
    inputs: Sequence[str] = (),
    request: Request | None = None,
    *,
    progress: Progress = silent,
) -> Findings:
    """Ingest `inputs`, derive what they changed, and return what `recipe` asks for.

    Args:
        recipe: See `tracemap.recipe.load`.
        store: An open database; writable unless its facts are up to date and `inputs` is empty.
        inputs: Files, folders, globs or ``-``.
        request: Windows, where the recipe's choice is not the wanted one.
        progress: Told how far it got.

    Raises:
        InputError: If an input cannot be read; those before it are kept.
        NoDataError: If the database, or the window asked for, holds no spans.
    """
    for taken in take_in(store, inputs, progress=progress):
        if taken.error is not None:
            raise taken.error
    bring_up_to_date(store, progress=progress)
    return _findings(recipe, store, request or Request(), progress)


def _findings(recipe: Recipe, store: Store, request: Request, progress: Progress) -> Findings:
    """Return what `recipe` asks for, from facts that are up to date."""
    covered = covered_window(store)
    compute = _of_weeks if recipe.is_long_term else _of_windows
    found = compute(recipe, store, request, covered, progress)
    if "declarations" in recipe.findings:
        found.tables["declarations"] = window_findings.declarations(store, request, found)
    return found


def _of_weeks(
    recipe: Recipe, store: Store, request: Request, covered: Window, _: Progress
) -> Findings:
    """Return what `recipe` asks for about weeks, with all cautions for a report."""
    owners = owners_of(recipe, store, request)
    found = week_findings.findings(recipe, store, request, covered, owners)
    if recipe.is_report:
        book = ledger(store, limits(recipe))
        cautions = pl.concat([found.ledger.cautions, book.cautions])
        found.ledger = replace(book, cautions=cautions)
    return found


def _of_windows(
    recipe: Recipe, store: Store, request: Request, covered: Window, progress: Progress
) -> Findings:
    """Return what `recipe` asks for about a window, and an incident within it."""
    thresholds = limits(recipe)
    latency = store.facts("latency_facts")
    # A report says whether anything spiked, so only a finding asked for alone does without.
    needs_spikes = recipe.is_report or recipe.compares or "spikes" in recipe.findings
    spikes = analyzed(analyze.spikes)(latency, thresholds) if needs_spikes else SPIKES.empty()
    minutes = latency["window_start_ns"].unique().sort()
    choice = _chosen(recipe, store, request, covered, (minutes, spikes))
    owners = owners_of(recipe, store, request)
    compared = window_findings.compared_facts(store, choice, progress)
    tables = _tables(
        recipe, store, request, choice,
        compared=compared, covered=covered, owners=owners, progress=progress,
    )  # fmt: skip
    tables["spikes"] = spikes_within(spikes, choice.shown)
    if "timeline" in recipe.findings:
        tables["timeline"] = window_findings.timeline(tables, latency, choice, covered)
    judged = not spikes.is_empty() or not analyze.judged(latency, thresholds).is_empty()
    findings = Findings(
        recipe=recipe.name,
        title=recipe.title,
        sections=tuple(recipe.sections),
        window=choice.shown,
        incident=choice.incident,
        baseline=choice.baseline,
        baseline_reason=choice.reason,
        verdict=analyze.verdict(tables, judged=judged),
        tables=tables,
        ledger=ledger(store, thresholds) if recipe.is_report else store.ledger(),
        thresholds=asdict(thresholds),
        owners=owners,
        failed_requests=_failed(choice, latency, compared["latency_facts"]),
    )
    if "exemplars" in recipe.sections:
        findings.traces = exemplars.of_incident(store, choice, compared, findings)
    return findings


def _failed(choice: Choice, minutes: pl.DataFrame, compared: pl.DataFrame) -> FailedRequests:
    """Return how many requests of users failed in the window shown, exactly where it is compared.

    Of a window that is not, whole minutes count.
    """
    shown, time = choice.shown, pl.col("window_start_ns")
    touched = minutes.filter(time.gt(shown.start_ns - MINUTE_NS) & time.lt(shown.end_ns))
    is_compared = shown == choice.incident
    cells = compared.filter(shown.contains(time)) if is_compared else touched
    return analyze.failed_requests(cells, touched)


def _tables(
    recipe: Recipe,
    store: Store,
    request: Request,
    choice: Choice,
    *,
    compared: Facts,
    covered: Window,
    owners: dict[str, str],
    progress: Progress,
) -> dict[str, pl.DataFrame]:
    """Return the findings about the window shown, and about incident and baseline; others empty."""
    thresholds = limits(recipe)
    tables = {name: table.empty() for name, table in FINDINGS.items()}
    shown = Facts()
    needs_shown = {"edges", "critical_path", *window_findings.ONE_WINDOW} & set(recipe.findings)
    if needs_shown or ("insulation" in recipe.findings and choice.incident is None):
        cells = Cells(windows=(choice.shown,), collapse_proxies=request.collapse_proxies)
        shown = window_findings.shown_facts(
            store, cells, choice, covered, compared, progress=progress
        )
    if needs_shown:
        tables |= window_findings.edges_and_critical_path(shown, choice, compared, thresholds)
        tables |= window_findings.one_window(recipe, choice.shown, shown, thresholds)
        tables["edges"] = exemplars.of_edges(store, cells, tables["edges"], progress=progress)
    tables_compared, places = window_findings.compared(choice, compared, thresholds, owners)
    tables |= tables_compared
    tables["origins"] = exemplars.of_origins(
        store, choice, compared["latency_facts"], tables["origins"], places, progress=progress
    )
    if "flow_bands" in recipe.findings:
        tables["flow_bands"] = window_findings.flow_bands(
            store, choice, tables, thresholds, progress
        )
    if "insulation" in recipe.findings:
        tables |= window_findings.insulation(
            shown, choice, compared, tables, thresholds, critical=store.critical()
        )
    return tables


def _chosen(
    recipe: Recipe,
    store: Store,
    request: Request,
    covered: Window,
    observed: tuple[pl.Series, pl.DataFrame],
) -> Choice:
    """Return the windows of a run; where spans are needed, only such that were not pruned."""
    minutes, spikes = observed
    pruned = store.pruned_hours()
    if not pruned or not recipe.compares:
        return choose(recipe, request, covered, minutes, spikes)
    if not request.window.is_open:
        require_spans(pruned, request.window.within(covered), "--from, --to")
    if not request.baseline.is_open:
        require_spans(pruned, request.baseline.within(covered), "--baseline-from, --baseline-to")
    known = unpruned_minutes(pruned, minutes), unpruned_spikes(pruned, spikes)
    choice = choose(recipe, request, covered, *known)
    for window in (choice.incident, choice.baseline):
        if window is not None:
            require_spans(pruned, window, "--from, --to")
    return choice


def owners_of(recipe: Recipe, store: Store, request: Request) -> dict[str, str]:
    """Return the owner of each node: what the recipe says, else the catalog, else the spans."""
    named = store.owners()
    if request.catalog is not None:
        named |= request.catalog.owners(store.nodes())
    return named | recipe.owners


def ledger(store: Store, thresholds: analyze.Thresholds | None = None) -> Ledger:
    """Return where every record went, and what limits how far the rest can be trusted.

    Args:
        store: Its facts up to date.
        thresholds: Limits; None: the defaults.
    """
    limits_in_force = thresholds or analyze.Thresholds()
    book = store.ledger()
    skew = analyzed(analyze.skew)(store.facts("skew_facts"), limits_in_force)
    edge_facts = store.facts("edge_facts")
    cautions = analyzed(analyze.cautions)(book.quality, edge_facts, skew, limits_in_force)
    return replace(book, skew=skew, cautions=cautions)
