"""A file may be larger than memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
from tests.store.many_spans import ManySpans
from tracemap.store import Store

class Long(ManySpans):
    def batches(self):
        for number in range(self.number, self.number + 10):
            yield from ManySpans(number, self.size).batches()

with Store.open(sys.argv[1], create=True, memory_limit="200MB") as store:
    store.append(Long(100, 10_000))
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    store.append(Long(0, 100_000))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) // 1024)
"""


@pytest.mark.slow
def test_batch_is_let_go_of_once_it_is_written(tmp_path: Path) -> None:
    """One transaction a file must not mean one file in memory: here 160 bytes a span in all."""
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "t.duckdb")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)

    assert int(result.stdout) < 160
