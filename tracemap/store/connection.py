"""Open the database file: make it, recognise it, or say why not."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING

import duckdb

import tracemap
from tracemap.errors import StoreError
from tracemap.store.schema import APPLICATION, SCHEMA_VERSION, create_schema
from tracemap.store.upgrade import upgrade

if TYPE_CHECKING:
    from pathlib import Path

_NOT_DUCKDB = re.compile(r"not a valid DuckDB|Could not read enough bytes|Is a directory")
_HOLDER = re.compile(r"PID (\d+)")
_LEFT_BEHIND_S = 600
"""A database is made in a second; one still unfinished after this long was left by a crash."""


class InUseError(StoreError):
    """Another process holds the database; it may have finished a moment later."""


class OutdatedError(StoreError):
    """An earlier tracemap made the database; opened for writing, it is brought up to date."""


def raise_interruption(error: BaseException | None) -> None:
    """Raise `KeyboardInterrupt` if `error` is what DuckDB raises in its place.

    It asks the interpreter for signals while it works, and gives up with an error of this text.
    """
    if type(error) is RuntimeError and str(error) == "Query interrupted":
        raise KeyboardInterrupt from error


def connect(
    path: Path, *, read_only: bool, memory_limit: str, threads: int | None
) -> duckdb.DuckDBPyConnection:
    """Return a connection to the tracemap database at `path`.

    A database of an earlier version is brought up to date first, if it may be written.

    The connection can reach no other file (``enable_external_access`` is off and locked), so no
    query that is run through it can either. What does not fit in `memory_limit` is spilled to
    ``<path>.tmp`` beside it.

    Args:
        path: The database.
        read_only: Take a shared lock; writing raises.
        memory_limit: For DuckDB alone, such as ``1GB``.
        threads: For DuckDB alone; None: one per core.

    Raises:
        StoreError: If there is no such file, it is not a tracemap database, a newer tracemap made
            it, an earlier one did and it is only to be read, or another process holds it.
    """
    if not _exists(path):
        raise StoreError(
            f"there is no database '{path}'",
            where=str(path),
            hint=f"make one with: tracemap ingest INPUT... --db {path}",
        )
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": f"{path}.tmp",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # Each group of rows is packed when it is full, while the next blocks are decoded, and not
        # five of them at a time, for which everybody would have to wait.
        "write_buffer_row_group_count": 1,
    }
    if threads is not None:
        config["threads"] = threads
    connection = _open(path, read_only=read_only, config=config)
    try:
        version = _version(connection, path)
        if version < SCHEMA_VERSION:
            if read_only:
                raise _outdated(path, version)
            upgrade(connection, version, created_by=tracemap.__version__)
    except StoreError:
        connection.close()
        raise
    _lock_configuration(connection)
    return connection


def _lock_configuration(connection: duckdb.DuckDBPyConnection) -> None:
    """Cut the connection off from all other files, for good.

    Connections of one process to one file share their configuration: it may be locked already.
    """
    ((locked,),) = connection.sql("SELECT current_setting('lock_configuration')").fetchall()
    if not locked:
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def make(path: Path) -> bool:
    """Make an empty database at `path`, and return whether it was this call that made it.

    It is made under a name of its own and moved: it exists whole or not at all. Where another
    process makes the same one meanwhile, the first one stays.

    Raises:
        StoreError: If no file can be made there.
    """
    if _exists(path):
        return False
    if not path.parent.is_dir():
        raise StoreError(
            f"cannot make the database '{path}': its folder does not exist",
            where=str(path.parent),
            hint=f"make it with: mkdir -p {path.parent}",
        )
    unfinished = path.with_name(f"{path.name}.{token_hex(4)}.creating")
    _remove_left_behind(path)
    try:
        with _open(unfinished, read_only=False, config={}) as connection:
            create_schema(connection, created_by=tracemap.__version__)
        return _publish(unfinished, path)
    except OSError as error:
        raise StoreError(
            f"cannot make the database '{path}': {error.strerror}",
            where=str(path),
            hint="choose another place with --db",
        ) from error
    finally:
        for left in (unfinished, unfinished.with_name(f"{unfinished.name}.wal")):
            left.unlink(missing_ok=True)


def _exists(path: Path) -> bool:
    """Return whether there is a file; raise where this account may not even ask."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(
            f"cannot open the database '{path}': {error.strerror}",
            where=str(path),
            hint="choose another place with --db",
        ) from error
    return True


def _publish(unfinished: Path, path: Path) -> bool:
    """Give `unfinished` the name `path`, unless there is a file of that name; return whether."""
    try:
        os.link(unfinished, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        unfinished.rename(path)
    return True


def _remove_left_behind(path: Path) -> None:
    """Remove what killed processes left of databases of this name."""
    names = re.compile(rf"{re.escape(path.name)}\.([0-9a-f]+\.)?creating(\.wal)?")
    with suppress(OSError):  # a courtesy: nothing depends on it
        for left in path.parent.iterdir():
            if names.fullmatch(left.name) and time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
                left.unlink()


def _open(
    path: Path, *, read_only: bool, config: dict[str, str | bool | int | float | list[str]]
) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.Error as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: duckdb.Error) -> StoreError:
    message = str(error).splitlines()[0]
    if "Could not set lock" in message:
        holder = _HOLDER.search(message)
        who = f"process {holder[1]}" if holder else "another process"
        return InUseError(
            f"the database '{path}' is in use by {who}",
            where=str(path),
            hint="wait until it has finished, or close the program that has it open",
        )
    if _NOT_DUCKDB.search(message):
        return StoreError(
            f"'{path}' is not a DuckDB database",
            where=str(path),
            hint="choose another file with --db; this one was left as it is",
        )
    return StoreError(
        f"cannot open the database '{path}': {message}",
        where=str(path),
        hint="choose another file with --db, or build a new one from the trace files",
    )


def _outdated(path: Path, version: int) -> OutdatedError:
    return OutdatedError(
        f"the database '{path}' was made by an earlier tracemap: schema {version}, and this one"
        f" ({tracemap.__version__}) needs {SCHEMA_VERSION}",
        where=f"{path}, table meta",
        hint=f"bring it up to date, nothing in it is lost: tracemap info --db {path}",
    )


def _version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the schema version of a database of ours, this one's at most."""
    try:
        rows = connection.sql(
            "SELECT application, schema_version, created_by FROM main.meta"
        ).fetchall()
    except duckdb.Error:
        rows = []
    if not rows or rows[0][0] != APPLICATION:
        raise StoreError(
            f"'{path}' is a DuckDB database, but not one of tracemap",
            where=str(path),
            hint="choose another file with --db; this one was left as it is",
        )
    _, version, created_by = rows[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the database '{path}' was made by tracemap {created_by}, which is newer than this"
            f" one ({tracemap.__version__}): schema {version}, known up to {SCHEMA_VERSION}",
            where=f"{path}, table meta",
            hint="upgrade with: pip install --upgrade otel-tracemap",
        )
    return int(version)
