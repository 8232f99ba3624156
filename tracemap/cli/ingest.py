"""`tracemap ingest`: read trace files into the database."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from tracemap.cli.options import DEFAULT_DATABASE, Database
from tracemap.cli.output import visible
from tracemap.cli.progress import progress_line
from tracemap.errors import InputError

if TYPE_CHECKING:
    from tracemap.intake import Taken

Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs, or - for stdin.")
]


def ingest(inputs: Inputs, db: Database = DEFAULT_DATABASE) -> None:
    """Read trace files into the database.

    The format is found by content. Contents that were read before are not stored again. A file that
    cannot be read does not stop the others; the exit code is 3 then. Facts are derived by the first
    command that needs them.

    Example: tracemap ingest exports/ --db incident.duckdb
    """
    from tracemap.intake import take_in
    from tracemap.store import Store

    summary = Summary()
    with Store.open(db, create=True) as store, progress_line() as line:
        for taken in take_in(store, inputs, progress=line):
            line.close()
            summary.add(taken)
    summary.finish(str(db))


class Summary:
    """What became of the inputs, said on stderr: a line a file, and the sum."""

    def __init__(self) -> None:
        self._failed = 0
        self._sums: Counter[str] = Counter()

    def add(self, taken: Taken) -> None:
        """Say what became of one file."""
        if taken.error is not None:
            self._failed += 1
            _say(f"tracemap: {_visible_lines(str(taken.error))}")
            return
        appended = taken.appended
        if appended is None:
            return
        self._sums["files"] += 1
        if appended.format == "unknown":
            self._sums["rejected"] += appended.rejected
            _say(f"{visible(taken.path)}: no trace file, left out")
            return
        if appended.known:
            self._sums["known"] += 1
            _say(f"{visible(taken.path)}: known already, nothing to do")
            return
        counts = {
            "spans": appended.spans,
            "duplicates": appended.duplicates,
            "rejected": appended.rejected,
            "skipped": appended.skipped,
        }
        self._sums.update(counts)
        _say(f"{visible(taken.path)}: {appended.format}, {_counted(counts)}")

    def finish(self, database: str) -> None:
        """Say the sum.

        Raises:
            typer.Exit: With the code of `InputError`, if a file that was named could not be read,
                or none of those found holds a trace; all were tried.
        """
        if self._sums["files"]:
            _say(f"{database}: {_counted(self._sums)}")
        if self._sums["rejected"]:
            _say(f"what was rejected, and why: tracemap info --db {database}")
        taken = sum(self._sums[key] for key in ("known", "spans", "duplicates", "skipped"))
        if self._failed or (self._sums["files"] and not taken):
            raise typer.Exit(InputError.exit_code)


def _counted(counts: dict[str, int]) -> str:
    """Return the counts in words; those of zero only where they are what one asks for."""
    words = {
        "files": ("file", "files"),
        "known": ("known already", "known already"),
        "spans": ("span stored", "spans stored"),
        "duplicates": ("duplicate", "duplicates"),
        "rejected": ("rejected", "rejected"),
        "skipped": ("record of other signals skipped", "records of other signals skipped"),
    }
    return ", ".join(
        f"{counts.get(key, 0):,} {one if counts.get(key) == 1 else many}"
        for key, (one, many) in words.items()
        if counts.get(key) or key == "spans"
    )


def _visible_lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))


def _say(text: str) -> None:
    typer.echo(text, err=True)
