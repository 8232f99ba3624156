"""A process that is killed leaves a database from which the same command completes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.store.killed import start, take_files_in, write_files
from tests.store.many_spans import ManySpans
from tracemap.store import Store

DATABASES = 10
KILLS = 5

TABLES = (
    "SELECT * FROM stored_spans ORDER BY trace_high, trace_low, span_id",
    "SELECT * FROM trace_parts ORDER BY ALL",
    "SELECT * FROM traces ORDER BY trace_id",
    "SELECT * EXCLUDE (ingested_at) FROM files ORDER BY file_id",
    "SELECT * FROM operations ORDER BY operation_id",
    "SELECT * FROM links ORDER BY ALL",
    "SELECT * FROM dirty_hours ORDER BY hour_ns",
)


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """After fifty kills, spread over the whole run, the tables are those of an undisturbed one.

    What is taken in is parcels of small files and files by themselves. Each database is killed five
    times over; what the runs before had finished stays, so late kills hit late files.
    """
    moments = random.Random(20260102)  # noqa: S311 (moments, not secrets)
    folder = tmp_path / "files"
    write_files(folder)
    start(folder, tmp_path / "first.duckdb").join()
    begun_s = time.perf_counter()
    process = start(folder, tmp_path / "undisturbed.duckdb")
    process.join()
    duration_s = time.perf_counter() - begun_s

    expected = tables(tmp_path / "undisturbed.duckdb")
    killed = 0
    files_at_kill = set()
    for number in range(DATABASES):
        path = tmp_path / f"{number}.duckdb"
        for kill in range(KILLS):
            process = start(folder, path)
            slot = (kill + moments.random()) / KILLS
            process.join(moments.uniform(0, duration_s) * slot)
            process.kill()
            process.join()
            killed += process.exitcode == -signal.SIGKILL
            with Store.open(path) as store:
                files_at_kill.add(store.ledger().files.height)
        take_files_in(str(folder), str(path))
        for sql, table in tables(path).items():
            assert_frame_equal(table, expected[sql])
    assert killed > DATABASES * KILLS / 2
    assert len(files_at_kill) > 2


def tables(path: Path) -> dict[str, pl.DataFrame]:
    with Store.open(path, read_only=True) as store:
        return {sql: store.query(sql) for sql in TABLES}


def test_killed_while_a_file_is_written(tmp_path: Path) -> None:
    """Of a file that was not finished, nothing is visible, and what came before is."""
    path = tmp_path / "t.duckdb"
    program = f"""
import os, signal
from tests.store.many_spans import ManySpans
from tracemap.store import Store
class Deadly(ManySpans):
    def batches(self):
        *most, last = super().batches()
        yield from most
        os.kill(os.getpid(), signal.SIGKILL)
store = Store.open({str(path)!r}, create=True)
store.append(ManySpans(0, 1000))
store.append(Deadly(1, 400_000))
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -signal.SIGKILL

    with Store.open(path) as store:
        assert store.ledger().spans == 1000
        assert store.append(ManySpans(1, 2000)).spans == 2000
