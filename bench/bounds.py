"""What inputs at the edge cost: time, peak of memory, size of the database.

Each input is written, taken into a new database, and its facts are derived: two processes of their
own, whose peaks of memory are their own too. Kernels are compiled before. To the long file one
late file of a few spans is added afterwards: only the hours it touches are derived again.

The number of spans of the long file and of small files can be given:
``python -m bench.bounds 1000000 5000``.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.__main__ import print_table
from bench.inputs import (
    write_long_file,
    write_long_line,
    write_scattered_trace,
    write_small_files,
    write_wide_trace,
)
from bench.measuring import peak_mb
from tracemap import simulate
from tracemap.intake import take_in
from tracemap.pipeline import bring_up_to_date
from tracemap.store import Store

SPANS = 10_000_000
FILES = 50_000


def run(spans: int = SPANS, files: int = FILES) -> list[dict[str, object]]:
    """Return one row for each input."""
    cases: dict[str, Callable[[Path], None]] = {
        f"one file of {spans:,} spans": lambda folder: write_long_file(folder, spans),
        "one line of 200 MB": write_long_line,
        "one trace of 100,000 spans": write_wide_trace,
        "one trace in 1,000 files": write_scattered_trace,
        f"{files:,} small files": lambda folder: write_small_files(folder, files),
    }
    rows = []
    _warm_up()
    for number, (name, write) in enumerate(cases.items()):
        with tempfile.TemporaryDirectory() as base:
            folder, database = Path(base, "input"), Path(base, "t.duckdb")
            folder.mkdir()
            write(folder)
            rows.append({"input": name, **_measured(folder, database)})
            if number == 0:
                rows.append({"input": "... and a late file", **_late(Path(base), database)})
    return rows


def _warm_up() -> None:
    """Compile every kernel, so that no case is charged for it."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base, "input")
        folder.mkdir()
        write_small_files(folder, 3)
        _measured(folder, Path(base, "t.duckdb"))


def _measured(folder: Path, database: Path) -> dict[str, object]:
    taken = _in_a_process("ingest", str(folder), str(database))
    derived = _in_a_process("derive", str(database))
    size = sum(each.stat().st_size for each in folder.iterdir())
    spans = max(1, taken["spans"])
    return {
        "MB": round(size / 1e6),
        "spans": taken["spans"],
        "ingest s": taken["s"],
        "CPU s": taken["CPU s"],
        "spans/s": round(taken["spans"] / taken["s"]),
        "files/s": round(taken["files"] / taken["s"]),
        "derive s": derived["s"],
        "hours": derived["hours"],
        "ingest peak MB": taken["peak MB"],
        "derive peak MB": derived["peak MB"],
        "bytes/span": round(taken["size"] / spans),
    }


def _late(base: Path, database: Path) -> dict[str, object]:
    folder = base / "late"
    folder.mkdir()
    late = simulate.run(simulate.shop(), minutes=1, load=0.1, seed=9)
    late.write_otlp_protobuf(folder / "late.pb")
    return {**_measured(folder, database), "bytes/span": ""}


def _in_a_process(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.bounds", *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def _ingest(folder: str, database: str) -> Mapping[str, int]:
    with Store.open(database, create=True, threads=1) as store:  # as the command does
        taken = [each.appended for each in take_in(store, [folder]) if each.appended]
    return {
        "spans": sum(each.spans for each in taken),
        "files": len(taken),
        "size": Path(database).stat().st_size,
    }


def _derive(database: str) -> Mapping[str, int]:
    with Store.open(database) as store:
        hours = len(store.dirty_hours())
        bring_up_to_date(store)
    return {"hours": hours}


def _measure(work: Callable[..., Mapping[str, int]], *arguments: str) -> dict[str, float]:
    begun = time.perf_counter()
    found = work(*arguments)
    seconds = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        **found,
        "s": seconds,
        "CPU s": used.ru_utime + used.ru_stime,
        "peak MB": peak_mb(),
    }


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["ingest"]:
        print(json.dumps(_measure(_ingest, *given[1:])))
    elif given[:1] == ["derive"]:
        print(json.dumps(_measure(_derive, *given[1:])))
    else:
        print_table(run(*map(int, given)))
