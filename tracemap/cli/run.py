"""`tracemap run`: a recipe from trace files to a report."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracemap import __version__
from tracemap.cli.ingest import Summary, filled
from tracemap.cli.options import (
    DEFAULT_DATABASE,
    BaselineFrom,
    BaselineTo,
    Catalog,
    Database,
    From,
    SelfTrace,
    Settings,
    Spike,
    To,
    request,
)
from tracemap.cli.output import visible
from tracemap.cli.progress import progress_line

if TYPE_CHECKING:
    from tracemap.intake import Progress
    from tracemap.model import Findings
    from tracemap.store import Store


class RunFormat(StrEnum):
    """What a run prints."""

    PATHS = "paths"
    TEXT = "text"


def _recipes(incomplete: str) -> list[str]:
    """Return the shipped recipes that begin so, for the completion of a shell."""
    from tracemap import recipe as recipes

    return [name for name in recipes.names() if name.startswith(incomplete)]


def _opened(
    db: Path, inputs: list[str] | None, progress: Progress
) -> AbstractContextManager[Store]:
    """Return the database, open for writing only where there is something to take in or derive."""
    from tracemap import pipeline

    return filled(db) if inputs else pipeline.up_to_date(db, progress=progress)


def _keep(db: Path, findings: Findings) -> None:
    """Store the findings for `tracemap query`, or say that this was not possible.

    The report was written then: it does not depend on who else reads the database.
    """
    from tracemap.errors import StoreError
    from tracemap.store import Store

    try:
        opened = Store.open(db)
    except StoreError as error:
        typer.echo(f"the findings were not stored: {visible(error.what)}", err=True)
        return
    with opened as store:
        store.replace_findings(findings.recipe, findings.tables)


def _lack(findings: Findings) -> str:
    """Return why nothing could be judged."""
    from tracemap.report.no_incident import NO_SPIKE, too_short

    few = f"too few calls in the window {findings.window}"
    if findings.baseline is None and findings.baseline_reason.startswith(NO_SPIKE):
        return f"the calls {too_short(findings)}"
    if findings.baseline is None:
        return findings.baseline_reason or few
    return (
        f"{few}, or in the baseline {findings.baseline}:"
        " --baseline-from and --baseline-to name another"
    )


def run(
    recipe: Annotated[
        str,
        typer.Argument(
            help="batch, postmortem, weekly, or the path of a .toml file.", autocompletion=_recipes
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[INPUT...]", help="Trace files to read first; none: the database."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the report goes.")] = Path(),
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    spike: Spike = None,
    settings: Settings = None,
    png: Annotated[
        bool, typer.Option("--png", help="Also write every figure as a picture, for slides.")
    ] = False,
    svg: Annotated[bool, typer.Option("--svg", help="The same as SVG.")] = False,
    trace_url: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Link traces: https://jaeger.example/trace/{trace_id}, say."
        ),
    ] = "",
    shape: Annotated[
        RunFormat,
        typer.Option("--format", help="What to print: headline and paths, or a text for a chat."),
    ] = RunFormat.PATHS,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print what would be done, and do nothing.")
    ] = False,
    self_trace: SelfTrace = None,
    catalog: Catalog = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option("--fail-on", metavar="CONDITION", help="Exit 6 if it holds: 'p95_ratio>1.2'."),
    ] = None,
) -> None:
    """Run a recipe and write its report.

    The report is DIR/RECIPE.html, .md and .json; an earlier one of that name is replaced.

    Example: tracemap run postmortem exports/ --from 2026-05-01T10:00 --to 2026-05-01T10:20
    """
    from tracemap import pipeline
    from tracemap import recipe as recipes
    from tracemap.intake import take_in
    from tracemap.pipeline.fail_on import check, conditions
    from tracemap.report import build, images
    from tracemap.report import trace_url as links
    from tracemap.self_trace import recording, stage

    chosen = recipes.load(recipe, settings or [])
    if explain:
        typer.echo(recipes.explain(chosen))
        return
    links.checked(trace_url)
    pictures = [name for name, wanted in (("png", png), ("svg", svg)) if wanted]
    if pictures:
        images.require()
    wanted = conditions(fail_on or [], chosen.findings)
    asked = request(start, end, baseline_from, baseline_to, spike=spike, catalog=catalog or [])
    summary = Summary()
    with recording(self_trace, "tracemap run", __version__):
        with progress_line() as line, _opened(db, inputs, line) as store:
            for taken in take_in(store, inputs or [], progress=line):
                line.close()
                summary.add(taken)
            if summary.is_failure and store.covered() is None:
                line.close()
                summary.finish(str(db))
            findings = pipeline.run(chosen, store, (), asked, progress=line)
        report = build(findings, trace_url=trace_url)
        with stage("write report"):
            written = report.write(out, pictures=pictures)
        _keep(db, findings)
    if shape is RunFormat.TEXT:
        typer.echo(report.text(), nl=False)
    else:
        typer.echo(report.headline)
    for path in written:
        typer.echo(str(path), err=shape is RunFormat.TEXT)
    summary.finish(str(db))
    if findings.verdict == "insufficient_data":
        typer.echo(f"too little data to judge: {_lack(findings)}", err=True)
        if wanted:
            typer.echo("--fail-on: nothing to judge, too little data", err=True)
    check(wanted, findings, str(written[0]))
