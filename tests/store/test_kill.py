"""A process that is killed leaves a database from which the same command completes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from tests.store.many_spans import ManySpans, take_in
from tracemap.store import Store

FILES = 6
SIZE = 30_000
KILLS = 3


def start(path: Path) -> subprocess.Popen[str]:
    """Start taking in the files, and return when the database is open."""
    program = [sys.executable, "-m", "tests.store.many_spans", str(path), str(FILES), str(SIZE)]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """After kills at random moments the tables are those of an undisturbed run."""
    moments = random.Random(20260102)  # noqa: S311 (moments, not secrets)
    started_s = time.perf_counter()
    take_in(str(tmp_path / "undisturbed.duckdb"), FILES, SIZE)
    duration_s = time.perf_counter() - started_s

    path = tmp_path / "killed.duckdb"
    for _ in range(KILLS):
        with start(path) as process:
            time.sleep(moments.uniform(0, duration_s / 2))
            process.send_signal(signal.SIGKILL)
    take_in(str(path), FILES, SIZE)

    with (
        Store.open(path, read_only=True) as killed,
        Store.open(tmp_path / "undisturbed.duckdb", read_only=True) as undisturbed,
    ):
        for sql in (
            "SELECT * FROM stored_spans ORDER BY trace_high, trace_low, span_id",
            "SELECT * FROM traces ORDER BY trace_id",
            "SELECT * EXCLUDE (ingested_at) FROM files ORDER BY file_id",
            "SELECT * FROM operations ORDER BY operation_id",
            "SELECT * FROM dirty_hours ORDER BY hour_ns",
        ):
            assert_frame_equal(killed.query(sql), undisturbed.query(sql))
        files = killed.ledger().files
        assert files["duplicates"].to_list() == [0] + [100] * (FILES - 1)


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
