"""A recipe run: ingest, derive, analyze, in that order. The first thing to read.

Stages never call each other; this file hands each one what the last one gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import polars as pl

from tracemap import analyze, computing, engine, questions, weekly
from tracemap.analyze import cast
from tracemap.errors import NoDataError
from tracemap.intake import Progress, silent, take_in
from tracemap.model import (
    FINDINGS,
    SPIKES,
    Cells,
    Facts,
    Findings,
    Ledger,
    Window,
)
from tracemap.pruning import prunable, require_spans, unpruned_minutes, unpruned_spikes
from tracemap.recipe import Recipe, limits
from tracemap.self_trace import analyzed
from tracemap.store import InUseError, OutdatedError, Pruned, Store
from tracemap.windows import Choice, Request, choose


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
    covered = store.covered()
    if covered is None:
        raise NoDataError("the database holds no spans", hint="tracemap ingest INPUT... fills it")
    compute = _of_weeks if recipe.is_long_term else _of_windows
    found = compute(recipe, store, request, covered, progress)
    if "declarations" in recipe.findings:
        found.tables["declarations"] = computing.declared(store, request, found)
    return found


def _of_weeks(
    recipe: Recipe, store: Store, request: Request, covered: Window, _: Progress
) -> Findings:
    """Return what `recipe` asks for about weeks, with all cautions for a report."""
    owners = owners_of(recipe, store, request)
    found = weekly.findings(recipe, store, request, covered, owners)
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
    is_report = recipe.is_report
    needs_spikes = is_report or recipe.compares or "spikes" in recipe.findings
    spikes = analyzed(analyze.spikes)(latency, thresholds) if needs_spikes else SPIKES.empty()
    minutes = latency["window_start_ns"].unique().sort()
    choice = _chosen(recipe, store, request, covered, (minutes, spikes))
    owners = owners_of(recipe, store, request)
    compared = computing.compared_facts(store, choice, progress)
    tables = _tables(
        recipe, store, request, choice,
        compared=compared, covered=covered, owners=owners, progress=progress,
    )  # fmt: skip
    tables["spikes"] = spikes.filter(
        pl.col("start_ns").lt(choice.shown.end_ns) & pl.col("end_ns").gt(choice.shown.start_ns)
    )
    if "timeline" in recipe.findings:
        stage = cast.stage(choice.shown, choice.baseline, covered)
        tables["timeline"] = analyzed(analyze.timeline)(latency, cast.units(tables, latency), stage)
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
        ledger=ledger(store, thresholds) if is_report else store.ledger(),
        thresholds=asdict(thresholds),
        owners=owners,
    )
    if "exemplars" in recipe.sections:
        findings.traces = _traces(store, choice, compared, findings)
    return findings


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
    needs_shown = {"edges", "critical_path", *computing.STANDING} & set(recipe.findings)
    if needs_shown or ("insulation" in recipe.findings and choice.incident is None):
        cells = Cells(windows=(choice.shown,), collapse_proxies=request.collapse_proxies)
        shown = computing.shown_facts(store, cells, choice, covered, compared, progress=progress)
    if needs_shown:
        tables |= computing.observed(shown, choice, compared, thresholds)
        tables |= computing.standing(recipe, choice.shown, shown, thresholds)
        tables["edges"] = computing.edges_shown(store, cells, tables["edges"], progress=progress)
    show = partial(
        computing.origins_shown, store, choice, compared["latency_facts"], progress=progress
    )
    tables |= computing.explained(choice, compared, thresholds, owners, show)
    if "flow_bands" in recipe.findings:
        tables["flow_bands"] = computing.banded(store, choice, tables, thresholds, progress)
    if "insulation" in recipe.findings:
        tables |= computing.insulated(
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


def prune(store: Store, keep_ns: int, *, progress: Progress = silent) -> Pruned | None:
    """Delete spans older than `keep_ns` before the end of the data; their facts stay, and right.

    Facts are derived first wherever they are out of date. None: nothing is that old.
    """
    bring_up_to_date(store, progress=progress)
    window = prunable(store, keep_ns)
    return None if window is None else store.prune(window)


def owners_of(recipe: Recipe, store: Store, request: Request) -> dict[str, str]:
    """Return the owner of each node: what the recipe says, else the catalog, else the spans."""
    named = store.owners()
    if request.catalog is not None:
        named |= request.catalog.owners(store.nodes())
    return named | recipe.owners


def bring_up_to_date(store: Store, *, progress: Progress = silent) -> None:
    """Derive the facts of every hour that got new spans; nothing to do is the usual case."""
    if store.dirty_hours():
        engine.update(store, progress=progress)


@contextmanager
def up_to_date(path: Path, *, progress: Progress = silent) -> Iterator[Store]:
    """Open the database for reading, its facts up to date.

    It is opened for writing only where facts have to be derived first, or its schema is an earlier
    one, so that many can read one database at a time.

    Raises:
        StoreError: If it cannot be opened, or facts are missing and it cannot be written.
    """
    try:
        opened = Store.open(path, read_only=True)
    except OutdatedError:
        pass
    else:
        with opened as store:
            if not store.dirty_hours():
                yield store
                return
    try:
        writable = Store.open(path)
    except InUseError as error:
        raise InUseError(
            f"{error.what}, and its facts are out of date: deriving them needs it alone",
            where=error.where,
            hint=error.hint,
        ) from error
    with writable as store:
        bring_up_to_date(store, progress=progress)
    with Store.open(path, read_only=True) as store:
        yield store


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


def _traces(
    store: Store, choice: Choice, facts: Facts, findings: Findings
) -> dict[str, pl.DataFrame]:
    """Return a typical and the worst trace of the operation the report is about, by role."""
    from tracemap.report.story import Story  # noqa: PLC0415 - a finding asked for alone needs none

    if choice.incident is None:
        return {}
    hit = Story(findings).hit
    operation = hit.step if hit is not None and hit.change_ms > 0 else None
    chosen = cast.traces(facts["exemplars"], operation, choice.incident, choice.baseline)
    return {role: questions.waterfall(store, trace_id) for role, trace_id in chosen.items()}
