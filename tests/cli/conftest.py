"""One database of the sample hour, made once by the command line itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tracemap.__main__ import main

SAMPLES = Path(__file__).parents[2] / "sample_traces"


class Answer(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


Tracemap = Callable[..., Answer]


@pytest.fixture(scope="session")
def sample_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of the sample hour whose facts are derived; not to be written."""
    path = tmp_path_factory.mktemp("sample") / "sample.duckdb"
    assert main(["ingest", str(SAMPLES / "shop-hour"), "--db", str(path)]) == 0
    assert main(["info", "--db", str(path)]) == 0
    return path


@pytest.fixture
def database(sample_database: Path, tmp_path: Path) -> Path:
    """Return a copy of the sample database that a test may change."""
    copy = tmp_path / "tracemap.duckdb"
    shutil.copy(sample_database, copy)
    return copy


@pytest.fixture
def tracemap(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Tracemap:
    """Return a function that runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run
