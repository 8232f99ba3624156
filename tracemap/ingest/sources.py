"""The inputs a user named, as a sorted list of files and objects."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracemap.errors import InputError
from tracemap.ingest.objects import find_objects, is_address

STANDARD_INPUT = "-"
_HINT = "name files, folders, patterns or addresses (s3://...) of traces, or - for standard input"


@dataclass(frozen=True)
class Source:
    """One thing to read.

    Attributes:
        path: As shown to people; ``-`` for standard input; the address of an object.
        named: The user named this very file. If it is no trace file that is an error; of files
            that were found in a folder or by a pattern it is only noted.
    """

    path: str
    named: bool = True


def shown_name(path: str) -> str:
    r"""Return a file's name as text that can be stored: bytes that are no UTF-8 become ``\xe9``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def find_inputs(inputs: Sequence[str]) -> list[Source]:
    """Return the files and objects that `inputs` stand for, each once.

    Args:
        inputs: Files; folders, which are searched to the bottom; patterns with ``*``, ``?``,
            ``[...]`` or ``**``; ``-`` for standard input; addresses of objects, of prefixes (which
            are like folders) or with patterns, see `objects`. Hidden files and folders (``.name``)
            are taken only if named themselves, and devices never. What comes from one folder or
            pattern is sorted.

    Raises:
        InputError: If there is no such file, a folder or pattern holds no file, or nothing is
            named at all.
    """
    if not inputs:
        raise InputError("no input was named", hint=_HINT)
    sources: dict[str, Source] = {}
    for text in inputs:
        for source in _sources(text):
            key = source.path
            if key != STANDARD_INPUT and not is_address(key):
                key = os.path.realpath(key)
            known = sources.get(key)
            if known is None or (source.named and not known.named):
                sources[key] = source
    return list(sources.values())


def _sources(text: str) -> list[Source]:
    path = Path(text)
    if text == STANDARD_INPUT:
        return [Source(text)]
    if is_address(text):
        return [Source(address, named=named) for address, named in find_objects(text)]
    if os.path.isdir(text):  # noqa: PTH112  (Path.is_dir raises where a folder may not be entered)
        found = [Source(name, named=False) for name in sorted(_files_below(path))]
        if not found:
            raise InputError(f"the folder {text!r} holds no files", where=text, hint=_HINT)
        return found
    if _may_exist(text):
        return [Source(text)]
    if glob.has_magic(text):
        return _matches(text)
    raise InputError(f"there is no file {text!r}", where=text, hint=_HINT)


def _may_exist(text: str) -> bool:
    """Return whether there is such a file, or nobody may know: opening it says why then."""
    try:
        os.stat(text)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _files_below(folder: Path) -> Iterator[str]:
    """Yield the files of a folder to its bottom, and folders that may not be listed.

    Reading such a folder fails as reading a file would, and is noted the same way.
    """
    closed: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=closed.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                yield str(path)
    yield from (str(error.filename) for error in closed)


def _matches(pattern: str) -> list[Source]:
    names: set[str] = set()
    for name in glob.glob(pattern, recursive=True):  # noqa: PTH207  (Path.glob refuses absolute patterns)
        if os.path.isdir(name):  # noqa: PTH112
            names.update(_files_below(Path(name)))
        elif os.path.isfile(name):  # noqa: PTH113
            names.add(name)
    if not names:
        raise InputError(f"no file matches {pattern!r}", where=pattern, hint=_HINT)
    return [Source(name, named=False) for name in sorted(names)]
