"""`tracemap prune`: delete old spans, keep their facts."""

from __future__ import annotations

from typing import Annotated

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database
from tracemap.cli.progress import progress_line


def prune(
    keep_spans: Annotated[
        str,
        typer.Option("--keep-spans", metavar="AGE", help="How old spans may get: 36h, 14d, 8w."),
    ],
    db: Database = DEFAULT_DATABASE,
) -> None:
    """Delete old spans, keep their facts.

    Age counts back from the end of the data, not from now. Edges, spikes, drift and weekly reports
    work as before; traces and propagation of pruned hours are gone. Spans that arrive late for a
    pruned hour are rejected and counted.

    Example: tracemap prune --keep-spans 14d
    """
    from tracemap import pipeline
    from tracemap.pipeline.pruning import duration_ns
    from tracemap.store import Store

    keep_ns = duration_ns(keep_spans, "--keep-spans")
    with progress_line() as line, Store.open(db) as store:
        pruned = pipeline.prune(store, keep_ns, progress=line)
    if pruned is None or not pruned.spans:
        typer.echo(f"nothing is older than {keep_spans} before the end of the data")
        return
    typer.echo(
        f"pruned {pruned.spans:,} spans of {pruned.traces:,} traces in {pruned.hours:,} hours;"
        " their facts stay"
    )
