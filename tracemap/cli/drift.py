"""`tracemap drift`: what became of each edge between two windows, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tracemap.cli.options import (
    DEFAULT_DATABASE,
    BaselineFrom,
    BaselineTo,
    Catalog,
    Database,
    Format,
    From,
    RowFormat,
    Settings,
    To,
    request,
)
from tracemap.cli.output import print_rows
from tracemap.cli.print_finding import table_columns
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import up_to_date
from tracemap.errors import PipelineError

if TYPE_CHECKING:
    import polars as pl

    from tracemap.pipeline.windows import Request

_COLUMNS = (
    "downstream", "upstream", "change", "detail", "calls", "baseline_calls", "p95_ms",
    "baseline_p95_ms", "p95_ratio", "p95_ratio_low", "p95_ratio_high", "error_ratio",
    "baseline_error_ratio", "calls_ratio",
)  # fmt: skip


def drift(
    before: Annotated[
        str,
        typer.Argument(metavar="[A]", help="What to compare with: FROM..TO or a cohort."),
    ] = "",
    after: Annotated[str, typer.Argument(metavar="[B]", help="What to look at.")] = "",
    db: Database = DEFAULT_DATABASE,
    start: From = "",
    end: To = "",
    baseline_from: BaselineFrom = "",
    baseline_to: BaselineTo = "",
    settings: Settings = None,
    catalog: Catalog = None,
    shape: RowFormat = Format.TABLE,
) -> None:
    """Print what became of each edge.

    New, gone, re-routed, slower, more errors ... from facts alone, so also after prune.
    Without windows: the last seven days against the four weeks before.

    Example: tracemap drift 2026-02-01..2026-02-08 2026-02-08..2026-02-15
    """
    from tracemap import pipeline, recipe
    from tracemap.pipeline import questions
    from tracemap.pipeline.cohorts import cohort

    wanted = recipe.single("drift", settings or ())
    one, other = cohort(before, "argument A"), cohort(after, "argument B")
    if one is not None and other is not None:
        limits, asked = recipe.limits(wanted), request(start, end, catalog=catalog or [])
        with progress_line() as line, up_to_date(db, progress=line) as store:
            frame, window = questions.drift_between(
                store, one, other, asked, thresholds=limits, progress=line
            )
            owners = pipeline.owners_of(wanted, store, asked)
        _print(frame, owners, (f"{after}, {window}", before), shape)
        return
    asked = _asked(before, after, (start, end, baseline_from, baseline_to), catalog or [])
    with progress_line() as line, up_to_date(db, progress=line) as store:
        findings = pipeline.run(wanted, store, (), asked, progress=line)
    baseline = f"{findings.baseline or 'none'} ({findings.baseline_reason})"
    _print(findings.tables["drift"], findings.owners, (str(findings.window), baseline), shape)


def _print(
    frame: pl.DataFrame, owners: Mapping[str, str], sides: tuple[str, str], shape: Format
) -> None:
    """Print rows of the finding; what was compared goes to stderr."""
    from tracemap import report

    rows = report.rows("drift", frame, owners)
    columns = list(rows[0] if rows else report.rows("drift", frame.clear(1), owners)[0])
    if shape is Format.TABLE:
        typer.echo(f"window {sides[0]}\nbaseline {sides[1]}", err=True)
        columns = table_columns(_COLUMNS, rows, columns)
    print_rows(rows, columns, shape)


def _asked(
    before: str, after: str, options: tuple[str, str, str, str], catalog: Sequence[str]
) -> Request:
    """Return the windows asked for, as two arguments or as options, and the catalog.

    Raises:
        PipelineError: If one argument is missing, or both ways are mixed.
    """
    if not before:
        return request(*options, catalog=catalog)
    if not after or any(options):
        what = "both A and B are needed" if not after else "A and B say it all"
        raise PipelineError(
            f"{what}: tracemap drift A B",
            where="arguments A and B",
            hint="or say it with --from, --to, --baseline-from and --baseline-to alone",
        )
    return request(*_ends(after, "B"), *_ends(before, "A"), catalog=catalog)


def _ends(text: str, name: str) -> tuple[str, str]:
    """Return both ends of ``FROM..TO``."""
    start, dots, end = text.partition("..")
    if not dots or not start or not end:
        raise PipelineError(
            f"{text!r} is no window",
            where=f"argument {name}",
            hint="write FROM..TO, such as 2026-02-01..2026-02-08",
        )
    return start, end
