"""A run over weeks: everything from stored facts, so that it works after the spans were pruned."""

from __future__ import annotations

from dataclasses import asdict, replace

import polars as pl

from tracemap import analyze
from tracemap.model import FINDINGS, HOUR_NS, MINUTE_NS, Facts, Findings, Window
from tracemap.pipeline.windows import Choice, Request, baseline_asked_for, require_calls
from tracemap.recipe import Recipe, limits
from tracemap.store import Store

WEEK_NS = analyze.WEEK_NS
_COMPARING = {"drift", "regressions", "budget"}
_SUMS = ("edge_facts", "latency_facts", "path_facts", "version_facts")


def findings(
    recipe: Recipe, store: Store, request: Request, covered: Window, owners: dict[str, str]
) -> Findings:
    """Return what `recipe` asks for about two long windows.

    Facts are summed over days in the database before anything is loaded: eight weeks of minutes
    become some dozens of cells.

    Args:
        recipe: With `Recipe.is_long_term`.
        store: An open database, its facts up to date.
        request: Windows, where the last week and the four before are not the wanted ones.
        covered: What the database covers.
        owners: Owner by service.

    Raises:
        NoDataError: If a window asked for holds no calls.
        PipelineError: If both windows overlap.
    """
    thresholds = limits(recipe)
    minutes = store.observed_minutes()
    choice = choose(request, covered, minutes)
    if not _COMPARING & set(recipe.findings):  # the trend alone compares nothing
        choice = Choice(_weeks(choice.shown, covered))
    tables = {name: table.empty() for name, table in FINDINGS.items()}
    facts = _summed(store, choice)
    if "edges" in recipe.findings:
        tables["edges"] = _edges(facts, choice.shown)
    if "bottlenecks" in recipe.findings:
        tables["bottlenecks"] = _bottlenecks(store, choice.shown)
    book = store.ledger()
    if choice.baseline is not None:
        windows = choice.shown, choice.baseline
        tables |= _compared(facts, windows, thresholds, owners)
        apart = analyze.sampled_differently(facts["edge_facts"], *windows, thresholds)
        book = replace(book, cautions=apart)
    if "trend" in recipe.findings:
        tables["trend"] = _trend(store, choice.shown, covered, minutes)
    return Findings(
        recipe=recipe.name,
        title=recipe.title,
        sections=tuple(recipe.sections),
        window=choice.shown,
        incident=choice.shown if choice.baseline else None,
        baseline=choice.baseline,
        baseline_reason=choice.reason,
        verdict=analyze.drifted(tables),
        tables={
            name: table if name in recipe.findings else table.clear()
            for name, table in tables.items()
        },
        ledger=book,
        thresholds=asdict(thresholds),
        owners=owners,
    )


def _summed(store: Store, choice: Choice) -> Facts:
    """Return the facts of both windows, summed over days or what else makes cells of them."""
    sides = [choice.shown, *([choice.baseline] if choice.baseline else [])]
    width_ns = analyze.cell_width_ns(*sides)
    tables = {name: store.rolled_up(name, sides, width_ns) for name in _SUMS}
    return Facts({**tables, "paths": store.facts("paths")})


def choose(request: Request, covered: Window, minutes: pl.Series) -> Choice:
    """Return the windows of a long comparison: those asked for, else the last week and four before.

    Raises:
        NoDataError: If a window asked for holds no calls.
        PipelineError: If both overlap without being the same.
    """
    shown = analyze.last_week(covered)
    if not request.window.is_open:
        shown = request.window.within(_full_hours(covered))
        require_calls(shown, minutes, covered, "--from, --to")
    if request.baseline.is_open:
        found = analyze.weeks_before(shown, covered, minutes)
        return Choice(shown, shown, found.window, found.reason)
    given = baseline_asked_for(request, shown, covered, minutes)
    return Choice(shown, shown, given.window, given.reason)


def _full_hours(covered: Window) -> Window:
    """Return what is covered, widened to full hours: an end left open is no time of a span."""
    return Window(covered.start_ns // HOUR_NS * HOUR_NS, -(-covered.end_ns // HOUR_NS) * HOUR_NS)


def _compared(
    facts: Facts,
    windows: tuple[Window, Window],
    thresholds: analyze.Thresholds,
    owners: dict[str, str],
) -> dict[str, pl.DataFrame]:
    """Return the findings that compare the two windows."""
    return {
        "drift": analyze.by_importance(analyze.drift(facts, *windows, thresholds)),
        "regressions": analyze.regressions(facts, *windows, limits=thresholds, owners=owners),
        "budget": analyze.budget(facts, *windows, limits=thresholds, owners=owners),
    }


def _edges(facts: Facts, shown: Window) -> pl.DataFrame:
    """Return the finding `edges` of the window."""
    here = shown.contains(pl.col("window_start_ns"))
    return analyze.edges(*(facts[name].filter(here) for name in ("edge_facts", "latency_facts")))


def _bottlenecks(store: Store, shown: Window) -> pl.DataFrame:
    """Return the finding `bottlenecks` of the window, as if it were the only one there is.

    Hash buckets stay apart, for they make the intervals: one cell of some of them per path.
    """
    facts = Facts({"paths": store.facts("paths")})
    for name in ("path_facts", "slack_facts", "edge_facts"):
        facts.tables[name] = store.rolled_up(name, [shown], shown.duration_ns, by_hash_bucket=True)
    return analyze.bottlenecks(facts, shown)


def _trend(store: Store, shown: Window, covered: Window, minutes: pl.Series) -> pl.DataFrame:
    """Return the finding `trend`: the weeks up to the end of the window, eight at most."""
    weeks = _weeks(shown, covered)
    edge_facts, latency_facts = (
        store.rolled_up(name, [weeks], WEEK_NS) for name in ("edge_facts", "latency_facts")
    )
    return analyze.trend(edge_facts, latency_facts, minutes, covered)


def _weeks(shown: Window, covered: Window) -> Window:
    """Return the weeks up to the end of `shown` that reach back to the data, eight at most."""
    first_ns = covered.start_ns // MINUTE_NS * MINUTE_NS
    count = min(analyze.TREND_WEEKS, -(-(shown.end_ns - first_ns) // WEEK_NS))
    return Window(shown.end_ns - max(1, count) * WEEK_NS, shown.end_ns)
