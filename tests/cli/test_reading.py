"""Commands that read wait for a moment while another one has the database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from tests.cli.conftest import SAMPLES, Tracemap
from tracemap.cli import reading
from tracemap.store import Store

HOLD = """
import sys
from tracemap.store import Store
with Store.open(sys.argv[1], read_only=sys.argv[2] == "read"):
    print("open", flush=True)
    sys.stdin.read()
"""


def holding(database: Path, what: str) -> subprocess.Popen[str]:
    """Return a process that has the database open, to read or write, until its stdin ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


@pytest.fixture
def holder(database: Path) -> subprocess.Popen[str]:
    """Return a process that has the database open for writing until its stdin ends."""
    return holding(database, "write")


@pytest.mark.parametrize("verb", [["edges"], ["query", "SELECT 1"]])
def test_a_database_that_is_free_in_time_is_read(
    tracemap: Tracemap, database: Path, holder: subprocess.Popen[str], verb: list[str]
) -> None:
    """The wait is not even mentioned away from a terminal."""
    Timer(0.5, holder.communicate, [""]).start()
    answer = tracemap(*verb, "--db", database)

    assert answer.code == 0
    assert "in use" not in answer.err
    holder.wait()


def test_patience_ends(
    tracemap: Tracemap,
    database: Path,
    holder: subprocess.Popen[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever holds the database is named, and the exit code is 4."""
    monkeypatch.setattr(reading, "_PATIENCE_S", 0.3)
    answer = tracemap("info", "--db", database)
    pid = holder.pid
    holder.communicate("")

    assert answer.code == 4
    assert f"in use by process {pid}" in answer.err


def test_a_recipe_runs_while_others_read(tracemap: Tracemap, database: Path) -> None:
    """The report is written as ever; only the findings are not stored, which is said."""
    tracemap("run", "postmortem", "--db", database, "--out", "alone")
    reader = holding(database, "read")
    answer = tracemap("run", "postmortem", "--db", database, "--out", "beside")
    reader.communicate("")

    assert answer.code == 0
    (said,) = answer.err.splitlines()
    assert said.startswith("the findings were not stored: ")
    assert f"in use by process {reader.pid}" in said
    alone, beside = (Path(folder, "postmortem.html") for folder in ("alone", "beside"))
    assert beside.read_bytes() == alone.read_bytes()


@pytest.mark.parametrize("inputs", [[], [str(SAMPLES / "shop-hour" / "traces-1.jsonl.gz")]])
def test_a_recipe_with_something_to_store_needs_the_database_alone(
    tracemap: Tracemap, tmp_path: Path, inputs: list[str]
) -> None:
    """Files to take in, or facts that are out of date: nothing is written, and no report."""
    path = tmp_path / "stale.duckdb"
    tracemap("ingest", SAMPLES / "shop-quiet-hour", "--db", path)
    reader = holding(path, "read")
    answer = tracemap("run", "batch", *inputs, "--db", path)
    reader.communicate("")

    assert answer.code == 4
    assert f"in use by process {reader.pid}" in answer.err
    assert ("facts are out of date" in answer.err) == (not inputs)
    assert not Path("batch.html").exists()


@pytest.mark.slow
def test_two_commands_that_find_facts_out_of_date(tmp_path: Path) -> None:
    """One derives them, the other waits; both say the same."""
    path = tmp_path / "stale.duckdb"
    command = [sys.executable, "-m", "tracemap"]
    file = SAMPLES / "shop-hour" / "traces-1.jsonl.gz"
    subprocess.run([*command, "ingest", str(file), "--db", str(path)], check=True)
    both = [
        subprocess.Popen(
            [*command, "edges", "--format", "csv", "--db", str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    (one, one_err), (other, other_err) = (process.communicate() for process in both)

    assert [process.returncode for process in both] == [0, 0], one_err + other_err
    assert one == other
    assert len(one.splitlines()) > 1
    with Store.open(path, read_only=True) as store:
        assert store.dirty_hours() == []
