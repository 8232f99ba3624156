"""Delete old spans and keep their facts, which are never derived again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import FACTS, HOUR_NS, Window
from tracemap.store.tables import read, staged

if TYPE_CHECKING:
    from tracemap.store.tables import Connection

_NODES = {"service", "downstream", "upstream", "root_service"}
"""Columns of facts that hold the name of a node."""
REASON = "hour_pruned"
"""Why a span that arrives late for a pruned hour is rejected."""


@dataclass(frozen=True)
class Pruned:
    """What was deleted: spans and traces, and in how many hours these traces started."""

    hours: int
    traces: int
    spans: int


def pruned_hours(connection: Connection) -> list[Window]:
    """Return the hours whose spans were pruned, in order of time."""
    hours = read(connection, "SELECT hour_ns FROM pruned_hours ORDER BY hour_ns")["hour_ns"]
    return [Window(hour_ns, hour_ns + HOUR_NS) for hour_ns in hours]


def prune(connection: Connection, window: Window) -> Pruned:
    """Delete the traces that start and end in `window`, in the caller's transaction.

    Their hours are written down: their facts are never derived again from what is left. Two sorts
    of traces stay for now, because facts of later hours need them: those that go on after the
    window, and those that later traces link to.

    Args:
        connection: No hour in `window` may have facts that are out of date.
        window: On full hours.

    Raises:
        ValueError: If facts of `window` are out of date, or it is not on full hours.
    """
    if window.start_ns % HOUR_NS or window.end_ns % HOUR_NS:
        raise ValueError(f"{window} is not on full hours")
    stale = read(
        connection,
        "SELECT count(*) FROM dirty_hours WHERE hour_ns >= $start_ns AND hour_ns < $end_ns",
        start_ns=window.start_ns,
        end_ns=window.end_ns,
    )
    if stale.item():
        raise ValueError(f"facts in {window} are out of date: derive them first")
    doomed = _doomed(connection, window)
    hours = doomed.group_by(hour_ns=pl.col("first_ns") // HOUR_NS * HOUR_NS).agg(
        traces=pl.len().cast(pl.Int64),
        spans=pl.col("spans").sum(),
        first_ns=pl.col("first_ns").min(),
        last_ns=pl.col("last_ns").max(),
    )
    with staged(connection, doomed=doomed, hours=hours):
        for table in ("stored_spans", "links", "trace_parts"):
            connection.execute(
                f"""
                DELETE FROM {table} USING doomed
                WHERE {table}.trace_high = doomed.trace_high
                    AND {table}.trace_low = doomed.trace_low
                """  # noqa: S608
            )
        connection.execute(
            """
            CREATE TEMP TABLE counted AS
            SELECT hour_ns, sum(traces)::BIGINT AS traces, sum(spans)::BIGINT AS spans,
                min(first_ns) AS first_ns, max(last_ns) AS last_ns
            FROM (FROM pruned_hours UNION ALL BY NAME FROM hours) GROUP BY hour_ns
            """
        )
        connection.execute("DELETE FROM pruned_hours")
        connection.execute("INSERT INTO pruned_hours BY NAME FROM counted ORDER BY hour_ns")
        connection.execute("DROP TABLE counted")
    return Pruned(hours.height, doomed.height, int(doomed["spans"].sum()))


def rename_pruned(connection: Connection, moves: pl.DataFrame) -> None:
    """Give services in the facts of pruned hours the names they have from now on.

    When a name turns up in a second environment, `cart` becomes `cart (production)`. Other hours
    are derived again; pruned hours cannot be, and would seem to be about a service that is gone.

    Args:
        connection: In a transaction.
        moves: Columns ``service`` and ``service_now``, each service once.
    """
    if moves.is_empty():
        return
    pruned = f"window_start_ns // {HOUR_NS} * {HOUR_NS} IN (SELECT hour_ns FROM pruned_hours)"  # noqa: S608
    with staged(connection, moves=moves):
        for name, table in FACTS.items():
            where = f"AND {pruned}" if "window_start_ns" in table.schema else ""
            for column in _NODES & set(table.schema):
                connection.execute(
                    f"""
                    UPDATE {name} SET {column} = service_now FROM moves
                    WHERE {name}.{column} = moves.service {where}
                    """  # noqa: S608
                )


def _doomed(connection: Connection, window: Window) -> pl.DataFrame:
    """Return the traces to delete: id, ``first_ns``, ``last_ns``, ``spans``."""
    return read(
        connection,
        """
        WITH traces AS (
            SELECT trace_high, trace_low, min(first_ns) AS first_ns, max(last_ns) AS last_ns,
                sum(spans)::BIGINT AS spans
            FROM trace_parts GROUP BY trace_high, trace_low
        ), needed AS (
            SELECT linked_trace_high AS trace_high, linked_trace_low AS trace_low
            FROM links JOIN traces USING (trace_high, trace_low)
            WHERE last_ns >= $end_ns
        )
        SELECT * FROM traces ANTI JOIN needed USING (trace_high, trace_low)
        WHERE first_ns >= $start_ns AND last_ns < $end_ns
        ORDER BY first_ns, trace_high, trace_low
        """,
        start_ns=window.start_ns,
        end_ns=window.end_ns,
    )
