"""Polars frames in and out of DuckDB, through Arrow."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

Connection = duckdb.DuckDBPyConnection


def read(connection: Connection, sql: str, **parameters: Any) -> pl.DataFrame:  # noqa: ANN401
    """Return the rows of `sql`, with `parameters` bound to its ``$names``."""
    rows: pl.DataFrame = connection.sql(sql, params=parameters or None).pl()
    return rows


@contextmanager
def staged(connection: Connection, **frames: pl.DataFrame) -> Iterator[None]:
    """Let `connection` see `frames` as tables of these names, without copying them."""
    for name, frame in frames.items():
        connection.register(name, frame)
    try:
        yield
    finally:
        # After an error the transaction refuses even this; the name is then taken over by the next.
        with suppress(duckdb.TransactionException):
            for name in frames:
                connection.unregister(name)


def insert(connection: Connection, table: str, rows: pl.DataFrame) -> None:
    """Append `rows` to `table`, column by name; columns of the table that are missing are null.

    `table` is a name from the schema, never from data.
    """
    if rows.is_empty():
        return
    with staged(connection, staged_rows=rows):
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM staged_rows")  # noqa: S608
