"""How often the injected service is named: published faults in real traces, one by one.

The traces are not part of the project: ``$TRACEMAP_REAL_DATA`` (else ``../shared/data``) holds
``faults.json`` and a folder of OTLP JSON lines per data set. Each usable latency fault is a
postmortem of its window against the 200 s before; faults that do not move latency are controls.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracemap import pipeline, recipe
from tracemap.errors import NoDataError
from tracemap.intake import take_in
from tracemap.model import SECOND_NS, Findings, from_iso
from tracemap.store import Store
from tracemap.windows import Bounds, Request

BASELINE_NS = 200 * SECOND_NS


def real_data() -> Path | None:
    """Return the folder of real traces; None where there is none."""
    folder = Path(os.environ.get("TRACEMAP_REAL_DATA", "../shared/data"))
    return folder if (folder / "faults.json").is_file() else None


def postmortem(store: Store, fault: dict[str, Any]) -> Findings:
    """Return the findings of one fault's window against the 200 s before it."""
    start_ns, end_ns = from_iso(fault["start"]), from_iso(fault["end"])
    request = Request(
        window=Bounds(start_ns, end_ns), baseline=Bounds(start_ns - BASELINE_NS, start_ns)
    )
    return pipeline.run(recipe.load("postmortem"), store, request=request)


def cases(folder: Path) -> Iterator[tuple[dict[str, Any], list[str], float]]:
    """Yield each usable fault with the services named, likeliest first, and the seconds it took."""
    faults = [
        fault for fault in json.loads((folder / "faults.json").read_text()) if fault["usable"]
    ]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "faults.duckdb"
        with Store.open(path, create=True) as store:
            for name in sorted({fault["data"] for fault in faults}):
                for _ in take_in(store, [str(folder / name)]):
                    pass
            pipeline.bring_up_to_date(store)
            for fault in faults:
                begun = time.perf_counter()
                try:
                    named = postmortem(store, fault).tables["origins"]["service"].to_list()
                except NoDataError:
                    named = []
                yield fault, named, time.perf_counter() - begun


def run() -> None:
    """Print a row a fault, then how many were named first and among the first three."""
    folder = real_data()
    if folder is None:
        print("origins: skipped, the folder of real traces is not there ($TRACEMAP_REAL_DATA)")
        return
    print(f"{'injected':30} {'fault':15} {'rank':>4} {'s':>5}  named")
    ranks, alarms, controls = [], 0, 0
    for fault, named, seconds in cases(folder):
        rank = named.index(fault["service"]) + 1 if fault["service"] in named else 0
        if fault["moves_latency"]:
            ranks.append(rank)
        else:
            controls += 1
            alarms += bool(named)
        shown = str(rank or "-") if fault["moves_latency"] else "ctrl"
        print(
            f"{fault['service']:30} {fault['fault']:15} {shown:>4} {seconds:5.1f}"
            f"  {', '.join(named[:3])}"
        )
    first, three = (sum(0 < rank <= most for rank in ranks) for most in (1, 3))
    print(f"named first {first} of {len(ranks)}, among the first three {three} of {len(ranks)}")
    print(f"controls in which anybody is named: {alarms} of {controls}")


if __name__ == "__main__":
    run()
