"""`tracemap graph`: the observed graph for other tools."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from tracemap.cli.options import (
    DEFAULT_DATABASE,
    Catalog,
    CollapseProxies,
    Database,
    From,
    To,
    request,
)
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import up_to_date


class GraphFormat(StrEnum):
    """Languages a graph can be written in."""

    MERMAID = "mermaid"
    DOT = "dot"
    GRAPHML = "graphml"
    JSON = "json"
    CSV = "csv"


def graph(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    collapse_proxies: CollapseProxies = False,
    catalog: Catalog = None,
    shape: Annotated[
        GraphFormat, typer.Option("--format", help="The language to write.")
    ] = GraphFormat.MERMAID,
) -> None:
    """Print the graph of services.

    Arrows go from downstream (who waits) to upstream (who provides).

    Example: tracemap graph --format dot | dot -Tsvg > graph.svg
    """
    from tracemap import pipeline, recipe, report

    with progress_line() as line, up_to_date(db, progress=line) as store:
        asked = request(start, end, collapse_proxies=collapse_proxies, catalog=catalog or [])
        findings = pipeline.run(recipe.single("edges"), store, (), asked)
    text = report.graph(findings.tables["edges"], shape.value, findings.owners)
    typer.echo(text, nl=False)
