"""The database: one DuckDB file with spans, facts and findings."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb

from tracemap.errors import StoreError
from tracemap.model import SECOND_NS, Window, iso
from tracemap.self_trace import stage
from tracemap.store import buckets as walk
from tracemap.store import dirty, facts, ledger, lookup, pruning, query
from tracemap.store.append import (
    Appended,
    append_file,
    append_parcel,
    known_file,
    known_files,
    unknown_files,
)
from tracemap.store.catalog import Catalog
from tracemap.store.connection import connect, make, raise_interruption

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence
    from types import TracebackType

    import polars as pl

    from tracemap.model import Facts, Ledger, Parcel, Reading, TraceBucket

DEFAULT_MEMORY_LIMIT = "1GB"
"""What DuckDB may hold in memory; the rest is spilled to a folder beside the database."""
DEFAULT_BUCKET_SPANS = 500_000
"""Spans that are derived at a time: about 50 MB of columns."""


def _shown(now: datetime | None) -> str:
    """Return the time to write down; None: the clock's."""
    return iso(int((now or datetime.now(UTC)).timestamp()) * SECOND_NS)


class Store:
    """A tracemap database. Use `Store.open`, in a ``with`` statement."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool, made: bool
    ) -> None:
        self._connection = connection
        self._catalog: Catalog | None = None
        self._open = False
        self._made = made
        self.path = path
        self.read_only = read_only

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        read_only: bool = False,
        create: bool = False,
        memory_limit: str = DEFAULT_MEMORY_LIMIT,
        threads: int | None = None,
    ) -> Store:
        """Open the database at `path`.

        Args:
            path: The DuckDB file.
            read_only: Several processes may read at the same time; a writer needs the file alone.
            create: Make the database if there is no file at `path`.
            memory_limit: For DuckDB alone, such as ``1GB``.
            threads: For DuckDB alone; None: one per core.

        Raises:
            StoreError: If the file is missing, is no tracemap database, was made by a newer
                tracemap, or is held by another process.
        """
        file = Path(path)
        try:
            made = create and not read_only and make(file)
            connection = connect(
                file, read_only=read_only, memory_limit=memory_limit, threads=threads
            )
        except RuntimeError as error:
            raise_interruption(error)
            raise
        return cls(connection, file, read_only=read_only, made=made)

    def close(self) -> None:
        """Write everything to the file and let go of it."""
        with stage("close database"):
            self._connection.close()

    def discard_unused(self) -> None:
        """Remove the file if opening made it and no file was taken in; then only `close` is left.

        It is removed while it is held: nobody else can have begun to use it.
        """
        if self._made and self.ledger().files.is_empty():
            with suppress(OSError):  # systems that do not let go of open files keep it
                self.path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        raise_interruption(error)

    def append(self, reading: Reading, *, now: datetime | None = None) -> Appended:
        """Take in one file: all of it or nothing.

        Bytes that were taken in before, under whatever name, are not taken in again.

        Args:
            reading: The file.
            now: What to write down as the time; None: the clock's.

        Raises:
            StoreError: If the database cannot be written.
            InputError: If `reading` raises it; nothing was stored then.
        """
        known = known_file(self._connection, reading)
        if known is not None:
            return known
        with self._transaction():
            appended = append_file(
                self._connection, self._known_rows(), reading, ingested_at=_shown(now)
            )
            if appended.known:
                self._roll_back()
        return appended

    def append_parcel(
        self, parcel: Parcel, *, now: datetime | None = None
    ) -> list[Appended | None]:
        """Take in some small files: each as by `append`, all of them or none.

        Args:
            parcel: The files.
            now: What to write down as the time; None: the clock's.

        Returns:
            What became of each file; None for those that have an error and are not known.

        Raises:
            StoreError: If the database cannot be written.
        """
        known = known_files(self._connection, [file.content_hash for file in parcel.files])
        found: dict[int, Appended] = {}
        wanted = unknown_files(parcel, known)
        if wanted:
            with self._transaction():
                added = append_parcel(
                    self._connection, self._known_rows(), parcel, wanted, ingested_at=_shown(now)
                )
            found = dict(zip(wanted, added, strict=True))
            known |= {each.content_hash: replace(each, known=True) for each in added}
        for number, file in enumerate(parcel.files):
            if number not in found and file.content_hash in known:
                found[number] = replace(known[file.content_hash], path=file.path)
        return [found.get(number) for number in range(len(parcel.files))]

    def _known_rows(self) -> Catalog:
        """Return the catalog, of the transaction that is open."""
        if self._catalog is None:
            self._catalog = Catalog(self._connection)
        return self._catalog

    def ledger(self) -> Ledger:
        """Return where every record went."""
        return ledger.ledger(self._connection)

    def covered(self) -> Window | None:
        """Return the time from the earliest start to just after the latest; None: no spans."""
        return ledger.covered(self._connection)

    def services(self) -> pl.DataFrame:
        """Return columns service, service_name, service_namespace, environment: each place once."""
        return ledger.services(self._connection)

    def nodes(self) -> list[tuple[str, str]]:
        """Return each node of the graph with ``service.name`` of its service, sorted."""
        return ledger.nodes(self._connection)

    def placed_peers(self) -> list[tuple[str, str]]:
        """Return each node that is named with its place, with its name without it, sorted."""
        return ledger.placed_peers(self._connection)

    def owners(self) -> dict[str, str]:
        """Return the owner of each service whose spans name one."""
        return ledger.owners(self._connection)

    def critical(self) -> frozenset[str]:
        """Return the services whose spans call them critical."""
        return ledger.critical(self._connection)

    def buckets(
        self,
        window: Window | Sequence[Window] | None = None,
        *,
        max_spans: int = DEFAULT_BUCKET_SPANS,
    ) -> Generator[TraceBucket]:
        """Yield all traces that start in `window`, whole, at most `max_spans` spans at a time.

        In order of their start. A trace larger than `max_spans` is a bucket of its own. Memory does
        not grow with the number of spans, and by 16 bytes a trace. Spans are as stored when the
        iteration began.

        Args:
            window: When the traces start; several windows: each trace comes once; None: all.
            max_spans: Size of a bucket.
        """
        cursor = self._connection.cursor()
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield from walk.buckets(cursor, window, max_spans=max_spans)
        finally:
            cursor.close()

    def spans_in(self, window: Window | Sequence[Window] | None = None) -> int:
        """Return how many spans `buckets` gives for `window`."""
        return walk.spans_in(self._connection, window)

    def spans_by_hour(self) -> pl.DataFrame:
        """Return columns ``hour_ns`` and ``spans``, by the hour in which traces start.

        A trace that came in parts from two hours counts, part by part, in both.
        """
        return walk.hours_with_traces(self._connection).select("hour_ns", "spans")

    def dirty_hours(self) -> list[Window]:
        """Return the hours whose facts are out of date, in order of time.

        An hour is out of date when a trace that starts in it got spans, moved its start into or out
        of it, gained the target of a link, or holds a service that now has another name.
        """
        return dirty.dirty_hours(self._connection)

    def replace_facts(self, hours: Sequence[Window], facts_of_hours: Facts) -> None:
        """Put `facts_of_hours` in the place of the stored facts of `hours`, which are then clean.

        Raises:
            ValueError: If there are facts of other hours among them.
            StoreError: If the database cannot be written.
        """
        with self._transaction():
            facts.replace_facts(self._connection, hours, facts_of_hours)

    def facts(self, name: str, window: Window | None = None) -> pl.DataFrame:
        """Return the rows of table `name` of `FACTS` whose cell starts in `window`; None: all.

        ``paths`` has no cells and comes whole.
        """
        return facts.stored_facts(self._connection, name, window)

    def rolled_up(
        self, name: str, windows: Sequence[Window], cell_ns: int, *, by_hash_bucket: bool = False
    ) -> pl.DataFrame:
        """Return the rows of table `name` of `FACTS` in `windows`, summed over wide cells.

        Args:
            name: A table whose rows have a cell and are sums.
            windows: Each is cut into cells from its own start.
            cell_ns: How wide they are.
            by_hash_bucket: Whether hash buckets stay apart; else all rows are in bucket 0.
        """
        return facts.rolled_up(
            self._connection, name, windows, cell_ns, by_hash_bucket=by_hash_bucket
        )

    def observed_minutes(self) -> pl.Series:
        """Return the starts of the minutes in which anything was observed, sorted."""
        return facts.observed_minutes(self._connection)

    def pruned_hours(self) -> list[Window]:
        """Return the hours whose spans were pruned, in order of time."""
        return pruning.pruned_hours(self._connection)

    def prune(self, window: Window) -> pruning.Pruned:
        """Delete the spans of traces in `window`, which is on full hours; their facts stay.

        Raises:
            ValueError: If facts of `window` are out of date.
            StoreError: If the database cannot be written.
        """
        with self._transaction():
            pruned = pruning.prune(self._connection, window)
        self._catalog = None
        self._connection.execute("CHECKPOINT")
        return pruned

    def replace_findings(self, recipe: str, tables: Mapping[str, pl.DataFrame]) -> None:
        """Put `tables` (by name, as `FINDINGS`) in the place of the findings of `recipe`.

        Raises:
            StoreError: If the database cannot be written.
        """
        with self._transaction():
            facts.replace_findings(self._connection, recipe, tables)

    def trace(self, trace_id: str) -> TraceBucket:
        """Return the trace whose id is or begins with `trace_id`, in hex.

        Raises:
            PipelineError: If `trace_id` is not hex, or several ids begin with it.
            NoDataError: If no stored id does.
        """
        return lookup.trace(self._connection, trace_id)

    def query(self, sql: str) -> pl.DataFrame:
        """Return the rows of one statement that reads; files are out of its reach.

        Raises:
            PipelineError: If the statement is refused, with DuckDB's message.
        """
        return query.query(self._connection, sql)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what is done inside, or undo all of it."""
        if self.read_only:
            raise StoreError(
                f"the database '{self.path}' was opened for reading only",
                where=str(self.path),
                hint="open it with read_only=False",
            )
        self._open = True
        self._connection.begin()
        try:
            yield
            if self._open:
                with stage("commit"):
                    self._connection.commit()
        except duckdb.OperationalError as error:
            self._roll_back()
            raise StoreError(
                f"cannot write to the database '{self.path}': {str(error).splitlines()[0]}",
                where=str(self.path),
                hint="nothing of this step was stored; check free disk space and permissions",
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        """Undo the transaction; what was numbered in it is forgotten as well."""
        self._catalog = None
        self._open = False
        with suppress(duckdb.Error):
            self._connection.rollback()
