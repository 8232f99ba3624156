"""Taking files in: each one found, read, and stored whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tracemap import ingest
from tracemap.errors import InputError
from tracemap.model import Batch, Reading
from tracemap.store import Appended, Store

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is (0: not known)."""


def silent(what: str, done: int, total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class Taken:
    """What became of one input: taken in, or not and why.

    Attributes:
        path: As shown to people.
        appended: What the store took; None: it could not be read.
        error: Why it could not be read, or why nothing in it could be taken; None: it was.
    """

    path: str
    appended: Appended | None = None
    error: InputError | None = None


def take_in(store: Store, inputs: Sequence[str], *, progress: Progress = silent) -> Iterator[Taken]:
    """Read each file of `inputs` into `store` and yield what became of it, in order.

    A file that cannot be read does not stop the others. Known contents are not stored again.

    Args:
        store: Writable.
        inputs: Files, folders, globs or ``-``.
        progress: Told which file is read, and how many of its spans were.
    """
    for each in ingest.in_parcels(_sources(inputs)):
        if isinstance(each, ingest.Parcel):
            yield from _parcel_taken(store, each, progress)
        elif isinstance(each, ingest.Source):
            yield _file_taken(store, each, progress)
        else:
            yield each


def _sources(inputs: Sequence[str]) -> Iterator[ingest.Source | Taken]:
    """Yield the files that `inputs` stand for, and what cannot be found."""
    for given in inputs:
        try:
            yield from ingest.find_inputs([given])
        except InputError as error:
            yield Taken(given, error=error)


def _file_taken(store: Store, source: ingest.Source, progress: Progress) -> Taken:
    try:
        with ingest.open_source(source) as reading:
            appended = store.append(_Watched(reading, progress))
    except InputError as error:
        return Taken(source.path, error=error)
    return Taken(source.path, appended, _nothing_taken(appended) if source.named else None)


def _parcel_taken(store: Store, parcel: ingest.Parcel, progress: Progress) -> Iterator[Taken]:
    more = f" and {len(parcel.files) - 1:,} more" if len(parcel.files) > 1 else ""
    progress(f"reading {parcel.files[0].path}{more}, spans", 0, 0)
    for file, appended in zip(parcel.files, store.append_parcel(parcel), strict=True):
        if appended is None:
            yield Taken(file.path, error=file.error)
        else:
            yield Taken(file.path, appended, _nothing_taken(appended) if file.named else None)


def _nothing_taken(appended: Appended) -> InputError | None:
    """Return the error for a file that was named and is rejected whole; None: it is not."""
    if appended.spans or appended.duplicates or not appended.rejected:
        return None
    return InputError(
        f"nothing in '{appended.path}' could be taken: {appended.rejected:,} rejected",
        where=appended.path,
        hint="tracemap info shows why, with the first bytes",
    )


class _Watched:
    """A reading that tells how far it got."""

    def __init__(self, reading: Reading, progress: Progress) -> None:
        self._reading = reading
        self._progress = progress

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._reading, name)

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of the reading."""
        what, done = f"reading {self._reading.path}, spans", 0
        self._progress(what, done, 0)
        for batch in self._reading.batches():
            done += batch.spans.height
            self._progress(what, done, 0)
            yield batch
