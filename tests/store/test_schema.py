"""`schema.sql` is the one source of the tables and agrees with the model."""

from __future__ import annotations

import polars as pl
import pytest

from tracemap.model import (
    FACTS,
    FILES,
    FINDINGS,
    LINKS,
    OPERATIONS,
    REJECTS,
    RESOURCES,
    SPANS,
    Table,
)
from tracemap.store import SCHEMA_VERSION, Store, schema_markdown
from tracemap.store.schema import SchemaTable, schema_sql, schema_tables

TYPES: dict[pl.DataType, str] = {
    pl.UInt64(): "UBIGINT",
    pl.Int64(): "BIGINT",
    pl.UInt32(): "UINTEGER",
    pl.Int32(): "INTEGER",
    pl.UInt16(): "USMALLINT",
    pl.Int16(): "SMALLINT",
    pl.UInt8(): "UTINYINT",
    pl.Float64(): "DOUBLE",
    pl.String(): "VARCHAR",
    pl.Boolean(): "BOOLEAN",
    pl.List(pl.String): "VARCHAR[]",
}
MODEL: dict[str, Table] = {
    "stored_spans": SPANS,
    **{table.name: table for table in (OPERATIONS, RESOURCES, LINKS, REJECTS, FILES)},
    **FACTS,
    **FINDINGS,
}
SCHEMA: dict[str, SchemaTable] = {table.name: table for table in schema_tables()}
STORE_ONLY = {"file_id", "recipe"}


@pytest.mark.parametrize("name", MODEL)
def test_table_has_the_columns_of_the_model(name: str) -> None:
    """Names, order, types and meanings are those of the model."""
    expected = [
        (column.name, TYPES[column.dtype], f"{column.unit}: {column.meaning}".removeprefix(": "))
        for column in MODEL[name].columns
    ]
    written = [
        (column.name, column.type, column.meaning)
        for column in SCHEMA[name].columns
        if column.name not in STORE_ONLY
    ]
    assert written == expected


def test_parsed_schema_is_the_one_in_the_database(store: Store) -> None:
    """What the documentation is made of has every table, view and column that DuckDB made."""
    made = store.query(
        """
        SELECT table_name, column_name FROM information_schema.columns
        ORDER BY table_name, ordinal_position
        """
    )
    parsed = [(name, column.name) for name in sorted(SCHEMA) for column in SCHEMA[name].columns]
    assert made.rows() == parsed


def test_everything_has_a_comment() -> None:
    """A table or column that says nothing about itself is not finished."""
    assert all(table.meaning for table in SCHEMA.values())
    assert all(column.meaning for table in SCHEMA.values() for column in table.columns)


def test_version_is_in_the_history() -> None:
    """The history at the top of the schema ends with the version that databases get."""
    head = schema_sql().split("CREATE", maxsplit=1)[0]
    versions = [line.split()[1] for line in head.splitlines() if line[2:6].strip().isdigit()]
    assert versions[-1] == str(SCHEMA_VERSION)


def test_markdown_lists_views_first() -> None:
    """People query the views, so the page starts with them."""
    sections = [line[3:] for line in schema_markdown().splitlines() if line.startswith("## ")]
    assert sections[:4] == ["services", "peers", "spans", "traces"]
    assert set(sections) == {*SCHEMA, "Bits of quality"}
