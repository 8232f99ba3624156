"""Polars frames in and out of DuckDB, through Arrow."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from tracemap.store.schema import schema_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Append `rows` to `table`: the same columns, in any order.

    Not by way of `staged`: what is registered inside a transaction lives until its end, and one
    file may be larger than memory.
    """
    if rows.is_empty():
        return
    in_order = rows.select(_columns()[table])
    as_arrow = in_order.to_arrow(compat_level=pl.CompatLevel.newest())  # text as it is: no copy
    connection.from_arrow(as_arrow).insert_into(table)


@cache
def _columns() -> dict[str, list[str]]:
    return {table.name: [column.name for column in table.columns] for table in schema_tables()}
