"""The command line. Each verb parses its options, makes one library call, and prints the result.

Verbs import the library inside their functions, so that `tracemap --help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from tracemap import __version__
from tracemap.cli import (
    demo,
    drift,
    findings,
    flows,
    formats,
    graph,
    info,
    ingest,
    init,
    one_window,
    prune,
    query,
    run,
    trace,
    weeks,
    whatif,
)
from tracemap.cli.why_missing import why_missing

app = typer.Typer(
    name="tracemap",
    help=(
        "Which upstream's latency spike hurt which downstream, and by how much: from exported"
        " OpenTelemetry spans.\n\n"
        "upstream = who provides (callee, database, producer); downstream = who waits (caller,"
        " consumer)."
    ),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for verb in (
    demo.demo,
    ingest.ingest,
    run.run,
    init.init,
    findings.edges,
    findings.spikes,
    findings.propagation,
    flows.flow,
    flows.flow_bands,
    findings.insulation,
    findings.errors,
    findings.origins,
    one_window.bottlenecks,
    one_window.dependencies,
    one_window.availability,
    one_window.cycles,
    one_window.declarations,
    drift.drift,
    weeks.regressions,
    weeks.budget,
    weeks.trend,
    graph.graph,
    whatif.whatif,
    trace.trace,
    why_missing,
    query.query,
    info.info,
    prune.prune,
    formats.formats,
):
    app.command()(verb)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tracemap {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None and not version:
        typer.echo(context.get_help())
