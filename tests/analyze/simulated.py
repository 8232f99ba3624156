"""Facts of simulated systems, without a file or a store in between."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tracemap import analyze, derive, simulate
from tracemap.model import MINUTE_NS, Cells, Facts, TraceBucket, Window
from tracemap.simulate import Fault, Shop, Simulated

FAULT = (12.0, 18.0)
"""Minutes in which faults happen; the minutes before are the baseline."""
MINUTES = 18.0


@dataclass(frozen=True)
class Case:
    """A simulated run with its facts, incident and baseline cut into cells."""

    run: Simulated
    facts: Facts
    incident: Window
    baseline: Window

    def origins(self) -> pl.DataFrame:
        """Return `analyze.origins` of the case."""
        return analyze.origins(self.facts, self.incident, self.baseline)

    def propagation(self) -> pl.DataFrame:
        """Return `analyze.propagation` of the case."""
        windows = self.incident, self.baseline
        return analyze.propagation(self.facts["path_facts"], self.facts["paths"], *windows)


def case(shop: Shop, *faults: Fault, seed: int = 5, load: float = 1.0) -> Case:
    """Return 18 minutes of `shop` of which the last six have the faults."""
    run = simulate.run(
        shop, minutes=MINUTES, seed=seed, load=load, faults=tuple(f.during(*FAULT) for f in faults)
    )
    start_ns, end_ns = (run.start_ns + round(minute * MINUTE_NS) for minute in FAULT)
    incident, baseline = Window(start_ns, end_ns), Window(run.start_ns, start_ns)
    cells = Cells(windows=analyze.cells(baseline) + analyze.cells(incident))
    return Case(run, derive.facts(bucket(run), cells), incident, baseline)


def bucket(run: Simulated) -> TraceBucket:
    """Return all spans of a run as one bucket."""
    batches = list(run.batches())
    return TraceBucket(
        pl.concat(batch.spans for batch in batches).drop("attributes"),
        batches[-1].operations,
        batches[-1].resources.with_columns(service=pl.col("service_name")),
    )
