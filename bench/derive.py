"""How fast a store is derived and analysed, and how that grows: spans/s at 1 and 5 million spans.

The simulated shop runs for an hour for each million spans, straight into a store. Each measurement
is a process of its own, so that its peak of memory is its own too.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracemap import derive, engine, pipeline, recipe, simulate
from tracemap.model import Batch, Cells
from tracemap.store import Store

SIZES = (1_000_000, 5_000_000)
SPANS_PER_HOUR = 1_000_000
_SPANS_PER_HOUR_AT_LOAD_1 = 184_000


def run() -> list[dict[str, object]]:
    """Return a row for each size: seconds, spans per second, and peak memory."""
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            path = Path(folder) / f"{size}.duckdb"
            _in_a_process("build", str(path), str(size))
            rows.append(json.loads(_in_a_process("measure", str(path))))
    for row in rows:
        row["s per million, growth"] = _per_million(row) / _per_million(rows[0])
    return rows


def _per_million(row: dict[str, object]) -> float:
    return float(str(row["derive s"])) / float(str(row["spans"]))


def _in_a_process(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.derive", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@dataclass
class _Simulation:
    """A simulated run in place of a file."""

    simulated: simulate.Simulated
    path: str = "simulated"
    size_bytes: int = 0
    format: str = "simulated"
    content_hash: str | None = "0" * 32

    def identify(self) -> None:
        pass

    def batches(self) -> Iterator[Batch]:
        return self.simulated.batches()


def _build(path: Path, size: int) -> None:
    load = SPANS_PER_HOUR / _SPANS_PER_HOUR_AT_LOAD_1
    run = simulate.run(simulate.shop(), minutes=60 * size / SPANS_PER_HOUR, load=load)
    with Store.open(path, create=True) as store:
        store.append(_Simulation(run))


def _measure(path: Path) -> dict[str, object]:
    with Store.open(path) as store:
        spans = store.spans_in(None)
        in_memory_s = _in_memory_s(store)
        begun = time.perf_counter()
        engine.update(store)
        derived = time.perf_counter()
        pipeline.run(recipe.load("batch"), store)
        analysed = time.perf_counter()
    whole_s = analysed - begun
    return {
        "spans": spans,
        "facts spans/s": round(in_memory_s),
        "derive s": derived - begun,
        "derive spans/s": round(spans / (derived - begun)),
        "analyze s": analysed - derived,
        "both spans/s": round(spans / whole_s),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _in_memory_s(store: Store) -> float:
    """Return spans per second of `derive.facts` alone, on one bucket, kernels warm."""
    bucket = next(iter(store.buckets(None, max_spans=500_000)))
    derive.facts(bucket, Cells())
    begun = time.perf_counter()
    derive.facts(bucket, Cells())
    return bucket.spans.height / (time.perf_counter() - begun)


if __name__ == "__main__":
    if sys.argv[1] == "build":
        _build(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(_measure(Path(sys.argv[2]))))
