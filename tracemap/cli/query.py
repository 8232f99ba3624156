"""`tracemap query`: SQL over the database."""

from __future__ import annotations

from typing import Annotated

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database, Format, RowFormat
from tracemap.cli.output import print_rows
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import opened


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
    with progress_line() as line, opened(db, progress=line) as store:
        frame = store.query(sql)
    print_rows(frame.to_dicts(), frame.columns, shape, is_exact=True)
