"""Options that several verbs share, and how their texts become windows."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracemap.errors import PipelineError

if TYPE_CHECKING:
    from tracemap.pipeline.windows import Bounds, Request


class Format(StrEnum):
    """How rows are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


DEFAULT_DATABASE = Path("tracemap.duckdb")

Database = Annotated[Path, typer.Option("--db", metavar="FILE", help="The database.")]
RowFormat = Annotated[Format, typer.Option("--format", help="How to print the rows.")]
From = Annotated[
    str,
    typer.Option("--from", metavar="T", help="Start of the window: ISO-8601, UTC if no offset."),
]
To = Annotated[str, typer.Option("--to", metavar="T", help="End of the window, exclusive.")]
BaselineFrom = Annotated[
    str, typer.Option("--baseline-from", metavar="T", help="Start of what to compare with.")
]
BaselineTo = Annotated[
    str, typer.Option("--baseline-to", metavar="T", help="End of what to compare with, exclusive.")
]
Spike = Annotated[
    int | None,
    typer.Option("--spike", min=1, metavar="N", help="Without a window: the N-th worst spike."),
]
CollapseProxies = Annotated[
    bool,
    typer.Option("--collapse-proxies", help="Show calls through proxies as calls to the services."),
]
SelfTrace = Annotated[
    Path | None,
    typer.Option("--self-trace", metavar="FILE", help="Write this run as a trace (OTLP JSON)."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a threshold; may be repeated."),
]
Catalog = Annotated[
    list[str] | None,
    typer.Option(
        "--catalog", metavar="PATH", help="Owners: catalog-info.yaml, a list, a folder; repeatable."
    ),
]


def request(
    start: str,
    end: str,
    baseline_from: str = "",
    baseline_to: str = "",
    *,
    spike: int | None = None,
    catalog: Sequence[str] = (),
    collapse_proxies: bool = False,
) -> Request:
    """Return what the options about windows and owners ask for.

    Raises:
        PipelineError: If a time cannot be read, or a window ends before it starts.
        InputError: If a catalog cannot be read.
    """
    from tracemap.catalog import load
    from tracemap.pipeline.windows import Request

    return Request(
        window=_bounds(start, end, ""),
        baseline=_bounds(baseline_from, baseline_to, "baseline-"),
        spike=spike,
        catalog=load(catalog) if catalog else None,
        collapse_proxies=collapse_proxies,
    )


def _bounds(start: str, end: str, prefix: str) -> Bounds:
    """Return the ends of a window as given by the options ``--{prefix}from`` and ``--{prefix}to``.

    An end that was not given stays open: the database's own begin or end takes its place.

    Raises:
        PipelineError: If a time cannot be read, or the window ends before it starts.
    """
    from tracemap.pipeline.windows import Bounds

    start_ns = _instant(start, f"--{prefix}from")
    end_ns = _instant(end, f"--{prefix}to")
    if start_ns is not None and end_ns is not None and end_ns <= start_ns:
        raise PipelineError(
            f"the window ends at {end}, which is not after its start {start}",
            where=f"--{prefix}from, --{prefix}to",
            hint="windows are [from, to): swap the two, or give a later end",
        )
    return Bounds(start_ns, end_ns)


def _instant(text: str, option: str) -> int | None:
    from tracemap.model import from_iso

    if not text:
        return None
    try:
        return from_iso(text)
    except ValueError as error:
        raise PipelineError(
            f"{text!r} is not a time between the years 1700 and 2261",
            where=option,
            hint="write ISO-8601, such as 2026-05-01T10:30:00 (UTC) or 2026-05-01T12:30:00+02:00",
        ) from error
