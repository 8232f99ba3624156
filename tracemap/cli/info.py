"""`tracemap info`: what the database holds, and where every record went."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database
from tracemap.cli.output import print_json, print_table, visible
from tracemap.cli.progress import progress_line
from tracemap.cli.reading import up_to_date

if TYPE_CHECKING:
    from tracemap.model import Ledger


class InfoFormat(StrEnum):
    """How the ledger is printed."""

    TABLE = "table"
    JSON = "json"


def info(
    db: Database = DEFAULT_DATABASE,
    shape: Annotated[
        InfoFormat, typer.Option("--format", help="How to print the ledger.")
    ] = InfoFormat.TABLE,
) -> None:
    """Print what the database holds.

    Files, records, rejects with examples, oddities, clocks, time covered, services, and cautions:
    what limits how far the rest can be trusted.
    Records read = spans stored + duplicates + rejected, always.

    Example: tracemap info --format json
    """
    from tracemap import pipeline

    with progress_line() as line, up_to_date(db, progress=line) as store:
        ledger = pipeline.ledger(store)
    content = _content(ledger, db.stat().st_size)
    if shape is InfoFormat.JSON:
        print_json(content)
    else:
        _print(content, ledger, str(db))


def _content(ledger: Ledger, size_bytes: int) -> dict[str, Any]:
    """Return the ledger as plain values."""
    from tracemap.model import iso
    from tracemap.report import rows

    files = rows("files", ledger.files)
    sums = {
        key: sum(int(file[key]) for file in files)
        for key in ("records", "spans", "duplicates", "rejected", "skipped", "size_bytes")
    }
    covered = ledger.covered
    return {
        "records": sums["records"],
        "spans": ledger.spans,
        "pruned": ledger.pruned,
        "duplicates": sums["duplicates"],
        "rejected": sums["rejected"],
        "skipped": sums["skipped"],
        "traces": ledger.traces,
        "services": list(ledger.services),
        "covered": {"start": iso(covered.start_ns), "end": iso(covered.end_ns)}
        if covered
        else None,
        "database_bytes": size_bytes,
        "input_bytes": sums["size_bytes"],
        "files": files,
        "rejects": ledger.rejects.to_dicts(),
        "quality": ledger.quality.to_dicts(),
        "split_traces": ledger.split_traces,
        "cautions": rows("cautions", ledger.cautions),
        "skew": rows("skew", ledger.skew),
    }


def _left_out(files: int) -> str:
    """Return how many of the rejects are no records but files without spans."""
    if not files:
        return ""
    return f", of which {files:,} {'is a file' if files == 1 else 'are files'} left out"


def _contradicting(skew: list[dict[str, Any]]) -> str:
    """Return what a least above the most means, where there is one."""
    if not any(row["least_ms"] > row["most_ms"] for row in skew if row["most_ms"] is not None):
        return ""
    return (
        "\n(least above most: no one difference fits all calls, by uncertainty_ms; theta is the"
        " middle.\nBelow the threshold skew_ms that is noise, else the verdict is unsteady)"
    )


def _print(content: dict[str, Any], ledger: Ledger, database: str) -> None:
    lines = [
        f"database   {visible(database)}, {content['database_bytes']:,} bytes",
        f"files      {len(content['files']):,}, {content['input_bytes']:,} bytes",
        f"records    {content['records']:,}",
        f"  stored   {content['spans']:,} spans",
        *(
            [f"  pruned   {content['pruned']:,} spans; their facts stay"]
            if content["pruned"]
            else []
        ),
        f"  known    {content['duplicates']:,} duplicates",
        f"  rejected {content['rejected']:,}{_left_out(ledger.left_out)}",
        f"skipped    {content['skipped']:,} records of other signals",
        f"traces     {content['traces']:,}, {content['split_traces']:,} of them in several pieces",
        f"covered    {ledger.covered or 'nothing'}",
        f"services   {len(content['services']):,}: {visible(', '.join(content['services']))}",
    ]
    lines += [f"caution    {visible(each['text'])}" for each in content["cautions"]]
    typer.echo("\n".join(lines))
    titles = {
        "files": "files",
        "rejects": "rejected, by reason, with the first bytes of one",
        "quality": "where stored spans went, and what is odd about some",
        "skew": "how far clocks of two hosts differ, by the calls between them",
    }
    for key, title in titles.items():
        if content[key]:
            typer.echo(f"\n{title}{_contradicting(content[key]) if key == 'skew' else ''}")
            columns = [column for column in content[key][0] if column != "content_hash"]
            print_table(content[key], columns)
