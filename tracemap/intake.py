"""Intake: files are found, read, and stored, each as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tracemap import ingest
from tracemap.errors import InputError
from tracemap.model import Batch, Reading
from tracemap.self_trace import stage
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
            yield from _source_taken(store, each, progress)
        else:
            yield each


def _sources(inputs: Sequence[str]) -> Iterator[ingest.Source | Taken]:
    """Yield the files that `inputs` stand for, and what cannot be found."""
    for given in inputs:
        try:
            yield from ingest.find_inputs([given])
        except InputError as error:
            yield Taken(given, error=error)


def _source_taken(store: Store, source: ingest.Source, progress: Progress) -> Iterator[Taken]:
    try:
        yield from _taken(store, source, progress)
    except InputError as error:
        yield Taken(source.path, error=error)


def _parcel_taken(store: Store, parcel: ingest.Parcel, progress: Progress) -> Iterator[Taken]:
    more = f" and {len(parcel.files) - 1:,} more" if len(parcel.files) > 1 else ""
    progress(f"reading {parcel.files[0].path}{more}, spans", 0, 0)
    with stage("ingest parcel", files=len(parcel.files)) as work:
        taken = list(zip(parcel.files, store.append_parcel(parcel), strict=True))
        work.note(spans=sum(appended.spans for _, appended in taken if appended is not None))
    for file, appended in taken:
        if appended is None:
            yield Taken(file.path, error=file.error)
        elif file.named and not _is_useful(appended):
            error = _nothing_taken(file.path, appended.rejected)
            yield Taken(file.path, appended, error)
        else:
            yield Taken(file.path, appended)


def _taken(store: Store, source: ingest.Source, progress: Progress) -> Iterator[Taken]:
    """Take in one source, which may be an archive of many files.

    If the user named it and nothing in it could be taken, the last one says so as an error.
    """
    waiting: list[Taken] = []
    useful = False
    rejected = 0
    with ingest.open_sources(source) as readings:
        try:
            for reading in readings:
                yield from waiting
                waiting = []
                with stage("ingest file", path=reading.path) as work:
                    appended = store.append(_Watched(reading, progress))
                    work.note(format=appended.format, bytes=appended.size_bytes)
                    work.note(spans=appended.spans, rejected=appended.rejected)
                useful |= _is_useful(appended)
                rejected += appended.rejected
                waiting = [Taken(reading.path, appended)]
        except InputError as error:
            waiting.append(Taken(source.path, error=error))
            useful = True
    if source.named and not useful:
        last = waiting.pop() if waiting else Taken(source.path)
        waiting.append(replace(last, error=_nothing_taken(source.path, rejected)))
    yield from waiting


def _is_useful(appended: Appended) -> bool:
    """Return whether anything of a file could be taken, or there was nothing to take."""
    return bool(appended.spans or appended.duplicates or not appended.rejected)


def _nothing_taken(path: str, rejected: int) -> InputError:
    """Return the error for what was named and is rejected whole."""
    return InputError(
        f"nothing in '{path}' could be taken: {rejected:,} rejected",
        where=path,
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
