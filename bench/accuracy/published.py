"""Real traces of two applications, with faults injected and published by others.

The traces are not part of the project: ``$TRACEMAP_REAL_DATA`` (else ``../shared/data``) holds
``faults.json`` and a folder of OTLP JSON lines per application. Each usable latency fault is
compared with the 200 s before it; faults that do not move latency are controls.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.accuracy.cases import Case, Culprit
from tracemap import analyze, engine, pipeline, recipe
from tracemap.intake import take_in
from tracemap.model import SECOND_NS, Cells, Window, from_iso
from tracemap.pipeline.windows import Bounds, Request
from tracemap.store import Store

BASELINE_NS = 200 * SECOND_NS


def real_data() -> Path | None:
    """Return the folder of real traces; None where there is none."""
    folder = Path(os.environ.get("TRACEMAP_REAL_DATA", "../shared/data"))
    return folder if (folder / "faults.json").is_file() else None


def applications(folder: Path) -> list[str]:
    """Return the applications that have usable faults, in order."""
    return sorted({fault["data"] for fault in _usable(folder)})


def cases(folder: Path, application: str) -> Iterator[Case]:
    """Yield every usable fault of one application."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        Store.open(Path(scratch) / "faults.duckdb", create=True) as store,
    ):
        for _ in take_in(store, [str(folder / application)]):
            pass
        pipeline.bring_up_to_date(store)
        for fault in _usable(folder):
            if fault["data"] == application:
                yield _case(store, fault)


def postmortem_seconds(folder: Path) -> tuple[int, float]:
    """Return the spans of all applications in one database, and how long a postmortem takes."""
    first = _usable(folder)[0]
    with (
        tempfile.TemporaryDirectory() as scratch,
        Store.open(Path(scratch) / "all.duckdb", create=True) as store,
    ):
        for _ in take_in(store, [str(path) for path in sorted(folder.glob("*-20*"))]):
            pass
        pipeline.bring_up_to_date(store)
        window, baseline = (Bounds(one.start_ns, one.end_ns) for one in _windows(first))
        request = Request(window=window, baseline=baseline)
        begun = time.perf_counter()
        pipeline.run(recipe.load("postmortem"), store, request=request)
        return store.ledger().spans, time.perf_counter() - begun


def _usable(folder: Path) -> list[dict[str, Any]]:
    """Return the faults with enough traces on both sides."""
    faults: list[dict[str, Any]] = json.loads((folder / "faults.json").read_text())
    return [fault for fault in faults if fault["usable"]]


def _windows(fault: dict[str, Any]) -> tuple[Window, Window]:
    start_ns = from_iso(fault["start"])
    return Window(start_ns, from_iso(fault["end"])), Window(start_ns - BASELINE_NS, start_ns)


def _case(store: Store, fault: dict[str, Any]) -> Case:
    incident, baseline = _windows(fault)
    begun = time.perf_counter()
    cells = Cells(windows=analyze.cells(baseline) + analyze.cells(incident))
    facts = engine.window_facts(store, cells)
    culprits = (Culprit(fault["service"]),) if fault["moves_latency"] else ()
    kind = "faults" if culprits else "controls"
    return Case(
        group=f"{fault['data']} {kind}",
        name=f"{fault['service']} {fault['fault']}",
        facts=facts,
        incident=incident,
        baseline=baseline,
        culprits=culprits,
        seconds=time.perf_counter() - begun,
    )
