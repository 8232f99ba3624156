"""Whole traces out of the database, by the time of their start, bucket by bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import HOUR_NS, LINKED_SPANS, OPERATIONS, SPANS, TraceBucket, Window
from tracemap.store.dirty import TRACE
from tracemap.store.tables import read, staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracemap.store.tables import Connection

_BUCKET_SPANS = [name for name in SPANS.schema if name != "attributes"]
_TRACES_AT_A_TIME = 1_000_000
_HOUR = f"(first_ns - ((first_ns % {HOUR_NS}) + {HOUR_NS}) % {HOUR_NS})"


def hours_with_traces(connection: Connection) -> pl.DataFrame:
    """Return columns ``hour_ns``, ``parts``, ``spans``: rows and spans in the index, by hour.

    By the start of each part: a trace that came in parts from two hours counts in both.
    """
    return read(
        connection,
        f"""
        SELECT {_HOUR} AS hour_ns, count(*) AS parts, sum(spans)::BIGINT AS spans
        FROM trace_parts GROUP BY ALL ORDER BY hour_ns
        """,  # noqa: S608
    )


def trace_starts(connection: Connection, window: Window) -> pl.DataFrame:
    """Return the traces that start in `window`: id, ``first_ns``, ``last_ns``, ``spans``.

    In order of their start.
    """
    return read(
        connection,
        """
        WITH touched AS (
            SELECT DISTINCT trace_high, trace_low FROM trace_parts
            WHERE first_ns >= $start_ns AND first_ns < $end_ns
        )
        SELECT trace_high, trace_low, min(first_ns) AS first_ns, max(last_ns) AS last_ns,
            sum(spans)::BIGINT AS spans
        FROM trace_parts SEMI JOIN touched USING (trace_high, trace_low)
        GROUP BY trace_high, trace_low
        HAVING min(first_ns) >= $start_ns
        ORDER BY min(first_ns), trace_high, trace_low
        """,
        start_ns=window.start_ns,
        end_ns=window.end_ns,
    )


def buckets(
    connection: Connection, window: Window | Sequence[Window] | None, *, max_spans: int
) -> Iterator[TraceBucket]:
    """Yield all traces that start in `window`, whole, at most `max_spans` spans at a time.

    A trace larger than `max_spans` is a bucket of its own.
    """
    for step in _steps(connection, window):
        traces = trace_starts(connection, step)
        for group in _groups(traces, max_spans):
            yield trace_bucket(connection, group)


def spans_in(connection: Connection, window: Window | Sequence[Window] | None) -> int:
    """Return how many spans the traces that start in `window` have."""
    return sum(
        int(trace_starts(connection, step)["spans"].sum()) for step in _steps(connection, window)
    )


def _steps(connection: Connection, window: Window | Sequence[Window] | None) -> Iterator[Window]:
    """Cut `window` at hours, so that the index of the traces of each piece fits in memory."""
    hours = hours_with_traces(connection)
    for joined in _joined(window, hours["hour_ns"]):
        start_ns, parts = joined.start_ns, 0
        within = hours.filter(
            pl.col("hour_ns").lt(joined.end_ns) & pl.col("hour_ns").gt(start_ns - HOUR_NS)
        )
        for hour_ns, hour_parts in within.select("hour_ns", "parts").iter_rows():
            if parts and parts + hour_parts > _TRACES_AT_A_TIME:
                yield Window(start_ns, hour_ns)
                start_ns, parts = hour_ns, 0
            parts += hour_parts
        if parts:
            yield Window(start_ns, joined.end_ns)


def _joined(window: Window | Sequence[Window] | None, hours_ns: pl.Series) -> list[Window]:
    """Return `window` as windows in order that do not overlap; None: one that holds all traces.

    Windows with only time without traces between them become one.
    """
    if hours_ns.is_empty():
        return []
    if window is None:
        return [Window(int(hours_ns[0]), int(hours_ns[-1]) + HOUR_NS)]
    joined: list[Window] = []
    for each in sorted([window] if isinstance(window, Window) else window):
        last = joined[-1] if joined else each
        between = (hours_ns < each.start_ns) & (hours_ns > last.end_ns - HOUR_NS)
        if joined and (each.start_ns <= last.end_ns or not between.any()):
            joined[-1] = Window(last.start_ns, max(last.end_ns, each.end_ns))
        else:
            joined.append(each)
    return joined


def _groups(traces: pl.DataFrame, max_spans: int) -> Iterator[pl.DataFrame]:
    """Cut `traces` where the next one would exceed `max_spans`."""
    ends = traces["spans"].cum_sum()
    first = before = 0
    while first < traces.height:
        after = max(first + 1, int(ends.search_sorted(before + max_spans, side="right")))
        yield traces.slice(first, after - first)
        first, before = after, int(ends[after - 1])


def trace_bucket(connection: Connection, traces: pl.DataFrame) -> TraceBucket:
    """Return all spans of `traces`, with what they point to.

    Args:
        connection: The database.
        traces: As `trace_starts` gives them; not empty. Spans are read from the stretch of time in
            which these have spans, then picked by trace.
    """
    columns = ", ".join(_BUCKET_SPANS)
    with staged(connection, wanted=traces.select(TRACE)):
        spans = read(
            connection,
            f"""
            SELECT {columns} FROM stored_spans SEMI JOIN wanted USING (trace_high, trace_low)
            WHERE start_ns BETWEEN $first_ns AND $last_ns
            """,  # noqa: S608
            first_ns=traces["first_ns"].min(),
            last_ns=traces["last_ns"].max(),
        )
    linked = _linked_spans(connection, traces)
    operation_ids = pl.concat([spans["operation_id"], linked["linked_operation_id"]]).unique()
    with staged(connection, used=operation_ids.to_frame("operation_id")):
        operations = read(
            connection,
            """
            SELECT * REPLACE (peer AS peer_name) FROM operations JOIN peers USING (operation_id)
            SEMI JOIN used USING (operation_id) ORDER BY operation_id
            """,
        )
    resources = read(
        connection, "SELECT * FROM resources JOIN services USING (resource_id) ORDER BY resource_id"
    )
    return TraceBucket(
        spans=spans,
        operations=OPERATIONS.conform(operations),
        resources=resources,
        linked_spans=linked,
    )


def _linked_spans(connection: Connection, traces: pl.DataFrame) -> pl.DataFrame:
    """Return the links of spans of `traces` whose target is stored, as `LINKED_SPANS`."""
    with staged(connection, wanted=traces.select(TRACE)):
        links = read(
            connection, "SELECT * FROM links SEMI JOIN wanted USING (trace_high, trace_low)"
        )
    if links.is_empty():
        return LINKED_SPANS.empty()
    with staged(connection, wanted_links=links):
        targets = read(
            connection,
            """
            SELECT min(first_ns) AS first_ns, max(last_ns) AS last_ns
            FROM trace_parts SEMI JOIN wanted_links
                ON (trace_parts.trace_high = linked_trace_high
                    AND trace_parts.trace_low = linked_trace_low)
            """,
        )
        linked = read(
            connection,
            """
            SELECT wanted_links.*, stored_spans.operation_id AS linked_operation_id,
                stored_spans.resource_id AS linked_resource_id,
                stored_spans.start_ns AS linked_start_ns,
                stored_spans.duration_ns AS linked_duration_ns,
                stored_spans.status_code AS linked_status_code
            FROM stored_spans JOIN wanted_links
                ON (stored_spans.trace_high = linked_trace_high
                    AND stored_spans.trace_low = linked_trace_low
                    AND stored_spans.span_id = linked_span_id)
            WHERE stored_spans.start_ns BETWEEN $first_ns AND $last_ns
            """,
            first_ns=targets["first_ns"][0],
            last_ns=targets["last_ns"][0],
        )
    return LINKED_SPANS.conform(linked).sort(LINKED_SPANS.schema.names()[:6])
