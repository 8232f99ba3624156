"""A database is made whole, known as ours, and left alone when it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import duckdb
import pytest

from tests.builders import reading, span
from tracemap.errors import StoreError
from tracemap.store import Store, connection

MAKE = """
import sys
from tracemap.store import InUseError, Store
print("ready", flush=True)
sys.stdin.readline()
try:
    with Store.open(sys.argv[1], create=True):
        print("made", flush=True)
        sys.stdin.readline()
except InUseError:
    print("in use", flush=True)
    sys.stdin.readline()
"""

HOLD = """
import sys
from tracemap.store import Store
with Store.open(sys.argv[1], read_only=sys.argv[2] == "read"):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spans.duckdb"


def refused(path: Path, *, create: bool = False) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store.open(path, create=create)
    assert caught.value.exit_code == 4
    assert caught.value.where
    assert caught.value.hint
    return caught.value


def test_missing_database(path: Path) -> None:
    """Nothing is made unless asked for; the hint says how to make one."""
    error = refused(path)

    assert "there is no database" in error.what
    assert "tracemap ingest" in error.hint
    assert not path.exists()


def test_folder_of_a_new_database_is_missing(tmp_path: Path) -> None:
    """Folders are not made on the quiet."""
    assert "folder" in refused(tmp_path / "nowhere" / "t.duckdb", create=True).what


def test_folder_instead_of_a_database(tmp_path: Path) -> None:
    """A folder is no database."""
    assert "not a DuckDB database" in refused(tmp_path, create=True).what


@pytest.mark.parametrize("content", [b"", b"{}" * 5000], ids=["empty", "text"])
def test_file_that_is_not_duckdb(path: Path, content: bytes) -> None:
    """Somebody else's file is refused and not touched."""
    path.write_bytes(content)

    assert "not a DuckDB database" in refused(path, create=True).what
    assert path.read_bytes() == content


def test_truncated_database(path: Path) -> None:
    """A copy that was cut short is refused with a message, not with a traceback."""
    Store.open(path, create=True).close()
    path.write_bytes(path.read_bytes()[:5000])

    refused(path)


def test_duckdb_file_of_another_program(path: Path) -> None:
    """Any other DuckDB file is refused, even when it has a table `meta`."""
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE meta (key VARCHAR, value VARCHAR)")

    assert "not one of tracemap" in refused(path, create=True).what


def test_newer_database(path: Path) -> None:
    """A database of a later version is refused rather than misread."""
    Store.open(path, create=True).close()
    with duckdb.connect(str(path)) as later:
        later.execute("UPDATE meta SET schema_version = 999, created_by = '9.0'")

    error = refused(path)
    assert "tracemap 9.0" in error.what
    assert "upgrade" in error.hint


def test_interrupted_creation_is_made_up_for(path: Path) -> None:
    """What a killed process left of a new database is thrown away, and the next one makes it."""
    left = path.with_name(f"{path.name}.4711.creating")
    left.write_bytes(b"half a header")
    os.utime(left, (0, 0))

    with Store.open(path, create=True) as store:
        assert store.ledger().spans == 0
    assert list(path.parent.iterdir()) == [path]


def test_creation_by_another_process_is_left_alone(path: Path) -> None:
    """What somebody else is about to make is not taken away."""
    theirs = path.with_name(f"{path.name}.4711.creating")
    theirs.write_bytes(b"half a header")

    Store.open(path, create=True).close()
    assert theirs.read_bytes() == b"half a header"


@pytest.mark.slow
def test_a_new_database_that_many_make_at_once_is_made_once(path: Path) -> None:
    """One has it, the others are told that it is in use; nobody fails in any other way."""
    command = [sys.executable, "-c", MAKE, str(path)]
    makers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    said = []
    for maker in makers:
        assert maker.stdout is not None
        said.append(maker.stdout.readline())
    for maker in makers:
        maker.communicate("stop\n")

    assert said.count("made\n") == 1
    assert said.count("in use\n") == len(makers) - 1
    assert list(path.parent.iterdir()) == [path]


def test_a_new_database_that_took_nothing_in_can_be_discarded(path: Path) -> None:
    """Only by the store that made it, and only while it holds no file."""
    with Store.open(path, create=True) as store:
        store.discard_unused()
    assert list(path.parent.iterdir()) == []

    Store.open(path, create=True).close()
    with Store.open(path, create=True) as store:
        store.discard_unused()
    assert path.exists()


def test_a_new_database_that_holds_a_file_is_never_discarded(path: Path) -> None:
    """Not even when nothing in that file could be taken."""
    with Store.open(path, create=True) as store:
        store.append(reading())
        store.discard_unused()
    assert path.exists()


@pytest.fixture
def listens_to_ctrl_c() -> Iterator[None]:
    """A process that a shell started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listens_to_ctrl_c")
def test_ctrl_c_while_duckdb_works_is_a_keyboard_interrupt(path: Path) -> None:
    """DuckDB raises a RuntimeError in its place, which nobody would take for Ctrl-C."""
    endless = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range < -b.range"
    Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    with pytest.raises(KeyboardInterrupt), Store.open(path, create=True) as store:
        store.query(endless)


def test_ctrl_c_while_a_database_is_made_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a traceback nor half a database."""

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(connection, "create_schema", interrupted)

    with pytest.raises(KeyboardInterrupt):
        Store.open(path, create=True)
    assert list(path.parent.iterdir()) == []


def test_any_other_runtime_error_stays_what_it_is(path: Path) -> None:
    """A defect is not taken for Ctrl-C."""
    with pytest.raises(RuntimeError, match="ours"), Store.open(path, create=True):
        raise RuntimeError("ours")


def test_writing_to_a_store_opened_for_reading(path: Path) -> None:
    """Writing through a read-only store says so before anything is read."""
    Store.open(path, create=True).close()
    with Store.open(path, read_only=True) as store, pytest.raises(StoreError, match="reading only"):
        store.append(reading(span(1)))


@pytest.mark.slow
@pytest.mark.parametrize(("held_for", "refused_to"), [("write", True), ("read", False)])
def test_database_in_use_by_another_process(path: Path, held_for: str, *, refused_to: bool) -> None:
    """A writer needs the file alone; readers share it."""
    Store.open(path, create=True).close()
    command = [sys.executable, "-c", HOLD, str(path), held_for]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        if refused_to:
            with pytest.raises(StoreError, match=f"in use by process {other.pid}"):
                Store.open(path, read_only=True)
        else:
            Store.open(path, read_only=True).close()
            with pytest.raises(StoreError, match="in use"):
                Store.open(path)
        other.communicate("")
