"""`tracemap demo`: the main job on the sample traces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracemap.cli.progress import progress_line


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where database and reports go.")] = Path(
        "tracemap-demo"
    ),
) -> None:
    """Try it on the sample traces.

    Reads the traces that ship with tracemap and writes all reports.

    Example: tracemap demo && open tracemap-demo/postmortem.html
    """
    from tracemap import demo as samples

    with progress_line() as line:
        for report, written in samples.demo(out, progress=line):
            line.close()
            typer.echo(report.headline)
            for path in written:
                typer.echo(f"  {path}")
