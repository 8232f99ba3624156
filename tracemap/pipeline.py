"""A recipe run: ingest, derive, analyze, in that order. The first thing to read.

Stages never call each other; this file hands each one what the last one gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import polars as pl

from tracemap import analyze, cohorts, computing, derive, engine, weekly
from tracemap.analyze import cast
from tracemap.cohorts import Cohort
from tracemap.errors import NoDataError
from tracemap.intake import Progress, silent, take_in
from tracemap.model import (
    FINDINGS,
    MINUTE_NS,
    SPIKES,
    WHATIF_FACTS,
    Cells,
    Change,
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
        tables |= computing.insulated(shown, choice, compared, tables, thresholds)
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


def drift_between(
    store: Store,
    before: Cohort,
    after: Cohort,
    request: Request | None = None,
    *,
    thresholds: analyze.Thresholds | None = None,
    progress: Progress = silent,
) -> tuple[pl.DataFrame, Window]:
    """Return the finding `drift` between two cohorts, and the window in which they were compared.

    Args:
        store: Its facts up to date.
        before: What to compare with.
        after: What to look at.
        request: Its window; None: everything covered.
        thresholds: None: the defaults.
        progress: Told how far it got.

    Raises:
        NoDataError: If there is nothing of a cohort, or the spans for versions were pruned.
        PipelineError: If the cohorts have nothing in common.
    """
    covered = store.covered()
    if covered is None:
        raise NoDataError("the database holds no spans", hint="tracemap ingest INPUT... fills it")
    window = (request or Request()).window.within(covered)
    minute = window.start_ns // MINUTE_NS * MINUTE_NS
    window = Window(minute, window.end_ns)
    if after.service:
        require_spans(store.pruned_hours(), window, "--from, --to")
    limits_ = thresholds or analyze.Thresholds()
    return cohorts.drift(store, before, after, window, limits_, progress=progress), window


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


def why_missing(
    store: Store,
    downstream: str,
    upstream: str,
    request: Request | None = None,
    *,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Return why no edge joins two services, as `model.WHY_MISSING`.

    Args:
        store: Its facts up to date.
        downstream: Who should call, as `Store.ledger` names services.
        upstream: Who should be called.
        request: Its window counts; without one, all traces are looked at.
        progress: Told how many spans were looked at.

    Raises:
        NoDataError: If the database, or the window asked for, holds no spans.
    """
    covered = store.covered()
    if covered is None:
        raise NoDataError("the database holds no spans", hint="tracemap ingest INPUT... fills it")
    window = (request or Request()).window.within(covered)
    parts, done, total = [], 0, store.spans_in(window)
    if total == 0:
        hint = f"the database covers {covered}"
        raise NoDataError(
            f"no trace starts in the window {window}", where="--from, --to", hint=hint
        )
    for bucket in store.buckets(window):
        parts.append(derive.pair_facts(bucket, downstream, upstream))
        done += bucket.spans.height
        progress("looking at spans", done, total)
    book = store.ledger()
    pair = analyze.Pair(
        downstream,
        upstream,
        facts=derive.merge_pairs(parts),
        edge_facts=store.facts("edge_facts"),
        services=store.services(),
        quality=book.quality,
        rejected=int(book.rejects["records"].sum()),
    )
    return analyze.why_missing(pair)


def waterfall(store: Store, trace_id: str) -> pl.DataFrame:
    """Return one trace as `model.TRACE`.

    Args:
        store: An open database.
        trace_id: 32 hex digits, or as many of the first ones as make it unique.

    Raises:
        PipelineError: If that is no trace id, or several begin so.
        NoDataError: If no stored trace has it.
    """
    return derive.waterfall(store.trace(trace_id))


def whatif(
    store: Store, change: Change, request: Request | None = None, *, progress: Progress = silent
) -> tuple[pl.DataFrame, Window]:
    """Return what `change` would have done, as `model.WHATIF`, and the window that was replayed.

    Args:
        store: An open database.
        change: What to imagine.
        request: Its window counts; without one everything is replayed.
        progress: Told how far it got.

    Raises:
        NoDataError: If the database or the window holds no spans, or no call of the upstream (and
            operation) that changes.
    """
    covered = store.covered()
    if covered is None:
        raise NoDataError("the database holds no spans", hint="tracemap ingest INPUT... fills it")
    window = (request or Request()).window.within(covered)
    seen = pl.concat(
        engine.window_tables(store, [window], derive.hardness_facts, progress=progress)
    )
    replay = partial(derive.whatif_facts, change=change, hardness=analyze.hardness(seen))
    tables = engine.window_tables(store, [window], replay, progress=progress)
    found = analyze.whatif(pl.concat([WHATIF_FACTS.empty(), *tables]))
    if found.is_empty():
        raise _nothing_changed(change, seen, window)
    return found, window


def _nothing_changed(change: Change, seen: pl.DataFrame, window: Window) -> NoDataError:
    """Return the error that says why a change changes nothing."""
    operation = f" operation {change.operation!r} of" if change.operation else ""
    near = get_close_matches(change.upstream, seen["upstream"].unique().sort().to_list(), n=1)
    return NoDataError(
        f"no call of{operation} {change.upstream!r} in the window {window} would be different",
        where="--upstream, --operation",
        hint=f"did you mean {near[0]!r}?" if near else "tracemap edges lists who is called",
    )


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
    return {role: waterfall(store, trace_id) for role, trace_id in chosen.items()}
