"""`tracemap formats`: what can be read, each with an example line."""

from __future__ import annotations

import typer

from tracemap.cli.options import Format, RowFormat
from tracemap.cli.output import print_rows


def formats(shape: RowFormat = Format.TABLE) -> None:
    """List the formats that can be read.

    Each with what it is, what it loses, and the shortest line that is a file of it.

    Example: tracemap formats --format json
    """
    from tracemap.ingest import FORMATS

    columns = ("name", "description", "loses", "example")
    rows = [{column: getattr(each, column) for column in columns} for each in FORMATS]
    if shape is not Format.TABLE:
        print_rows(rows, columns, shape)
        return
    for row in rows:
        typer.echo(row["name"])
        typer.echo(f"  {row['description']}")
        typer.echo(f"  loses: {row['loses'] or 'nothing'}")
        typer.echo(f"  {row['example']}\n")
