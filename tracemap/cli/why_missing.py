"""`tracemap why-missing`: why no edge joins two services."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database, From, To, request
from tracemap.cli.output import print_json, visible
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import up_to_date


class WhyFormat(StrEnum):
    """How the reasons are printed."""

    TABLE = "table"
    JSON = "json"


def why_missing(
    downstream: Annotated[str, typer.Argument(metavar="DOWNSTREAM", help="Who should call.")],
    upstream: Annotated[str, typer.Argument(metavar="UPSTREAM", help="Who should be called.")],
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    shape: Annotated[
        WhyFormat, typer.Option("--format", help="How to print the reasons.")
    ] = WhyFormat.TABLE,
) -> None:
    """Print why there is no edge between two services.

    Spans whose parent is missing, lost context, sampling, another name, another environment ...,
    each with counts and example traces, the likeliest first. If there is an edge, it says so.

    Example: tracemap why-missing checkout pricing
    """
    from tracemap import report
    from tracemap.pipeline import questions

    asked = request(start, end)
    with progress_line() as line, up_to_date(db, progress=line) as store:
        found = questions.why_missing(store, downstream, upstream, asked, progress=line)
    rows = report.rows("why_missing", found)
    if shape is WhyFormat.JSON:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['reason']}: {visible(row['text'])}")
        for trace_id in row["exemplars"]:
            typer.echo(f"  tracemap trace {trace_id}")
