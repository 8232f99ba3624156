"""The main job on the sample traces: what `tracemap demo` does."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from tracemap import pipeline
from tracemap import recipe as recipes
from tracemap.errors import InputError, PipelineError
from tracemap.intake import Progress, silent
from tracemap.report import Report, build
from tracemap.store import Store

SAMPLE = "shop-hour"
"""An hour of a web shop with two faults; the truth stands beside it."""
SAMPLES = {"weekly": "eight-weeks"}
"""Recipes that need another sample, in a database of its own: eight weeks with a drift."""


def demo(folder: Path, *, progress: Progress = silent) -> Iterator[tuple[Report, list[Path]]]:
    """Read the samples into new databases in `folder` and write each shipped report.

    Args:
        folder: Made if it is not there; databases and reports of an earlier demo are replaced.
        progress: Told how far it got.

    Yields:
        For each recipe its report and the paths written.

    Raises:
        PipelineError: If the folder cannot be written.
        InputError: If the sample traces are not there.
    """
    by_sample: dict[str, list[str]] = {}
    for name in recipes.names():
        by_sample.setdefault(SAMPLES.get(name, SAMPLE), []).append(name)
    for sample, names in by_sample.items():
        database = folder / ("tracemap.duckdb" if sample == SAMPLE else f"{sample}.duckdb")
        _clear(folder, database)
        with as_file(_samples() / sample) as inputs, Store.open(database, create=True) as store:
            if not inputs.is_dir():
                raise InputError(
                    "the sample traces are missing",
                    where=str(inputs),
                    hint="install tracemap again",
                )
            for name in names:
                findings = pipeline.run(
                    recipes.load(name), store, [str(inputs.resolve())], progress=progress
                )
                store.replace_findings(findings.recipe, findings.tables)
                report = build(findings)
                yield report, report.write(folder)


def _samples() -> Traversable:
    """Return the folder of the sample traces (wheel or checkout)."""
    package = files("tracemap")
    shipped = package / "_sample_traces"
    return shipped if shipped.is_dir() else package / ".." / "sample_traces"


def _clear(folder: Path, database: Path) -> None:
    """Make the folder, and remove the database of an earlier demo."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        database.unlink(missing_ok=True)
    except OSError as error:
        raise PipelineError(
            f"the demo cannot be written: {error.strerror}",
            where=str(error.filename or folder),
            hint="choose another folder with --out",
        ) from error
