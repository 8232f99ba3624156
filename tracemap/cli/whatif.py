"""`tracemap whatif`: what a change to one upstream would have done to whoever waits for it."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database, Format, From, RowFormat, To, request
from tracemap.cli.output import print_rows
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import up_to_date
from tracemap.errors import PipelineError

_DURATION = re.compile(r"(?P<number>[+-]?\d+(\.\d+)?)\s*(?P<unit>ns|us|µs|ms|s)", re.ASCII)
_UNIT_NS = {"ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}
_LONGEST_NS = 86_400_000_000_000
_LARGEST_SCALE = 1000.0
_COLUMNS = (
    *("downstream", "operation", "calls", "affected", "before_p50_ms", "after_p50_ms"),
    *("before_p95_ms", "after_p95_ms", "before_p99_ms", "after_p99_ms"),
    *("before_error_rate", "after_error_rate"),
)


def whatif(
    upstream: Annotated[
        str, typer.Option(metavar="S", help="The service, database ... to change.")
    ],
    operation: Annotated[str, typer.Option(metavar="O", help="Only calls of this operation.")] = "",
    add: Annotated[
        str, typer.Option(metavar="T", help="Each call takes longer: 200ms, -5ms.")
    ] = "",
    scale: Annotated[
        float,
        typer.Option(
            metavar="F",
            min=0.0,
            max=_LARGEST_SCALE,
            help="Its own time times F: 0.5 is twice as fast.",
        ),
    ] = 1.0,
    timeout: Annotated[
        str, typer.Option(metavar="T", help="Callers give up after T, and the call fails.")
    ] = "",
    cache: Annotated[
        float, typer.Option(metavar="P", min=0.0, max=1.0, help="Share of calls that are not made.")
    ] = 0.0,
    fail: Annotated[
        float, typer.Option(metavar="P", min=0.0, max=1.0, help="Share of calls that fail.")
    ] = 0.0,
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    shape: RowFormat = Format.TABLE,
) -> None:
    """Replay the recorded traces with one upstream changed.

    Order, gaps and parallelism are kept. Prints latency and error rate of each operation that waits
    for it, before and after. Not modelled: queues that fill, retries that were not recorded.

    Example: tracemap whatif --upstream card-db --add 200ms
    """
    from tracemap import report
    from tracemap.model import Change
    from tracemap.pipeline import questions

    change = Change(
        upstream=upstream,
        operation=operation or None,
        add_ns=_nanoseconds(add, "--add") if add else 0,
        scale=scale,
        timeout_ns=_nanoseconds(timeout, "--timeout") if timeout else None,
        cache_share=cache,
        fail_share=fail,
    )
    _require_change(change == Change(upstream, operation or None), change.timeout_ns)
    with progress_line() as line, up_to_date(db, progress=line) as store:
        found, window = questions.whatif(store, change, request(start, end), progress=line)
    rows = report.rows("whatif", found)
    columns = list(rows[0])
    if shape is Format.TABLE:
        typer.echo(f"window {window}", err=True)
        typer.echo(
            "percentiles are ≈, within 0.55 % of each value (means in JSON and CSV are exact)",
            err=True,
        )
        if any(row["assumed"] for row in rows):
            typer.echo(
                "too few failures were recorded to know what one does to some requests: there,"
                " each one is taken to fail the request",
                err=True,
            )
        columns = [column for column in _COLUMNS if column in columns]
    print_rows(rows, columns, shape)


def _nanoseconds(text: str, option: str) -> int:
    """Return a duration such as ``200ms`` in ns.

    Raises:
        PipelineError: If it is none, or longer than a day.
    """
    match = _DURATION.fullmatch(text.strip())
    value = float(match["number"]) * _UNIT_NS[match["unit"]] if match else None
    if value is None or abs(value) > _LONGEST_NS:
        raise PipelineError(
            f"{text!r} is not a duration of at most a day",
            where=option,
            hint="write a number and a unit: 200ms, 1.5s, 300us",
        )
    return round(value)


def _require_change(is_none: bool, timeout_ns: int | None) -> None:
    """Refuse to replay what was recorded as it was recorded.

    Raises:
        PipelineError: If nothing is to change, or the timeout is not above zero.
    """
    if is_none:
        raise PipelineError(
            "nothing is to change",
            where="tracemap whatif",
            hint="give at least one of --add, --scale, --timeout, --cache, --fail",
        )
    if timeout_ns is not None and timeout_ns <= 0:
        raise PipelineError(
            "a timeout must be above zero", where="--timeout", hint="such as --timeout 300ms"
        )
