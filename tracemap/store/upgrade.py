"""Bring a database that an earlier tracemap made up to this one's schema, by adding to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracemap.model import HOUR_NS
from tracemap.store.rpc_services import learn_rpc_services
from tracemap.store.schema import FACTS_VERSION, SCHEMA_VERSION, schema_sql, schema_tables

if TYPE_CHECKING:
    import duckdb

_ALL_FILES = 2**31 - 1
_CREATES = re.compile(r"CREATE (?:TABLE|VIEW) (\w+)")


def upgrade(connection: duckdb.DuckDBPyConnection, version: int, *, created_by: str) -> None:
    """Add what the schema has and the database lacks, in one transaction; nothing is taken away.

    Missing tables are made, missing columns are added at the end (null in the rows there are), and
    views are made anew. Where facts have changed since `version`, every hour that holds spans is
    marked: the next command derives it again.

    Args:
        connection: An open database of ours, writable.
        version: Its schema version, an earlier one.
        created_by: What `meta` is to say.
    """
    made = _columns(connection)
    statements = _statements(connection)
    connection.begin()
    for table in schema_tables():
        if table.sort == "view":
            connection.execute(f"DROP VIEW IF EXISTS {table.name} CASCADE")
            connection.execute(statements[table.name])
        elif table.name not in made:
            connection.execute(statements[table.name])
        else:
            for column in table.columns:
                if column.name not in made[table.name]:
                    connection.execute(
                        f"ALTER TABLE {table.name} ADD COLUMN {column.name} {column.type}"
                    )
    if "rpc_services" not in made:
        learn_rpc_services(connection, 0, _ALL_FILES)
    if version < FACTS_VERSION:
        _mark_all_hours(connection)
    connection.execute(
        "UPDATE meta SET schema_version = ?, created_by = ?", [SCHEMA_VERSION, created_by]
    )
    connection.commit()


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Return the columns of each table and view of the database."""
    columns: dict[str, set[str]] = {}
    for table, column in connection.sql(
        "SELECT table_name, column_name FROM information_schema.columns"
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    return columns


def _statements(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the statement of `schema.sql` that makes each table and view."""
    found = ((_CREATES.search(one.query), one) for one in _parsed(connection))
    return {match[1]: one.query for match, one in found if match}


def _parsed(connection: duckdb.DuckDBPyConnection) -> list[duckdb.Statement]:
    return list(connection.extract_statements(schema_sql()))


def _mark_all_hours(connection: duckdb.DuckDBPyConnection) -> None:
    """Mark every hour that holds spans, but those of which some were pruned."""
    connection.execute(
        f"""
        INSERT INTO dirty_hours
        SELECT hour_ns FROM (
            SELECT DISTINCT first_ns - ((first_ns % {HOUR_NS}) + {HOUR_NS}) % {HOUR_NS} AS hour_ns
            FROM trace_parts
        ) ANTI JOIN dirty_hours USING (hour_ns) ANTI JOIN pruned_hours USING (hour_ns)
        """  # noqa: S608
    )
