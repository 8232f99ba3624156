"""The schema of a tracemap database: `schema.sql` runs it, and documents it.

To add a table, or a column to one: write it into `schema.sql` (a column last: databases made
before get it last too), for a fact or a finding also into `tracemap.model`; add one to
`SCHEMA_VERSION` and a line to the version history; where derive gives other facts than before, set
`FACTS_VERSION` to the same number; write `docs/schema.md` anew. Nothing else is needed: a database
of an earlier version gets what it lacks when it is next opened for writing
(`tracemap.store.upgrade`). Columns are never taken away, renamed or given another type or meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tracemap.model import QUALITY_MEANINGS

if TYPE_CHECKING:
    import duckdb

APPLICATION = "tracemap"
"""What `meta.application` says in every database of ours."""
SCHEMA_VERSION = 18
"""Number of the schema in the version history of `schema.sql`."""
FACTS_VERSION = 18
"""The last version that changed what facts are: those of earlier databases are derived again."""

_STATEMENT = re.compile(
    r"(?P<comment>(?:^--[^\n]*\n)+)"
    r"^CREATE (?P<sort>TABLE|VIEW) (?P<name>\w+) \(\n(?P<columns>.*?)^\)",
    re.MULTILINE | re.DOTALL,
)
_COLUMN = re.compile(
    r"^ +(?P<name>\w+)(?: +(?P<type>[A-Z]+(?:\[\])?)(?: +USING COMPRESSION \w+)?)?,?"
    r" *-- (?P<meaning>.+)$"
)


@dataclass(frozen=True)
class SchemaColumn:
    """One column as `schema.sql` has it: name, DuckDB type ('' in a view) and comment."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class SchemaTable:
    """One table or view (`sort`) as `schema.sql` has it, with its comment and columns."""

    sort: str
    name: str
    meaning: str
    columns: tuple[SchemaColumn, ...]


@cache
def schema_sql() -> str:
    """Return the text of `schema.sql`."""
    return (files("tracemap.store") / "schema.sql").read_text(encoding="utf-8")


def create_schema(connection: duckdb.DuckDBPyConnection, *, created_by: str) -> None:
    """Make every table and view, and the row of `meta`, in one transaction."""
    connection.begin()
    connection.execute(schema_sql())
    connection.execute(
        "INSERT INTO meta VALUES (?, ?, ?)", [APPLICATION, SCHEMA_VERSION, created_by]
    )
    connection.commit()


def schema_tables() -> list[SchemaTable]:
    """Return every table and view of `schema.sql`, in its order, with their comments."""
    return [
        SchemaTable(
            sort=found["sort"].lower(),
            name=found["name"],
            meaning=" ".join(re.findall(r"^-- (.*)$", found["comment"], re.MULTILINE)),
            columns=tuple(_schema_columns(found["columns"])),
        )
        for found in _STATEMENT.finditer(schema_sql())
    ]


def _schema_columns(text: str) -> list[SchemaColumn]:
    found = (_COLUMN.match(line) for line in text.splitlines())
    return [
        SchemaColumn(column["name"], column["type"] or "", column["meaning"])
        for column in found
        if column
    ]


def schema_markdown() -> str:
    """Return `docs/schema.md`: every view and table with its columns, views first.

    People query the views, so these come first; otherwise the order is that of `schema.sql`.
    """
    tables = sorted(schema_tables(), key=lambda table: table.sort != "view")
    return "\n".join(
        [
            "# Schema",
            "",
            f"Version {SCHEMA_VERSION}. Generated from `tracemap/store/schema.sql`; do not edit.",
            "",
            *(line for table in tables for line in _table_markdown(table)),
            *_quality_markdown(),
        ]
    )


def _quality_markdown() -> list[str]:
    """Return the bits of the columns ``quality``, as the model has them."""
    rows = [
        f"| {int(flag)} | `{(flag.name or '').lower()}` | {meaning} |"
        for flag, meaning in QUALITY_MEANINGS.items()
    ]
    return [
        "## Bits of quality",
        "",
        "What was noticed about a span while it was read or stored. The columns `quality` of",
        "`spans`, `stored_spans` and `resources` are sums of the bits that hold:",
        "`WHERE quality & 128 <> 0` finds spans without an end. What the rest of a trace tells is",
        "counted in `quality_facts`.",
        "",
        "| bit | name | meaning |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _table_markdown(table: SchemaTable) -> list[str]:
    typed = table.sort == "table"
    rows = [
        " | ".join(["", f"`{column.name}`", *([column.type] if typed else []), column.meaning, ""])
        for column in table.columns
    ]
    return [
        f"## {table.name}",
        "",
        f"*{table.sort.capitalize()}.* {table.meaning}",
        "",
        "| column | type | meaning |" if typed else "| column | meaning |",
        "|---|---|---|" if typed else "|---|---|",
        *(row.strip() for row in rows),
        "",
    ]
