"""From findings to files: the report of a run in three formats, and the demo."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from tracemap import pipeline
from tracemap import recipe as recipes
from tracemap.errors import InputError, PipelineError
from tracemap.model import Findings
from tracemap.pipeline import Progress, silent
from tracemap.report import Report, build
from tracemap.store import Store


def deliver(findings: Findings, folder: Path) -> tuple[Report, list[Path]]:
    """Write the report on `findings` into `folder` and return it with the paths written.

    Each file is written under another name and renamed: it is there whole, or not at all. An
    earlier report of the same recipe is replaced.

    Args:
        findings: See `pipeline.run`.
        folder: Made if it is not there.

    Raises:
        PipelineError: If the folder cannot be written.
    """
    report = build(findings)
    documents = {".html": report.html(), ".md": report.markdown(), ".json": report.json()}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, text in documents.items():
            path = folder / f"{findings.recipe}{ending}"
            unfinished = folder / f".{path.name}.writing"
            unfinished.write_text(text, encoding="utf-8", newline="\n")
            unfinished.replace(path)
            written.append(path)
    except OSError as error:
        raise PipelineError(
            f"the report cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            hint="choose another folder with --out",
        ) from error
    return report, written


def demo(folder: Path, *, progress: Progress = silent) -> Iterator[tuple[Report, list[Path]]]:
    """Read an hour of sample traces into a new database in `folder` and write each shipped report.

    Yields:
        For each recipe its report and the paths written.

    Raises:
        PipelineError: If the folder cannot be written.
        InputError: If the sample traces are not there.
    """
    database = folder / "tracemap.duckdb"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        database.unlink(missing_ok=True)
    except OSError as error:
        raise PipelineError(
            f"the demo cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            hint="choose another folder with --out",
        ) from error
    package = files("tracemap")
    shipped = package / "_sample_traces"
    samples = shipped if shipped.is_dir() else package / ".." / "sample_traces"
    with as_file(samples / "shop-hour") as inputs, Store.open(database, create=True) as store:
        if not inputs.is_dir():
            raise InputError("the sample traces are missing", where=str(inputs), hint="reinstall")
        for name in recipes.names():
            findings = pipeline.run(recipes.load(name), store, [str(inputs)], progress=progress)
            store.replace_findings(findings.recipe, findings.tables)
            yield deliver(findings, folder)
