"""Drift between two cohorts: two versions of a service, or two environments, at the same time.

Facts of cohort A are moved to just before the window, so that `analyze.drift` compares A with B
as it compares two weeks; both get the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from tracemap import analyze, engine
from tracemap.errors import NoDataError, PipelineError
from tracemap.intake import Progress, silent
from tracemap.model import Cells, Facts, TraceBucket, Window
from tracemap.store import Store

_TABLES = ("edge_facts", "latency_facts", "version_facts")
_ENDS = ("downstream", "upstream", "service")
_MARK = "\0"
"""Between a service and its version in a name: no name has it."""


@dataclass(frozen=True)
class Cohort:
    """A version of a service, or an environment (then `service` is '')."""

    service: str
    name: str

    def __str__(self) -> str:
        """Return it as it is written on the command line."""
        kind = f"version:{self.service}=" if self.service else "environment:"
        return f"{kind}{self.name}"


def cohort(text: str, option: str) -> Cohort | None:
    """Return ``version:SERVICE=VERSION`` or ``environment:NAME`` as a cohort; None: it is neither.

    Raises:
        PipelineError: If it begins like one and does not go on like one.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in {"version", "environment"}:
        return None
    service, equals, name = rest.rpartition("=") if kind == "version" else ("", "=", rest)
    if not name or (kind == "version" and not (equals and service)):
        raise PipelineError(
            f"{text!r} names no {kind}",
            where=option,
            hint="write version:SERVICE=VERSION or environment:NAME",
        )
    return Cohort(service, name)


def drift(
    store: Store,
    before: Cohort,
    after: Cohort,
    window: Window,
    thresholds: analyze.Thresholds,
    *,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Return what becomes of each edge from cohort `before` to cohort `after`, as `model.DRIFT`.

    Environments are compared from facts: the calls between services of one environment, and to what
    records no spans; databases and queues by their names without the server. Versions are compared
    from spans: the calls into and out of the service; how often it is called is a matter of traffic
    and not compared.

    Raises:
        PipelineError: If one is a version and the other is not, or of another service.
        NoDataError: If there is nothing of a cohort in `window`.
    """
    if before.service != after.service:
        raise PipelineError(
            f"{before} and {after} have nothing in common to compare",
            where="arguments A and B",
            hint="compare two versions of one service, or two environments",
        )
    width_ns = analyze.cell_width_ns(window)
    whole = Window(window.start_ns, window.start_ns - (-window.duration_ns // width_ns) * width_ns)
    facts = (
        _of_versions(store, after.service, whole, width_ns, progress)
        if after.service
        else Facts({name: store.rolled_up(name, [whole], width_ns) for name in _TABLES})
    )
    baseline = Window(whole.start_ns - whole.duration_ns, whole.start_ns)
    moved = pl.col("window_start_ns") - whole.duration_ns
    sides = Facts()
    there = _of(store, before, facts), _of(store, after, facts)
    for name in _TABLES:
        sides.tables[name] = pl.concat([there[0][name].with_columns(moved), there[1][name]])
    return analyze.by_importance(analyze.drift(sides, whole, baseline, thresholds))


def _of(store: Store, wanted: Cohort, facts: Facts) -> Facts:
    """Return the facts of a cohort, its nodes named as in the other one."""
    if wanted.service:
        prefix = f"{wanted.service}{_MARK}"
        names = {f"{prefix}{wanted.name}": wanted.service}
        known = facts["version_facts"].filter(pl.col("service").str.starts_with(prefix))
        others = set(known["service"]) - set(names)
        there = sorted({name.partition(_MARK)[2] for name in known["service"]})
    else:
        rows = store.services()
        here = rows.filter(pl.col("environment") == wanted.name)
        names = dict(here.select("service", "service_name").iter_rows())
        others = set(rows["service"]) - set(names)
        there = sorted(set(rows["environment"]) - {""})
    short = {} if wanted.service else dict(store.placed_peers())
    named = ((name, _named(facts[name], names, others)) for name in _TABLES)
    chosen = Facts({name: _renamed(rows, short) for name, rows in named})
    if chosen["edge_facts"].is_empty():
        raise NoDataError(
            f"there are no calls of {wanted}",
            where="arguments A and B",
            hint=f"there are {', '.join(there) or 'none named'}",
        )
    return chosen


def _named(rows: pl.DataFrame, names: Mapping[str, str], others: set[str]) -> pl.DataFrame:
    """Return the rows with an end in `names` and none in `others`, ends renamed."""
    ends = _ends(rows)
    mine = pl.any_horizontal(pl.col(end).is_in(list(names)) for end in ends)
    foreign = pl.any_horizontal(pl.col(end).is_in(list(others)) for end in ends)
    return _renamed(rows.filter(mine & ~foreign), names)


def _renamed(rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    return rows.with_columns(pl.col(end).replace(names) for end in _ends(rows))


def _ends(rows: pl.DataFrame) -> list[str]:
    return [end for end in _ENDS if end in rows.columns]


def _of_versions(
    store: Store, service: str, window: Window, width_ns: int, progress: Progress
) -> Facts:
    """Return facts in which each version of `service` is a node of its own."""

    def marked(bucket: TraceBucket) -> TraceBucket:
        name = pl.col("service") + _MARK + pl.col("service_version")
        renamed = pl.when(pl.col("service") == service).then(name).otherwise("service")
        resources = bucket.resources.with_columns(service=renamed)
        return TraceBucket(bucket.spans, bucket.operations, resources, bucket.linked_spans)

    cells = Cells(windows=tuple(_cells(window, width_ns)))
    return engine.window_facts(store, cells, progress=progress, prepared=marked)


def _cells(window: Window, width_ns: int) -> Iterator[Window]:
    for start_ns in range(window.start_ns, window.end_ns, width_ns):
        yield Window(start_ns, start_ns + width_ns)
