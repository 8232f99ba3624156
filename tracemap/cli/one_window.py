"""`tracemap bottlenecks`, `dependencies`, `availability`, `cycles`, `declarations`: one window."""

from __future__ import annotations

from tracemap.cli.options import (
    DEFAULT_DATABASE,
    Catalog,
    Database,
    Format,
    From,
    RowFormat,
    Settings,
    To,
    request,
)
from tracemap.cli.print_finding import print_finding


def bottlenecks(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print what requests spend their time on.

    By exclusive time on the critical path: own time, network of an edge, upstreams without spans.

    Example: tracemap bottlenecks --format csv > bottlenecks.csv
    """
    print_finding("bottlenecks", db, request(start, end), (), shape)


def dependencies(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print what depends on each upstream.

    How many requests reach it and wait for it, and how many survive when it fails.

    Example: tracemap dependencies --from 2026-05-01 --to 2026-05-08
    """
    print_finding("dependencies", db, request(start, end), settings or (), shape)


def availability(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    settings: Settings = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print how many requests succeed, and the bound their upstreams set.

    One row per user operation, the least available first.

    Example: tracemap availability --format json
    """
    print_finding("availability", db, request(start, end), settings or (), shape)


def cycles(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print which services call each other in a circle.

    A circle is confirmed where single requests went round it.

    Example: tracemap cycles
    """
    print_finding("cycles", db, request(start, end), (), shape)


def declarations(
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    catalog: Catalog = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print declared dependencies against observed ones.

    Each is as declared, declared but not observed, or observed but not declared. By owner;
    --catalog must be given.

    Example: tracemap declarations --catalog catalog-info.yaml
    """
    if not catalog:
        from tracemap.errors import PipelineError

        raise PipelineError(
            "there is nothing to compare with: no catalog was given",
            where="--catalog",
            hint="name a catalog-info.yaml or a folder of them: --catalog PATH",
        )
    print_finding("declarations", db, request(start, end, catalog=catalog or []), (), shape)
