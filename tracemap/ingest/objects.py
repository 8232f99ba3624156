"""Objects in stores, by address: S3, Google Cloud Storage, Azure; read as streams.

Who may read them, and where the store is, is taken from the environment, as by the stores' own
tools: of S3 ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_SESSION_TOKEN``,
``AWS_PROFILE``, ``AWS_REGION``, ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL``, and
``AWS_SKIP_SIGNATURE=true`` for public ones; of Google ``GOOGLE_APPLICATION_CREDENTIALS`` and
``STORAGE_EMULATOR_HOST``; of Azure ``AZURE_STORAGE_ACCOUNT`` and ``AZURE_STORAGE_KEY`` or
``AZURE_STORAGE_SAS_TOKEN``, else what ``az login`` left.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cache
from typing import TypeVar

from pyarrow import ArrowException
from pyarrow.fs import (
    AwsStandardS3RetryStrategy,
    AzureFileSystem,
    FileInfo,
    FileSelector,
    FileSystem,
    GcsFileSystem,
    S3FileSystem,
    resolve_s3_region,
)

from tracemap.errors import InputError
from tracemap.ingest.stored import OpenFile

Answer = TypeVar("Answer")

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_STORES = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "abfs": "abfs", "abfss": "abfs"}
_MAGIC = re.compile(r"[*?\[]")
_PARAMETER = re.compile(r"[?&#][A-Za-z][A-Za-z0-9_.-]*=")
_AWS_ERROR = re.compile(r"AWS Error ([A-Z][A-Z_]+)")
_WORDS = (
    (re.compile(r"access token|[Cc]redential|get token"), "no credentials were found for it"),
    (re.compile(r"UNAVAILABLE|[Cc]ould ?n.t (?:connect|resolve)"), "the store does not answer"),
)
"""What stores other than Amazon's say, and what that means; the first one that fits holds."""
_WAIT_SECONDS = 20
_BESIDE_BYTES_MAX = 1 << 20
_TRUE = ("1", "true", "yes")
_HINT = "addresses look like s3://bucket/folder/file, gs://bucket/... or abfs://container/..."
_HINTS = {
    "s3": "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE, AWS_REGION and, for"
    " stores that are not Amazon's, AWS_ENDPOINT_URL",
    "gs": "check GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
    "abfs": "check AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or run az login",
}


def is_address(text: str) -> bool:
    """Return whether `text` is an address (``scheme://...``), of a store we know or not."""
    return _ADDRESS.match(text) is not None


def find_objects(address: str) -> list[tuple[str, bool]]:
    """Return the addresses of the objects that `address` stands for, and whether it names them.

    An address that is a prefix stands for all below it, as a folder does; ``*``, ``?``, ``[...]``
    and ``**`` work as in patterns for files. Objects with a part that starts with a dot are left
    out unless named themselves.

    Raises:
        InputError: If there is none, or the store cannot be asked; if the address holds secrets,
            which are not repeated, or no store we know.
    """
    store, path = _split(address)
    system, problem = _system(store, address)
    if _MAGIC.search(path):
        found = _matches(system, path, address, problem)
    else:
        info = _told(lambda: system.get_file_info(path), problem)
        if info.is_file:
            return [(address, True)]
        found = _below(system, path, problem) if info.type.name == "Directory" else []
    if not found:
        raise InputError(f"there is no object {address!r}", where=address, hint=_HINTS[store])
    start = address.split("://", 1)[0]
    return [(f"{start}://{name}", False) for name in sorted(found)]


def open_object(address: str) -> OpenFile:
    """Open an object that `find_objects` gave; its bytes come as they are read.

    Raises:
        InputError: If it cannot be opened.
    """
    store, path = _split(address)
    system, problem = _system(store, address)
    file = _told(lambda: system.open_input_file(path), problem)
    return OpenFile(address, file, lambda _path, error: problem(error))


def object_beside(address: str, name: str) -> bytes | None:
    """Return what is in the small object `name` of the same folder; None: there is none."""
    other = f"{address.rpartition('/')[0]}/{name}"
    store, path = _split(other)
    system, problem = _system(store, other)
    info = _told(lambda: system.get_file_info(path), problem)
    if not info.is_file or info.size > _BESIDE_BYTES_MAX:
        return None
    with open_object(other) as file:
        return file.read()


def _split(address: str) -> tuple[str, str]:
    """Return which store an address is of, and the path in it.

    Raises:
        InputError: If we know no such store, or the address holds what does not belong there.
    """
    scheme, _, rest = address.partition("://")
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    store = _STORES.get(scheme.lower(), "")
    is_azure = store == "abfs" and ":" not in user
    if (at and not is_azure) or _PARAMETER.search(rest):
        shown = f"{scheme}://{host or place}{slash}{path}"
        shown = shown[: found.start()] if (found := _PARAMETER.search(shown)) else shown
        raise InputError(
            f"the address {shown!r} came with credentials or parameters in it; they are not used",
            where=shown,
            hint=_HINTS.get(store, _HINT),
        )
    if not store or not (user or host):
        raise InputError(f"there is no store for {address!r}", where=address, hint=_HINT)
    bucket = user if is_azure and at else host
    return store, f"{bucket}/{path}".rstrip("/")


