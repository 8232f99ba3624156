"""Which hours have facts that are out of date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import HOUR_NS, Window
from tracemap.store.tables import read, staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracemap.store.tables import Connection

TRACE = ["trace_high", "trace_low"]
"""The columns of a trace id."""


def dirty_hours(connection: Connection) -> list[Window]:
    """Return the hours whose facts are out of date, in order of time."""
    hours = read(connection, "SELECT hour_ns FROM dirty_hours ORDER BY hour_ns")["hour_ns"]
    return [Window(hour_ns, hour_ns + HOUR_NS) for hour_ns in hours]


def mark_clean(connection: Connection, hours: Sequence[Window]) -> None:
    """Say that the facts of `hours` are up to date."""
    with staged(connection, clean=pl.DataFrame({"hour_ns": [hour.start_ns for hour in hours]})):
        connection.execute("DELETE FROM dirty_hours WHERE hour_ns IN (SELECT hour_ns FROM clean)")


def mark_dirty(connection: Connection, starts_ns: pl.Series) -> None:
    """Say that the facts of the hours that hold `starts_ns` are out of date.

    Not those of pruned hours: their spans are gone, and their facts stay as they are.
    """
    hours = (starts_ns // HOUR_NS * HOUR_NS).unique().sort().to_frame("hour_ns")
    with staged(connection, touched=hours):
        connection.execute(
            """
            INSERT INTO dirty_hours
            FROM touched
            ANTI JOIN dirty_hours USING (hour_ns)
            ANTI JOIN pruned_hours USING (hour_ns)
            """
        )


def mark_traces(connection: Connection, traces: pl.DataFrame) -> None:
    """Mark the hours in which `traces` (columns of a trace id) start, as far as they are stored."""
    if traces.is_empty():
        return
    with staged(connection, touched=traces.select(TRACE)):
        starts = read(
            connection,
            """
            SELECT min(first_ns) AS first_ns
            FROM trace_parts SEMI JOIN touched USING (trace_high, trace_low)
            GROUP BY trace_high, trace_low
            """,
        )
    mark_dirty(connection, starts["first_ns"])


def mark_linking(connection: Connection, first_file_id: int, last_file_id: int) -> None:
    """Mark the hours of traces that link into the traces of files: their links have a target."""
    linking = read(
        connection,
        """
        SELECT DISTINCT links.trace_high, links.trace_low FROM links
        SEMI JOIN (
            SELECT trace_high, trace_low FROM stored_spans
            WHERE file_id BETWEEN $first_file_id AND $last_file_id
        ) arrived
        ON (linked_trace_high = arrived.trace_high AND linked_trace_low = arrived.trace_low)
        """,
        first_file_id=first_file_id,
        last_file_id=last_file_id,
    )
    mark_traces(connection, linking)


def mark_spans_of(connection: Connection, named: pl.DataFrame) -> None:
    """Mark the hours of traces with spans of `named`: one column, an id that spans carry."""
    (column,) = named.columns
    with staged(connection, touched=named):
        traces = read(
            connection,
            f"""
            SELECT DISTINCT trace_high, trace_low
            FROM stored_spans SEMI JOIN touched USING ({column})
            """,  # noqa: S608
        )
    mark_traces(connection, traces)
