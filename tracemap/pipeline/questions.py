"""Questions that no recipe asks: why an edge is missing, what-if, drift of cohorts, one trace."""

from __future__ import annotations

from functools import partial

import polars as pl

from tracemap import analyze, derive, engine
from tracemap.errors import NoDataError, did_you_mean
from tracemap.intake import Progress, silent
from tracemap.model import MINUTE_NS, WHATIF_FACTS, Change, Window
from tracemap.pipeline import cohorts
from tracemap.pipeline.cohorts import Cohort
from tracemap.pipeline.pruning import require_spans
from tracemap.pipeline.windows import Request, covered_window
from tracemap.store import Store


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
    covered = covered_window(store)
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
        rejected=int(book.rejects.filter(~_holds_no_span())["records"].sum()),
    )
    return analyze.why_missing(pair)


def _holds_no_span() -> pl.Expr:
    """Return whether a reject is a file of another kind, of which no span was lost."""
    return pl.col("reason").is_in(["not_a_trace_file", "empty_file"])


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
    covered = covered_window(store)
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
    called = seen["upstream"].unique().sort().to_list()
    what = f"no call of{operation} {change.upstream!r} in the window {window} would be different"
    hint = "none takes longer than the timeout, or none is of that operation: see tracemap edges"
    if change.upstream not in called:
        what = f"no call of {change.upstream!r} was observed in the window {window}"
        hint = did_you_mean(change.upstream, called, "tracemap edges lists who is called")
    return NoDataError(what, where="--upstream, --operation", hint=hint)


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
    covered = covered_window(store)
    window = (request or Request()).window.within(covered)
    minute = window.start_ns // MINUTE_NS * MINUTE_NS
    window = Window(minute, window.end_ns)
    if after.service:
        require_spans(store.pruned_hours(), window, "--from, --to")
    limits_ = thresholds or analyze.Thresholds()
    return cohorts.drift(store, before, after, window, limits_, progress=progress), window