class _Problem:
    """Makes of what a store says something for people, without any secret that it repeats."""

    def __init__(self, store: str, address: str) -> None:
        self._store = store
        self._address = address

    def __call__(self, error: Exception) -> InputError:
        """Return the error to show."""
        said = _AWS_ERROR.search(str(error))
        words = (why for pattern, why in _WORDS if pattern.search(str(error)))
        why = said[1].replace("_", " ").lower() if said else next(words, type(error).__name__)
        if isinstance(error, FileNotFoundError):
            why = "there is no such object"
        elif isinstance(error, PermissionError):
            why = "access denied"
        return InputError(
            f"cannot read {self._address!r}: {why}",
            where=self._address,
            hint=_HINTS[self._store],
        )


def _told(ask: Callable[[], Answer], problem: _Problem) -> Answer:
    """Return the answer of a store.

    Raises:
        InputError: If there is none.
    """
    try:
        return ask()
    except (OSError, ValueError, ArrowException) as error:
        raise problem(error) from None  # what the store said may repeat a secret


def _system(store: str, address: str) -> tuple[FileSystem, _Problem]:
    problem = _Problem(store, address)
    if store == "s3":
        return _told(lambda: _s3(_bucket(address), _settings("AWS_")), problem), problem
    if store == "gs":
        return _told(lambda: _google(_settings("STORAGE_")), problem), problem
    account = re.match(r"[^/]+//[^@/]+@([^./]+)", address)
    settings = _settings("AZURE_")
    name = account[1] if account else dict(settings).get("AZURE_STORAGE_ACCOUNT", "")
    if not name:
        raise InputError(
            f"no storage account is known for {address!r}", where=address, hint=_HINTS[store]
        )
    return _told(lambda: _azure(name, settings), problem), problem


def _settings(prefix: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith(prefix) and v))


def _bucket(address: str) -> str:
    return address.partition("://")[2].partition("/")[0]


@cache
def _s3(bucket: str, settings: tuple[tuple[str, str], ...]) -> FileSystem:
    said = dict(settings)
    endpoint = said.get("AWS_ENDPOINT_URL_S3") or said.get("AWS_ENDPOINT_URL")
    region = said.get("AWS_REGION") or said.get("AWS_DEFAULT_REGION")
    if region is None and endpoint is None:
        region = resolve_s3_region(bucket)
    return S3FileSystem(
        anonymous=said.get("AWS_SKIP_SIGNATURE", "").lower() in _TRUE,
        region=region,
        endpoint_override=endpoint,
        connect_timeout=_WAIT_SECONDS,
        request_timeout=_WAIT_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=3),
    )


@cache
def _google(settings: tuple[tuple[str, str], ...]) -> FileSystem:
    emulator = dict(settings).get("STORAGE_EMULATOR_HOST")
    wait = timedelta(seconds=_WAIT_SECONDS)
    if emulator is None:
        return GcsFileSystem(retry_time_limit=wait)
    scheme, _, host = emulator.rpartition("://")
    return GcsFileSystem(
        anonymous=True, scheme=scheme or "http", endpoint_override=host, retry_time_limit=wait
    )


@cache
def _azure(account: str, settings: tuple[tuple[str, str], ...]) -> FileSystem:
    said = dict(settings)
    key, token = said.get("AZURE_STORAGE_KEY"), said.get("AZURE_STORAGE_SAS_TOKEN")
    return AzureFileSystem(account, account_key=key, sas_token=None if key else token)


def _below(system: FileSystem, path: str, problem: _Problem) -> list[str]:
    """Return the paths of all objects below a prefix."""
    infos: list[FileInfo] = _told(
        lambda: system.get_file_info(FileSelector(path, recursive=True)), problem
    )
    start = len(path) + 1
    return [info.path for info in infos if info.is_file and not _is_hidden(info.path[start:])]


def _matches(system: FileSystem, pattern: str, address: str, problem: _Problem) -> list[str]:
    """Return the paths of objects that match a pattern, or lie below a prefix that does."""
    parts = pattern.split("/")
    fixed = next(number for number, part in enumerate(parts) if _MAGIC.search(part))
    if fixed == 0:
        raise InputError(f"no bucket is named in {address!r}", where=address, hint=_HINT)
    base = "/".join(parts[:fixed])
    info = _told(lambda: system.get_file_info(base), problem)
    if info.type.name != "Directory":
        return []
    found = []
    for path in _below(system, base, problem):
        names = path.split("/")
        if any(_fits(names[fixed:end], parts[fixed:]) for end in range(fixed + 1, len(names) + 1)):
            found.append(path)
    return found


def _fits(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path match those of a pattern; ``**`` is any number of them."""
    if not pattern:
        return not names
    if pattern[0] == "**":
        return any(_fits(names[skipped:], pattern[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], pattern[0]) and _fits(names[1:], pattern[1:])


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))
