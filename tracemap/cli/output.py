"""Rows to stdout: as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence

from tracemap.cli.options import Format

Row = Mapping[str, object]

_MOST_WRAPPED = 500
"""Longer tables are not fitted to the terminal: that takes a millisecond a row."""


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
    numeric = [any(_is_number(row[name]) for row in rows) for name in columns]
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    if sys.stdout.isatty() and len(cells) <= _MOST_WRAPPED:
        _print_wrapped(columns, cells, numeric)
    else:
        _print_aligned(columns, cells, numeric)


def _print_wrapped(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    Console(file=sys.stdout, highlight=False).print(table)


def _print_aligned(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool]
) -> None:
    from rich.cells import cell_len

    lines = [list(columns), *cells]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["─" * width for width in widths])
    for line in lines:
        padded = (
            " " * (width - cell_len(cell)) + cell
            if right
            else cell + " " * (width - cell_len(cell))
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


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
