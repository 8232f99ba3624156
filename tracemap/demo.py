"""The main job on the sample traces: what `tracemap demo` does."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

from tracemap import pipeline
from tracemap import recipe as recipes
from tracemap.errors import InputError, PipelineError
from tracemap.intake import Progress, silent
from tracemap.report import Report, build
from tracemap.store import Store

SAMPLE = "shop-hour"
"""An hour of a web shop with two faults; the truth stands beside it."""


def demo(folder: Path, *, progress: Progress = silent) -> Iterator[tuple[Report, list[Path]]]:
    """Read the sample hour into a new database in `folder` and write each shipped report.

    Args:
        folder: Made if it is not there; a database and reports of an earlier demo are replaced.
        progress: Told how far it got.

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
    with as_file(samples / SAMPLE) as inputs, Store.open(database, create=True) as store:
        if not inputs.is_dir():
            raise InputError(
                "the sample traces are missing", where=str(inputs), hint="install tracemap again"
            )
        for name in recipes.names():
            findings = pipeline.run(
                recipes.load(name), store, [str(inputs.resolve())], progress=progress
            )
            store.replace_findings(findings.recipe, findings.tables)
            report = build(findings)
            yield report, report.write(folder)
