"""Facts that are up to date: derived where spans came since, before anything is read from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracemap import engine
from tracemap.intake import Progress, silent
from tracemap.pipeline.pruning import prunable
from tracemap.store import InUseError, OutdatedError, Pruned, Store


def bring_up_to_date(store: Store, *, progress: Progress = silent) -> None:
    """Derive the facts of every hour that got new spans; nothing to do is the usual case."""
    if store.dirty_hours():
        engine.update(store, progress=progress)


@contextmanager
def up_to_date(path: Path, *, progress: Progress = silent) -> Iterator[Store]:
    """Open the database for reading, its facts up to date.

    It is opened for writing only where facts have to be derived first, or its schema is an earlier
    one, so that many can read one database at a time.

    Raises:
        StoreError: If it cannot be opened, or facts are missing and it cannot be written.
    """
    try:
        opened = Store.open(path, read_only=True)
    except OutdatedError:
        pass
    else:
        with opened as store:
            if not store.dirty_hours():
                yield store
                return
    try:
        writable = Store.open(path)
    except InUseError as error:
        raise InUseError(
            f"{error.what}, and its facts are out of date: deriving them needs it alone",
            where=error.where,
            hint=error.hint,
        ) from error
    with writable as store:
        bring_up_to_date(store, progress=progress)
    with Store.open(path, read_only=True) as store:
        yield store


def prune(store: Store, keep_ns: int, *, progress: Progress = silent) -> Pruned | None:
    """Delete spans older than `keep_ns` before the end of the data; their facts stay, and right.

    Facts are derived first wherever they are out of date. None: nothing is that old.
    """
    bring_up_to_date(store, progress=progress)
    window = prunable(store, keep_ns)
    return None if window is None else store.prune(window)
