"""Derive on this machine: some whole traces at a time, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

import polars as pl

from tracemap import derive
from tracemap.engine.ahead import worked
from tracemap.model import Cells, Facts, TraceBucket, Window
from tracemap.self_trace import stage
from tracemap.store import Store

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many spans of it are done, and how many there are."""

BUCKET_SPANS = 250_000
"""Spans of a bucket, unless a single trace has more."""
_WORKERS = max(1, min(4, os.cpu_count() or 1))
"""Buckets that are derived side by side; each takes memory."""
_UNMERGED_ROWS = 1_500_000
"""Rows of facts that are collected before rows with equal keys are summed."""


def update(
    store: Store, *, progress: Progress | None = None, bucket_spans: int = BUCKET_SPANS
) -> None:
    """Derive the facts of every hour that is out of date, and store them.

    Hours are replaced one group after the other, each group in one transaction: whoever is
    interrupted goes on with the hours that are left. Memory does not grow with the number
    of traces.

    Args:
        store: Writable.
        progress: See `Progress`.
        bucket_spans: Spans that are derived at a time.
    """
    groups = _groups(store, bucket_spans)
    sizes = [size for _, size in groups]
    done, total = 0, sum(sizes)
    numbered = _bucket_by_bucket(store, [hours for hours, _ in groups], bucket_spans)
    collected = _Collected()
    with closing(worked(numbered, _derived_of_group, workers=_WORKERS)) as results:
        for group, spans, facts in results:
            if facts is not None:
                collected.add(facts)
                done += spans
                _tell(progress, done, total)
            else:
                with stage("store facts", hours=len(groups[group][0])):
                    store.replace_facts(groups[group][0], collected.merged())
                collected = _Collected()


def _derived_of_group(
    numbered: tuple[int, TraceBucket | None],
) -> tuple[int, int, Facts | None]:
    """Return the number of the group, and the spans and facts of its bucket; None at its end."""
    group, bucket = numbered
    if bucket is None:
        return group, 0, None
    return group, bucket.spans.height, _derived(bucket, Cells())


def _derived(bucket: TraceBucket, cells: Cells) -> Facts:
    with stage("derive bucket", spans=bucket.spans.height, windows=len(cells.windows)):
        return derive.facts(bucket, cells)


def window_facts(
    store: Store,
    cells: Cells,
    *,
    progress: Progress | None = None,
    bucket_spans: int = BUCKET_SPANS,
    prepared: Callable[[TraceBucket], TraceBucket] = lambda bucket: bucket,
) -> Facts:
    """Return the facts of the traces that start in the windows of `cells`; nothing is stored.

    Args:
        store: May be read-only.
        cells: With windows.
        progress: See `Progress`.
        bucket_spans: Spans that are derived at a time.
        prepared: Applied to each bucket first, for example to rename services.
    """
    windows = list(cells.windows)
    done, total = 0, store.spans_in(windows) if progress else 0
    collected = _Collected()
    buckets = store.buckets(windows, max_spans=bucket_spans)

    def derived(bucket: TraceBucket) -> tuple[int, Facts]:
        return bucket.spans.height, _derived(prepared(bucket), cells)

    with closing(worked(buckets, derived, workers=_WORKERS)) as results:
        for spans, facts in results:
            collected.add(facts)
            done += spans
            _tell(progress, done, total)
    return collected.merged()


def window_tables(
    store: Store,
    windows: Sequence[Window],
    work: Callable[[TraceBucket, Cells], pl.DataFrame],
    *,
    progress: Progress | None = None,
    bucket_spans: int = BUCKET_SPANS,
) -> list[pl.DataFrame]:
    """Return `work` of each bucket of the traces that start in `windows`, in order.

    Args:
        store: May be read-only.
        windows: Of time; `work` gets them as cells.
        work: A function of `derive` that is not part of the facts.
        progress: See `Progress`.
        bucket_spans: Spans that are worked on at a time.
    """
    done, total = 0, store.spans_in(list(windows)) if progress else 0
    cells = Cells(windows=tuple(windows))

    def worked_on(bucket: TraceBucket) -> tuple[int, pl.DataFrame]:
        return bucket.spans.height, work(bucket, cells)

    tables = []
    buckets = store.buckets(list(windows), max_spans=bucket_spans)
    with closing(worked(buckets, worked_on, workers=_WORKERS)) as results:
        for spans, table in results:
            tables.append(table)
            done += spans
            _tell(progress, done, total)
    return tables


def _groups(store: Store, bucket_spans: int) -> list[tuple[list[Window], int]]:
    """Return the dirty hours, in groups of about one bucket, with the spans of each group.

    An hour costs about the same however few spans it has, and a year of thin traffic has thousands
    of
    hours: so small hours are derived together.
    """
    sizes = dict(store.spans_by_hour().iter_rows())
    groups: list[tuple[list[Window], int]] = []
    for hour in store.dirty_hours():
        size = int(sizes.get(hour.start_ns, 0))
        if groups and groups[-1][1] + size <= bucket_spans:
            hours, before = groups[-1]
            groups[-1] = ([*hours, hour], before + size)
        else:
            groups.append(([hour], size))
    return groups


def _bucket_by_bucket(
    store: Store, groups: Sequence[Sequence[Window]], bucket_spans: int
) -> Generator[tuple[int, TraceBucket | None]]:
    """Yield the number of each group with each of its buckets, and at its end with None."""
    for number, hours in enumerate(groups):
        for bucket in store.buckets(hours, max_spans=bucket_spans):
            yield number, bucket
        yield number, None


class _Collected:
    """Facts of many buckets, merged now and then so that they stay small."""

    def __init__(self) -> None:
        self._parts: list[Facts] = []
        self._rows = 0

    def add(self, facts: Facts) -> None:
        """Take the facts of one more bucket."""
        self._parts.append(facts)
        self._rows += sum(frame.height for frame in facts.tables.values())
        if self._rows > _UNMERGED_ROWS:
            merged = self.merged()
            self._parts = [merged]
            self._rows = sum(frame.height for frame in merged.tables.values()) // 2

    def merged(self) -> Facts:
        """Return all facts taken so far, each key once."""
        return derive.merge(Facts.concatenate(self._parts))


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress("deriving spans", min(done, total), total)
