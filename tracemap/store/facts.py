"""Facts and findings in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.model import FACTS, FINDINGS, HOUR_NS, Window
from tracemap.store.dirty import mark_clean
from tracemap.store.tables import insert, read, staged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracemap.model import Facts
    from tracemap.store.tables import Connection

_FOLDS = {"first_ns": "min", "last_ns": "max"}
_SQL_TYPES: dict[pl.DataType, str] = {pl.Int64(): "BIGINT", pl.Float64(): "DOUBLE"}
_BY_WINDOW = [name for name, table in FACTS.items() if "window_start_ns" in table.schema]


def replace_facts(connection: Connection, hours: Sequence[Window], facts: Facts) -> None:
    """Put `facts` in the place of those of `hours`, and call these hours clean.

    In the caller's transaction. Call paths have no time: new ones are added, and those that no
    stored fact uses any more are removed.

    Raises:
        ValueError: If `facts` has rows of other hours: they would never be replaced again.
    """
    starts_ns = [hour.start_ns for hour in hours]
    hour_ns = pl.col("window_start_ns") // HOUR_NS * HOUR_NS
    for name in _BY_WINDOW:
        rows = FACTS[name].conform(facts[name])
        if not rows.select(hour_ns.is_in(starts_ns).all()).item():
            raise ValueError(f"{name} has facts outside the hours to replace")
        _delete_hours(connection, name, hours)
        insert(connection, name, rows)
    with staged(connection, derived=FACTS["paths"].conform(facts["paths"])):
        connection.execute(
            "INSERT INTO paths SELECT * FROM derived ANTI JOIN paths USING (path_id)"
        )
    connection.execute("DELETE FROM paths WHERE path_id NOT IN (SELECT path_id FROM path_facts)")
    mark_clean(connection, hours)


def _delete_hours(connection: Connection, name: str, hours: Sequence[Window]) -> None:
    ends = pl.DataFrame(
        {
            "start_ns": [hour.start_ns for hour in hours],
            "end_ns": [hour.end_ns for hour in hours],
        }
    )
    with staged(connection, hours=ends):
        connection.execute(
            f"""
            DELETE FROM {name} USING hours
            WHERE window_start_ns >= hours.start_ns AND window_start_ns < hours.end_ns
            """  # noqa: S608
        )


def stored_facts(connection: Connection, name: str, window: Window | None) -> pl.DataFrame:
    """Return the rows of one table of `FACTS` whose cell starts in `window`; None: all.

    In no order that means anything: facts are sums. ``paths`` has no cells and comes whole.
    """
    table = FACTS[name]
    where, bounds = "", {}
    if window is not None and name in _BY_WINDOW:
        where = "WHERE window_start_ns >= $start_ns AND window_start_ns < $end_ns"
        bounds = {"start_ns": window.start_ns, "end_ns": window.end_ns}
    return table.conform(read(connection, f"SELECT * FROM {name} {where}", **bounds))  # noqa: S608


def rolled_up(
    connection: Connection,
    name: str,
    windows: Sequence[Window],
    cell_ns: int,
    *,
    by_hash_bucket: bool = False,
) -> pl.DataFrame:
    """Return the rows of one table of `FACTS` in `windows`, summed over cells of `cell_ns`.

    Cells are counted from the start of each window, so that they never reach over its ends; a row
    that lies in two windows counts in both. Hash buckets of traces are summed as well (all 0),
    unless `by_hash_bucket` keeps them apart. A value that
    is unknown in one row (of a pruned hour, from before the column existed) is unknown in the sum.
    Summing in the database keeps weeks of minutes out of memory.
    """
    table = FACTS[name]
    summed = {"window_start_ns"} if by_hash_bucket else {"window_start_ns", "hash_bucket"}
    keys = [key for key in table.key if key not in summed]
    sums = [
        f"{_folded(column)}::{_SQL_TYPES[dtype]} AS {column}"
        for column, dtype in table.schema.items()
        if column not in table.key
    ]
    bucket = ["0 AS hash_bucket"] if "hash_bucket" in summed.intersection(table.key) else []
    columns = ", ".join(["start_ns + cell * $cell_ns AS window_start_ns", *keys, *bucket, *sums])
    bounds = pl.DataFrame(
        {
            "start_ns": [window.start_ns for window in windows],
            "end_ns": [window.end_ns for window in windows],
        },
        schema={"start_ns": pl.Int64, "end_ns": pl.Int64},
    )
    with staged(connection, bounds=bounds):
        rows = read(
            connection,
            f"""
            SELECT {columns}
            FROM (
                SELECT *, (window_start_ns - start_ns) // $cell_ns AS cell
                FROM {name} JOIN bounds ON window_start_ns >= start_ns AND window_start_ns < end_ns
            )
            GROUP BY start_ns, cell{"".join(f", {key}" for key in keys)}
            """,  # noqa: S608
            cell_ns=cell_ns,
        )
    return table.conform(rows).sort(table.key)


def _folded(column: str) -> str:
    """Return how rows of a column become one; null where one of them is."""
    fold = _FOLDS.get(column, "sum")
    return f"(CASE WHEN count({column}) = count(*) THEN {fold}({column}) END)"


def observed_minutes(connection: Connection) -> pl.Series:
    """Return the starts of the minutes in which any call or operation was observed, sorted."""
    rows = read(
        connection,
        "SELECT DISTINCT window_start_ns FROM latency_facts ORDER BY window_start_ns",
    )
    return rows["window_start_ns"]


def replace_findings(
    connection: Connection, recipe: str, tables: Mapping[str, pl.DataFrame]
) -> None:
    """Put `tables` in the place of the findings of `recipe`, in the caller's transaction."""
    for name, table in FINDINGS.items():
        connection.execute(f"DELETE FROM {name} WHERE recipe = ?", [recipe])  # noqa: S608
        if name in tables:
            rows = table.conform(tables[name]).with_columns(pl.lit(recipe).alias("recipe"))
            insert(connection, name, rows)
