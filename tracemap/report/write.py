"""Reports on disk, written under another name and renamed, so that nobody reads half a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tracemap.errors import PipelineError


def write(folder: Path, name: str, documents: Mapping[str, str | bytes]) -> list[Path]:
    """Write each document as ``folder/<name><ending>`` and return the paths, in that order.

    The folder is made where it does not exist. A report of that name is replaced.

    Args:
        folder: Where to.
        name: Name of the recipe; what does not belong into a file name becomes ``-``.
        documents: Text or bytes by ending (``.html``).

    Raises:
        PipelineError: If the folder cannot be written to.
    """
    stem = re.sub(r"[^\w.-]+", "-", name).strip(".-") or "report"
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, content in documents.items():
            path = folder / f"{stem}{ending}"
            part = folder / f".{stem}{ending}.part"
            try:
                part.write_bytes(content.encode() if isinstance(content, str) else content)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            written.append(path)
    except OSError as error:
        raise PipelineError(
            f"the report cannot be written: {error.strerror or error}",
            where=str(error.filename or folder),
            hint="choose another folder with --out",
        ) from error
    return written
