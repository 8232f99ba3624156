"""One finding, computed and printed: what each verb of `findings`, `flows` and the like does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tracemap.cli.no_rows import ACCUSES_NOBODY, accuses_nobody, why_no_rows
from tracemap.cli.options import Format
from tracemap.cli.output import print_rows
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import up_to_date

if TYPE_CHECKING:
    from tracemap.pipeline.windows import Request

_NUMBERS = ("number", "same_as")
"""Columns of spikes that are counted here; they are columns also of no spikes."""
OWNER_COLUMNS = ("downstream_owner", "upstream_owner")
# What a table on a terminal shows; JSON and CSV have every key.
_TABLE_COLUMNS = {
    "edges": (
        "downstream",
        "upstream",
        "protocol",
        "calls",
        "errors_downstream",
        "retries",
        "p50_ms",
        "p90_ms",
        "p95_ms",
        "p99_ms",
        "max_ms",
        "gap_p50_ms",
    ),
    "spikes": (
        "number",
        "unit",
        "service",
        "operation",
        "edge",
        "start",
        "end",
        "baseline_p95_ms",
        "p95_ms",
        "ratio",
        "calls",
        "excess_ms",
        "same_as",
    ),
    "propagation": (
        "downstream",
        "downstream_operation",
        "upstream",
        "upstream_operation",
        "offered_ms",
        "arrived_ms",
        "ratio",
        "verdict",
        "mechanism",
        "calls",
    ),
    "flow": (
        *("root_service", "root_operation", "leaf", "service", "operation", "upstream"),
        *("share_ms", "low_ms", "high_ms", "requests"),
    ),
    "flow_bands": (
        *("band", "root_service", "root_operation", "leaf", "service", "operation", "upstream"),
        *("share_ms", "low_ms", "high_ms", "band_change_ms", "smoothing_ms", "requests"),
    ),
    "errors": (
        *("downstream", "downstream_operation", "upstream", "upstream_operation"),
        *("offered_errors", "arrived_errors", "ratio", "verdict", "hardness", "errors", "calls"),
    ),
    "bottlenecks": (
        *("rank", "service", "operation", "place", "downstream", "critical_share", "critical_ms"),
        *("saved_per_second_ms", "hidden_share", "slack_ms"),
    ),
    "dependencies": (
        *("upstream", "upstream_kind", "reach", "waiting", "hit", "survived", "hardness"),
        "single_point",
    ),
    "availability": (
        *("service", "operation", "requests", "measured", "own", "bound", "weakest"),
        "weakest_share",
    ),
    "cycles": ("services", "confirmed", "calls"),
    "insulation": (
        *("role", "pattern", "downstream", "downstream_operation", "upstream"),
        *("upstream_operation", "absorbed_ms", "rescued", "confidence", "shows"),
    ),
    "regressions": (
        *("rank", "cause", "service", "operation", "downstream", "verdict", "baseline_user_ms"),
        *("change_ms", "low_ms", "high_ms", "mix_ms", "user_ms", "share", "owner"),
    ),
    "budget": (
        *("service", "owner", "failed", "requests", "budget_share", "baseline_failed"),
        *("baseline_requests", "baseline_budget_share"),
    ),
    "declarations": (
        *("owner", "status", "downstream", "upstream", "says", "calls", "last", "reason"),
    ),
    "trend": (
        *("week_start", "days", "downstream", "upstream", "calls", "calls_per_day"),
        *("error_ratio", "p50_ms", "p95_ms", "p99_ms"),
    ),
    "origins": (
        *("rank", "service", "operation", "cause", "edge", "flow_ms", "excess_ms"),
        *("excess_share", "confidence", "doubt", "excess_errors", "owner"),
    ),
}


def print_finding(
    name: str, db: Path, asked: Request, settings: tuple[str, ...] | list[str], shape: Format
) -> None:
    """Compute one finding and print it."""
    from tracemap import pipeline, recipe, report

    wanted = recipe.single(name, settings)
    with progress_line() as line, up_to_date(db, progress=line) as store:
        findings = pipeline.run(wanted, store, (), asked, progress=line)
    frame = findings.tables[name]
    rows = report.rows(name, frame, findings.owners)
    if name == "spikes":  # what --spike takes
        rows = _numbered(rows)
    columns = list(rows[0] if rows else report.rows(name, frame.clear(1), findings.owners)[0])
    if name == "spikes":
        columns = [*_NUMBERS, *(column for column in columns if column not in _NUMBERS)]
    if shape is Format.TABLE:
        typer.echo(f"window {findings.window}", err=True)
        if findings.baseline is not None:
            typer.echo(f"baseline {findings.baseline} ({findings.baseline_reason})", err=True)
        elif findings.baseline_reason:
            typer.echo(findings.baseline_reason, err=True)
        if not rows:
            typer.echo(why_no_rows(name, findings), err=True)
        if name == "origins" and accuses_nobody(rows):
            typer.echo(ACCUSES_NOBODY, err=True)
        if name == "origins":  # beside two times it has to say of which one it is a share
            rows = [{**row, "excess_share": row["share"]} for row in rows]
            columns = [*columns, "excess_share"]
        columns = table_columns(_TABLE_COLUMNS[name], rows, columns)
        rows = _each_step_once(rows) if name == "flow" else rows
    print_rows(rows, columns, shape)


def _numbered(spikes: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return spikes with their number, and that of the first one which shows the same event.

    That is the worst row of the same operation whose time overlaps; None: this one is it. Times
    are compared as the texts they are: all of one form, in UTC.
    """
    first: dict[tuple[object, object], list[tuple[int, str, str]]] = {}
    numbered = []
    for number, row in enumerate(spikes, 1):
        start, end = str(row["start"]), str(row["end"])
        events = first.setdefault((row["service"], row["operation"]), [])
        same = next((it for it, since, until in events if start < until and since < end), None)
        if same is None:
            events.append((number, start, end))
        numbered.append({"number": number, "same_as": same, **row})
    return numbered


def _each_step_once(flow: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return the rows without steps that end at once: their one leaf says the same."""
    ending = {row["path_id"] for row in flow if row["leaf"] in ("small", "virtual", "unresolved")}
    return [row for row in flow if row["leaf"] or row["path_id"] not in ending]


def table_columns(
    wanted: Sequence[str], rows: Sequence[Mapping[str, object]], known: Sequence[str]
) -> list[str]:
    """Return the columns that a table on a terminal shows: those wanted, then owners if any.

    Args:
        wanted: What it shows of `known`.
        rows: What is printed: where no end of any edge has a known owner, none is shown.
        known: Keys of a row.
    """
    shown = [column for column in wanted if column in known]
    owned = any(row[column] for row in rows for column in OWNER_COLUMNS if column in known)
    return [*shown, *(column for column in OWNER_COLUMNS if owned and column in known)]
