"""`python -m bench [NAME...]`: run the benchmarks and print one table each.

Each benchmark is a module of this folder with a function `run`. It returns rows, dictionaries with
the same keys, to be shown in that order; or it prints its own table as it goes and returns None.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

NAMES = ("ingest", "bounds", "derive", "report", "accuracy")


def main(names: Sequence[str]) -> int:
    """Run the benchmarks of that name, or all, and return the exit code."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    here = Path(__file__).parent
    for name in names or NAMES:
        if not (here / f"{name}.py").exists() and not (here / name).is_dir():
            continue
        print(f"== {name}")
        print_table(importlib.import_module(f"bench.{name}").run() or [])
    return 0


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows with the same keys as a Markdown table; nothing where there are none."""
    if not rows:
        return
    cells = [
        [str(key) for key in rows[0]],
        *([_shown(row[key]) for key in rows[0]] for row in rows),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for number, row in enumerate(cells):
        shown = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(shown)} |")
        if number == 0:
            print(f"| {' | '.join('-' * width for width in widths)} |")


def _shown(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
