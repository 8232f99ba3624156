"""Run SQL that a user wrote: it may read this database and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl

from tracemap.errors import PipelineError

if TYPE_CHECKING:
    from tracemap.store.tables import Connection

_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}


def query(connection: Connection, sql: str) -> pl.DataFrame:
    """Return the rows of one ``SELECT`` (or ``FROM``, ``DESCRIBE``, ``SUMMARIZE``, ``EXPLAIN``).

    It runs on a cursor of its own in a read-only transaction; files are out of reach, because the
    database was opened without external access.

    Raises:
        PipelineError: If DuckDB refuses the statement, with its message.
    """
    cursor = connection.cursor()
    try:
        statements = cursor.extract_statements(sql)
        if len(statements) != 1 or statements[0].type not in _READING:
            raise PipelineError(
                "only a single statement that reads is possible here",
                where="the SQL given",
                hint="start with SELECT; list the tables with: tracemap query 'SHOW TABLES'",
            )
        cursor.execute("BEGIN TRANSACTION READ ONLY")
        rows: pl.DataFrame = cursor.sql(statements[0].query).pl()
    except duckdb.Error as error:
        raise PipelineError(
            str(error),
            where="the SQL given",
            hint="list tables with `SHOW TABLES`, the columns of one with `DESCRIBE spans`",
        ) from error
    except pl.exceptions.ComputeError as error:
        raise PipelineError(
            f"a column of the result cannot be shown: {error}",
            where="the SQL given",
            hint="turn it into text with CAST(... AS VARCHAR)",
        ) from error
    finally:
        cursor.close()
    return rows
