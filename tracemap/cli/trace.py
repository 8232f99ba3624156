"""`tracemap trace`: one trace as a waterfall."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database
from tracemap.cli.output import print_json
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import opened
from tracemap.cli.waterfall import print_waterfall


class TraceFormat(StrEnum):
    """How a trace is printed."""

    TABLE = "table"
    JSON = "json"


def trace(
    trace_id: Annotated[
        str,
        typer.Argument(
            metavar="TRACE_ID", help="32 hex digits, or as many of the first as make it unique."
        ),
    ],
    db: Database = DEFAULT_DATABASE,
    shape: Annotated[
        TraceFormat, typer.Option("--format", help="How to print the trace.")
    ] = TraceFormat.TABLE,
) -> None:
    """Print one trace as a waterfall.

    Which span ran when, its own time, and the critical path.

    Example: tracemap trace 4bf92f3577b34da6a3ce929d0e0e4736
    """
    from tracemap.pipeline import questions

    with progress_line() as line, opened(db, progress=line) as store:
        spans = questions.waterfall(store, trace_id)
    rows = [
        {"parent" if key == "parent_span_id" else key: value for key, value in row.items()}
        for row in spans.to_dicts()
    ]
    if shape is TraceFormat.JSON:
        print_json(rows)
    else:
        print_waterfall(rows)
