"""Rows to stdout: as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from shutil import get_terminal_size

from tracemap.cli.options import Format

Row = Mapping[str, object]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT")
_UNSEEN = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON leaves as it is although nobody sees it, or it changes how the rest is seen."""
_SHARES = frozenset(
    {"reach", "waiting", "survived", "measured", "own", "bound", "excess_errors"}
    | {"error_ratio", "baseline_error_ratio", "offered_errors", "arrived_errors", "hardness"}
)
_COUNTS = frozenset({"failed", "baseline_failed"})
_NARROWEST = 12
"""Text in a table on a terminal is not shortened below this."""
_WRAPPED = 24
"""Nor below this where rows would not fit all the same: they break, but can be read."""


def print_rows(
    rows: Sequence[Row], columns: Sequence[str], shape: Format, *, is_exact: bool = False
) -> None:
    """Print `rows` in the given shape; JSON and CSV have all columns, a table those with values.

    Args:
        rows: What to print.
        columns: Keys of a row, in order.
        shape: How.
        is_exact: Whether a table shows numbers as they are, to be copied rather than read.
    """
    if shape is Format.JSON:
        print_json(rows)
    elif shape is Format.CSV:
        _print_csv(rows, columns)
    else:
        print_table(rows, columns, is_exact=is_exact)


def print_json(value: object) -> None:
    """Print `value` as JSON, indented; what is not a number is null, control characters escaped."""
    sys.stdout.write(f"{_json(value, indent=2)}\n")


def _json(value: object, *, indent: int | None = None) -> str:
    text = json.dumps(
        _finite(value), indent=indent, ensure_ascii=False, allow_nan=False, default=str
    )
    return _UNSEEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _finite(value: object) -> object:
    """Return `value` with None for each NaN and infinity, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def print_table(rows: Sequence[Row], columns: Sequence[str], *, is_exact: bool = False) -> None:
    """Print `rows` as a table.

    On a terminal long texts are shortened in the middle until a row fits, as far as that leaves
    them readable; elsewhere nothing is cut.
    """
    from rich.cells import cell_len

    numeric = [any(_is_number(row[name]) for row in rows) for name in columns]
    cells = [_exact_cell if is_exact else _form_of(name) for name in columns]
    lines = [list(columns)]
    lines += [[cell(row[name]) for cell, name in zip(cells, columns, strict=True)] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    if sys.stdout.isatty():
        texts = [
            place
            for place, name in enumerate(columns)
            if not numeric[place] and not any(_TIME.match(str(row[name])) for row in rows)
        ]
        _narrow(widths, texts, get_terminal_size().columns)
    lines.insert(1, ["─" * width for width in widths])
    for line in lines:
        padded = []
        for written, width, right in zip(line, widths, numeric, strict=True):
            text = written if cell_len(written) <= width else _shortened(written, width)
            space = " " * (width - cell_len(text))
            padded.append(space + text if right else text + space)
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _narrow(widths: list[int], texts: Sequence[int], room: int) -> None:
    """Take from the widest of the columns `texts` until all fit, or none can give more."""
    excess = sum(widths) + 2 * (len(widths) - 1) - room
    to_give = sum(max(0, widths[place] - _NARROWEST) for place in texts)
    narrowest = _NARROWEST if excess <= to_give else _WRAPPED
    for _ in range(max(0, excess)):
        widest = max(texts, key=lambda place: widths[place], default=None)
        if widest is None or widths[widest] <= narrowest:
            return
        widths[widest] -= 1


def _shortened(text: str, width: int) -> str:
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def visible(text: str) -> str:
    """Return `text` with control characters spelled out: names in traces are not to be trusted."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exact_cell(value: object) -> str:
    return str(value) if _is_number(value) else _cell(value)


def _form_of(column: str) -> Callable[[object], str]:
    return _share if _is_share(column) else _count if column in _COUNTS else _cell


def _is_share(column: str) -> bool:
    """Return whether a column holds parts of a whole, from 0 to 1."""
    return column.endswith("share") or column in _SHARES


def _count(value: object) -> str:
    """Return a count; whole unless sampling weighs it."""
    return _cell(int(value) if isinstance(value, float) and value.is_integer() else value)


def _share(value: object) -> str:
    """Return a share in percent; one that is not quite all or nothing never says that it is."""
    if not isinstance(value, int | float):
        return _cell(value)
    text = f"{100 * value:z.1f} %"
    if text == "100.0 %" and value < 1:
        return "> 99.9 %"
    return "< 0.1 %" if text == "0.0 %" and value > 0 else text


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:z,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return visible(" → ".join(str(item) for item in value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return visible(", ".join(str(item) for item in value))
    return visible(str(value))


def _print_csv(rows: Sequence[Row], columns: Sequence[str]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([_csv_cell(name) for name in columns])
    for row in rows:
        writer.writerow([_csv_cell(row[name]) for name in columns])


def _csv_cell(value: object) -> object:
    """Return `value` for a CSV cell.

    Text that a spreadsheet would run gets a quote, and control characters are spelled out.
    """
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str | bytes):
        return _json(value)
    if isinstance(value, str):
        quote = "'" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else ""
        return f"{quote}{visible(value)}"
    return value
