"""Rows to stdout: as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tracemap.cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console

Row = Mapping[str, object]

_PIPE_WIDTH = 100_000
"""A table that is not for a terminal is never cut or wrapped."""


def print_rows(rows: Sequence[Row], columns: Sequence[str], shape: Format) -> None:
    """Print `rows` in the given shape; JSON and CSV have all columns, a table those with values."""
    if shape is Format.JSON:
        print_json(rows)
    elif shape is Format.CSV:
        _print_csv(rows, columns)
    else:
        print_table(rows, columns)


def print_json(value: object) -> None:
    """Print `value` as JSON, indented, non-ASCII text as it is, NaN refused."""
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False, default=str)
    sys.stdout.write("\n")


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Print `rows` as a table; on a terminal long cells wrap, elsewhere nothing is cut."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        numeric = any(_is_number(row[name]) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in columns))
    stdout_console().print(table)


def stdout_console() -> Console:
    """Return a console on stdout that does not interpret what it prints."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)


def visible(text: str) -> str:
    """Return `text` with control characters spelled out: names in traces are not to be trusted."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return visible(" → ".join(str(item) for item in value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return visible(", ".join(str(item) for item in value))
    return visible(str(value))


def _print_csv(rows: Sequence[Row], columns: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_cell(row[name]) for name in columns])


def _csv_cell(value: object) -> object:
    """Return `value` for a CSV cell; text that a spreadsheet would run gets a quote."""
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return f"'{value}"
    return value
