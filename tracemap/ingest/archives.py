"""Archives: their members, one after the other, read in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl
import xxhash

from tracemap.ingest.sources import shown_name
from tracemap.ingest.stored import Stored, stored_stream
from tracemap.ingest.streams import BrokenStreamError, Budget, joined, peeked, unpacked
from tracemap.ingest.tars import is_tar, tar_members
from tracemap.ingest.zips import is_zip, zip_chunks, zip_members
from tracemap.model import REJECTS, Batch

MEMBERS_MAX = 100_000
DEPTH_MAX = 3
SEPARATOR = "!"
_HEAD_BYTES = 512
_NAME_LENGTH_MAX = 200
_REASONS = {
    "link": "link_in_archive",
    "special": "special_in_archive",
    "sparse": "sparse_in_archive",
    "encrypted": "encrypted_member",
    "unknown_compression": "unknown_compression",
    "overlapping": "overlapping_members",
    "damaged": "corrupt_archive",
}
"""Why a member is not read, by what it is."""


@dataclass
class Notes:
    """What there is to say about an archive itself; see `tracemap.model.Reading`.

    Args:
        path: As shown to people.
        format: ``tar`` or ``zip``.
        size_bytes: What no file in it has of the archive's bytes is not counted: 0.
        content_hash: Hash of the names of all members and of what is noted, so far.
    """

    path: str
    format: str
    size_bytes: int = 0
    content_hash: str | None = None
    _rejects: list[tuple[int, str, int, str]] = field(default_factory=list)
    _digest: xxhash.xxh3_128 = field(default_factory=xxhash.xxh3_128)

    def see(self, number: int, name: str) -> None:
        """Note that a member is there."""
        self._seen(f"{self.format} {number} {name}")

    def reject(self, number: int, reason: str, name: str = "") -> None:
        """Note that a member (0: the archive) is not read, and why."""
        self._seen(f"{number} {reason}")
        self._rejects.append((number, reason, 1, name.replace("\0", "\ufffd")[:200]))

    def _seen(self, what: str) -> None:
        self._digest.update(f"{what}\n".encode("utf-8", "replace"))
        self.content_hash = self._digest.hexdigest()

    def __bool__(self) -> bool:
        """Return whether there is anything to say."""
        return bool(self._rejects)

    def identify(self) -> None:
        """Do nothing: the hash is known as far as anything is noted."""

    def batches(self) -> Iterator[Batch]:
        """Yield what was noted."""
        yield Batch(rejects=pl.DataFrame(self._rejects, schema=REJECTS.schema, orient="row"))


def archive_format(stored: Stored) -> tuple[str, Stored]:
    """Return ``tar``, ``zip`` or nothing, and the same bytes to be read from their start."""
    if stored.repeatable:
        return _format_of(stored.chunks()), stored
    raw, chunks = peeked(stored.chunks(), _HEAD_BYTES)
    return _format_of(iter((raw,))), Stored(
        stored.path, stored.named, lambda: chunks, repeatable=False, beside=stored.beside
    )


def _format_of(chunks: Iterator[bytes]) -> str:
    try:
        head, _ = peeked(unpacked(chunks), _HEAD_BYTES)
    except BrokenStreamError:
        return ""
    return "zip" if is_zip(head) else "tar" if is_tar(head) else ""


def members(stored: Stored, notes: Notes, budget: Budget) -> Iterator[Stored]:
    """Yield the files in an archive, in order; what is no file is noted.

    Each must be done with before the next one is asked for. Hidden files are passed over, as in
    folders.
    """
    found = _tar_files if notes.format == "tar" else _zip_files
    try:
        yield from found(stored, notes, budget)
    except BrokenStreamError as error:
        notes.reject(0, error.reason)


def _tar_files(stored: Stored, notes: Notes, budget: Budget) -> Iterator[Stored]:
    broken: list[str] = []
    for number, member in enumerate(tar_members(unpacked(stored.chunks(), budget)), 1):
        path = _noted(notes, number, member.name, member.sort)
        if path:
            yield stored_stream(path, _followed(member.chunks, broken))
        if broken:
            return  # the member says so


def _zip_files(stored: Stored, notes: Notes, budget: Budget) -> Iterator[Stored]:
    file = stored.file
    head, _ = peeked(stored.chunks(), _HEAD_BYTES) if stored.repeatable else (b"", None)
    if file is None or not is_zip(head):
        file = io.BytesIO(joined(unpacked(stored.chunks(), budget)))
    for number, member in enumerate(zip_members(file), 1):
        path = _noted(notes, number, member.name, member.sort)
        if path:
            yield stored_stream(path, budget.spent(zip_chunks(file, member.info)))


def _followed(chunks: Iterator[bytes], broken: list[str]) -> Iterator[bytes]:
    """Yield the chunks; if the stream breaks, note it, so that nobody reads on behind the break."""
    try:
        yield from chunks
    except BrokenStreamError as error:
        broken.append(error.reason)
        raise


def _noted(notes: Notes, number: int, name: str, sort: str) -> str:
    """Return how a member is shown if it is to be read; note what else there is to say.

    Raises:
        BrokenStreamError: ``too_many_members``
    """
    if number > MEMBERS_MAX:
        raise BrokenStreamError("too_many_members")
    notes.see(number, name)
    reason = _REASONS.get(sort)
    if reason is not None:
        notes.reject(number, reason, name)
    if sort != "file" or _is_hidden(name):
        return ""
    return f"{notes.path}{SEPARATOR}{shown_name(name.removeprefix('./')[:_NAME_LENGTH_MAX])}"


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))
