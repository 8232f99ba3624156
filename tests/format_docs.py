"""The list of formats in the documentation, made of the registry."""

from __future__ import annotations

import re

from tracemap.ingest import FORMATS

_TABLE = re.compile(r"^\| format \| what it is \|\n\| --- \| --- \|\n(?:\|.*\n)*", re.MULTILINE)

_HEAD = """# Formats

This page is written by `python -m tests.test_docs`. Its list is `tracemap/ingest/registry.py`, and
`tracemap formats` prints it.

The format of a file is found by its content, never by its name. gzip and zstd are unpacked, and
messages taken out of their framing, whatever is inside. The same spans give the same findings in
every format, up to what the format loses.
"""


def formats_table() -> str:
    """Return the table for the README."""
    rows = [f"| `{each.name}` | {each.description} |" for each in FORMATS]
    return "\n".join(["| format | what it is |", "| --- | --- |", *rows, ""])


def with_formats_table(page: str) -> str:
    """Return a page with its table of formats replaced by the current one."""
    made, count = _TABLE.subn(lambda _: formats_table(), page)
    assert count == 1
    return made


def formats_page() -> str:
    """Return docs/formats.md."""
    parts = [_HEAD, formats_table()]
    for each in FORMATS:
        parts.append(f"## {each.name}\n")
        parts.append(f"{each.description}.\n")
        parts.append(f"Loses: {each.loses or 'nothing'}.\n")
        parts.append(f"```text\n{each.example}\n```\n")
    return "\n".join(parts)
