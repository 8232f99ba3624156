"""A disk that is full or may not be written to: a message, and the database as it was."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest.writers import framed, traces
from tests.store.many_spans import ManySpans
from tracemap.errors import StoreError
from tracemap.store import Store

LIMITED = """
import resource, signal, sys
from tracemap.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = ["tracemap", *sys.argv[2:]]
sys.exit(main())
"""
UNPRIVILEGED = """
import os, sys
from tests.store.many_spans import ManySpans
from tracemap.errors import StoreError
from tracemap.store import Store
with Store.open(sys.argv[1], create=True) as store:  # imports all that is needed
    store.append(ManySpans(1, 100))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with Store.open(sys.argv[2], create=True) as store:
        store.append(ManySpans(1, 100))
except StoreError as error:
    print(error.exit_code, error)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own are for one user."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def database(path: Path) -> Path:
    with Store.open(path, create=True) as store:
        store.append(ManySpans(0, 1000))
    return path


def trace_file(path: Path) -> Path:
    spans = [
        {"trace": 1 << 90, "span": number, "attributes": {"n": str(number * 7)}}
        for number in range(1, 3001)
    ]
    path.write_bytes(framed(traces(*spans).SerializeToString()))
    return path


def tracemap(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def spans_in(path: Path) -> int:
    with Store.open(path, read_only=True) as store:
        return int(store.query("SELECT count(*) FROM spans").item())


@pytest.mark.slow
@pytest.mark.parametrize("room_bytes", [1_000, 60_000])
def test_disk_is_full(folder: Path, room_bytes: int) -> None:
    """The file is not taken in, what was stored before is there, and with room it works."""
    pytest.importorskip("resource", reason="only POSIX can forbid a process to write more")
    path, source = database(folder / "t.duckdb"), trace_file(folder / "a.pb")
    with_room = tracemap(LIMITED, 1 << 40, "ingest", source, "--db", folder / "other.duckdb")
    assert with_room.returncode == 0  # and what is compiled is cached: that needs room too
    answer = tracemap(LIMITED, room_bytes, "ingest", source, "--db", path)

    assert answer.returncode == 4
    assert f"cannot write to the database '{path}'" in answer.stderr
    assert "free disk space" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert spans_in(path) == 1000

    answer = tracemap(LIMITED, 1 << 30, "ingest", source, "--db", path)
    assert answer.returncode == 0
    assert spans_in(path) == 4000


@pytest.mark.slow
def test_database_may_not_be_written(folder: Path, tmp_path: Path) -> None:
    """It says so, and reading it goes on working."""
    path = database(folder / "t.duckdb")
    path.chmod(0o444)
    folder.chmod(0o555)
    before = path.read_bytes()
    answer = tracemap(UNPRIVILEGED, tmp_path / "other.duckdb", path)

    assert answer.stdout.startswith(f"4 cannot open the database '{path}'"), answer
    assert "Permission denied" in answer.stdout
    assert path.read_bytes() == before
    folder.chmod(0o755)
    assert spans_in(path) == 1000


@pytest.mark.slow
def test_folder_may_not_be_entered(folder: Path, tmp_path: Path) -> None:
    """Whether there is a database cannot be known: that is a message too, never a traceback."""
    path = database(folder / "t.duckdb")
    folder.chmod(0o000)
    answer = tracemap(UNPRIVILEGED, tmp_path / "other.duckdb", path)
    folder.chmod(0o755)

    assert answer.stdout.startswith(f"4 cannot open the database '{path}'"), answer
    assert "Permission denied" in answer.stdout
    assert spans_in(path) == 1000


def test_a_name_that_is_too_long() -> None:
    """What the system says of it is the message."""
    with pytest.raises(StoreError, match=r"cannot open .*File name too long"):
        Store.open("n" * 300, create=True)


@pytest.mark.slow
def test_folder_of_a_new_database_may_not_be_written(folder: Path, tmp_path: Path) -> None:
    """Nothing is made, nothing is left behind."""
    folder.chmod(0o555)
    answer = tracemap(UNPRIVILEGED, tmp_path / "other.duckdb", folder / "t.duckdb")
    folder.chmod(0o755)

    assert answer.stdout.startswith("4 cannot"), answer
    assert "t.duckdb" in answer.stdout
    assert list(folder.iterdir()) == []
