"""`tracemap ingest`: read trace files into the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tracemap import __version__
from tracemap.cli.options import DEFAULT_DATABASE, Database, SelfTrace
from tracemap.cli.output import visible
from tracemap.cli.progress import progress_line
from tracemap.errors import InputError

if TYPE_CHECKING:
    from tracemap.intake import Taken
    from tracemap.store import Appended, Store

Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs, or - for stdin.")
]


def ingest(inputs: Inputs, db: Database = DEFAULT_DATABASE, self_trace: SelfTrace = None) -> None:
    """Read trace files into the database.

    The format is found by content. Contents that were read before are not stored again. A file that
    cannot be read does not stop the others; the exit code is 3 then. Facts are derived by the first
    command that needs them.

    Example: tracemap ingest exports/ --db incident.duckdb
    """
    from tracemap.intake import take_in
    from tracemap.self_trace import recording

    summary = Summary()
    with (
        recording(self_trace, "tracemap ingest", __version__),
        filled(db) as store,
        progress_line() as line,
    ):
        for taken in take_in(store, inputs, progress=line):
            line.close()
            summary.add(taken)
    summary.finish(str(db))


@contextmanager
def filled(db: Path) -> Iterator[Store]:
    """Open the database to take files in, made if it is not there; one that took none is removed.

    Raises:
        StoreError: If it cannot be opened or made.
    """
    from tracemap.store import Store

    # Decoding has the cores: threads of the database's own would only take turns with it.
    with Store.open(db, create=True, threads=1) as store:
        try:
            yield store
        finally:
            store.discard_unused()


LINES_MAX = 20
"""Files of which a line is said, where nothing is wrong with them."""


class Summary:
    """What became of the inputs, said on stderr: a line a file, and the sum.

    Beyond `LINES_MAX` files only what is wrong has a line: an archive may hold thousands.
    The sum is what these inputs added to the ledger; contents that were known added nothing.
    """

    def __init__(self) -> None:
        self._failed = 0
        self._sums: Counter[str] = Counter()
        self._holds_traces = False
        self._lines = self._unsaid = 0

    def add(self, taken: Taken) -> None:
        """Say what became of one file."""
        appended = taken.appended
        counts = {} if appended is None else _added(appended, is_named=taken.error is not None)
        self._sums.update(counts)
        if taken.error is not None:
            self._failed += 1
            _say(f"tracemap: {_visible_lines(str(taken.error))}")
        elif appended is None or appended.format == "unknown":
            self._note(f"{visible(taken.path)}: no trace file, left out")
        elif appended.format == "unreadable":
            _say(f"{visible(taken.path)}: cannot be read, left out")
        elif appended.known:
            self._holds_traces = True
            self._note(f"{visible(taken.path)}: known already, nothing to do")
        else:
            self._holds_traces |= any(counts[key] for key in ("spans", "duplicates", "skipped"))
            of_file = {key: count for key, count in counts.items() if key != "files"}
            said = f"{visible(taken.path)}: {appended.format}, {_counted(of_file)}"
            _say(said) if counts["rejected"] else self._note(said)

    def _note(self, text: str) -> None:
        """Say what nobody has to act on, as long as there is not too much of it."""
        if self._lines < LINES_MAX:
            self._lines += 1
            _say(text)
        else:
            self._unsaid += 1

    @property
    def is_failure(self) -> bool:
        """Whether an input could not be read, or none of those found holds a trace."""
        return bool(self._failed or (self._sums and not self._holds_traces))

    def finish(self, database: str) -> None:
        """Say the sum.

        Raises:
            typer.Exit: With the code of `InputError`, if a file that was named could not be read,
                or none of those found holds a trace; all were tried.
        """
        if self._unsaid:
            _say(f"... and {self._unsaid:,} more without a reject")
        if self._sums:
            _say(f"{visible(database)}: {_counted(self._sums)}")
        if self._sums["rejected"]:
            _say(f"what was rejected, and why: tracemap info --db {visible(database)}")
        if self.is_failure:
            raise typer.Exit(InputError.exit_code)


def _added(appended: Appended, *, is_named: bool) -> dict[str, int]:
    """Return what one file added to the ledger; one found that is no trace file, as left out."""
    if appended.known:
        return {"known": 1}
    if appended.format in ("unknown", "unreadable") and not is_named:
        return {"files": 1, "left_out": 1}
    return {
        "files": 1,
        "spans": appended.spans,
        "duplicates": appended.duplicates,
        "rejected": appended.rejected,
        "skipped": appended.skipped,
    }


def _counted(counts: dict[str, int]) -> str:
    """Return the counts in words; those of zero only where they are what one asks for."""
    words = {
        "files": ("file", "files"),
        "left_out": ("of them left out", "of them left out"),
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
    with suppress(BrokenPipeError):  # nobody listens; the work goes on
        typer.echo(text, err=True)
