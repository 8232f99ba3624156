"""`tracemap query`: SQL over the database."""

from __future__ import annotations

from typing import Annotated

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database, Format, RowFormat
from tracemap.cli.output import print_rows


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One statement; read only.")],
    db: Database = DEFAULT_DATABASE,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Run SQL on the database.

    One statement; its rows are printed. docs/schema.md describes the tables.
    Nothing can be changed, and no other file can be read.

    Example: tracemap query "SELECT service, count(*) FROM spans GROUP BY ALL ORDER BY ALL"
    """
    from tracemap.store import Store

    with Store.open(db, read_only=True) as store:
        frame = store.query(sql)
    print_rows(frame.to_dicts(), frame.columns, shape)
