"""Build path facts of small call trees in one line a step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tracemap.model import LATENCY_FACTS, PATH_FACTS, PATHS, Window, histogram

BASELINE = Window(0, 100)
INCIDENT = Window(100, 200)
MS = 1_000_000


@dataclass(frozen=True)
class Step:
    """One step of a call path: what each of its calls takes, and how many there are.

    Attributes:
        name: ``service operation`` of an entry, or ``service > upstream operation`` of a call.
        above: Name of the step above; '' for a root.
        calls: Calls in the window.
        duration_ms: Mean duration.
        self_ms: Mean own time (entry) or gap (call).
        on_parent_ms: Mean on-path time in the step above; None: all of the duration.
        overlap: Whether the calls overlap siblings.
        callers: Parents that make the call; None: as many as calls.
        async_ms: Mean time ruled not to block.
    """

    name: str
    above: str
    duration_ms: float
    self_ms: float
    calls: int = 1000
    on_parent_ms: float | None = None
    overlap: bool = False
    callers: int | None = None
    async_ms: float = 0.0


def slower(steps: list[Step], **changes: dict[str, Any]) -> list[Step]:
    """Return `steps` with some fields replaced; keys are names with spaces as underscores."""
    named = {
        name.replace("__", " > ").replace("_", " "): change for name, change in changes.items()
    }
    unknown = set(named) - {step.name for step in steps}
    assert not unknown, unknown
    return [replace(step, **named.get(step.name, {})) for step in steps]


def paths(steps: list[Step]) -> pl.DataFrame:
    """Return the steps as `model.PATHS`."""
    ids = {step.name: index + 1 for index, step in enumerate(steps)}
    depth: dict[str, int] = {}
    rows = []
    for step in steps:
        depth[step.name] = depth.get(step.above, -1) + 1
        service, rest = step.name.split(" ", 1)
        is_call = rest.startswith("> ")
        upstream, operation = rest[2:].split(" ", 1) if is_call else ("", rest)
        rows.append(
            {
                "path_id": ids[step.name],
                "parent_path_id": ids.get(step.above, 0),
                "depth": depth[step.name],
                "step": "call" if is_call else "entry",
                "service": service,
                "operation": operation,
                "upstream": upstream,
                "upstream_kind": "service" if is_call else "",
            }
        )
    return PATHS.conform(pl.DataFrame(rows))


def path_facts(baseline: list[Step], incident: list[Step]) -> pl.DataFrame:
    """Return the facts of two windows, spread evenly over the hash buckets."""
    rows = []
    for window, steps in ((BASELINE, baseline), (INCIDENT, incident)):
        for index, step in enumerate(steps):
            for bucket in range(50):
                calls = int(step.calls) // 50
                on_parent = step.duration_ms if step.on_parent_ms is None else step.on_parent_ms
                rows.append(
                    {
                        **dict.fromkeys(PATH_FACTS.schema, 0),
                        "window_start_ns": window.start_ns,
                        "hash_bucket": bucket,
                        "path_id": index + 1,
                        "calls": calls,
                        "callers": calls if step.callers is None else int(step.callers) // 50,
                        "duration_ns": int(calls * step.duration_ms * MS),
                        "self_ns": int(calls * step.self_ms * MS),
                        "on_parent_ns": int(calls * on_parent * MS),
                        "async_ns": int(calls * step.async_ms * MS),
                        "overlap_calls": calls if step.overlap else 0,
                    }
                )
    return PATH_FACTS.conform(pl.DataFrame(rows))


def latency(*rows: tuple[int, str, str, str, float, int]) -> pl.DataFrame:
    """Histograms: window start, service, operation, downstream, ms, count."""
    names = ("window_start_ns", "service", "operation", "downstream", "ms", "count")
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        unit=pl.lit("server"),
        bucket=histogram.bucket((pl.col("ms") * MS).cast(pl.Int64)),
        sum_ns=pl.col("ms") * pl.col("count") * MS,
        errors=pl.lit(0),
    )
    return LATENCY_FACTS.conform(frame)


def near(value: int | None, ms: float) -> bool:
    """Whether a percentile is that many ms, but for the width of its bucket."""
    return value is not None and abs(value / MS / ms - 1) < 2 * histogram.RELATIVE_ERROR


SHOP = [
    Step("web GET/", "", 100.0, 20.0),
    Step("web > pay Charge", "web GET/", 80.0, 5.0),
    Step("pay Charge", "web > pay Charge", 75.0, 25.0),
    Step("pay > card-db query", "pay Charge", 50.0, 50.0),
]
"""web waits 80 ms for pay, which waits 50 ms for an uninstrumented database."""

CHECKOUT = [
    Step("web GET/", "", 110.0, 10.0),
    Step("web > pay Charge", "web GET/", 100.0, 5.0, overlap=True),
    Step("pay Charge", "web > pay Charge", 95.0, 95.0),
    Step("web > stock Reserve", "web GET/", 40.0, 5.0, on_parent_ms=0.0, overlap=True),
    Step("stock Reserve", "web > stock Reserve", 35.0, 35.0),
]
"""web asks pay and stock in parallel; stock has 60 ms of slack beside pay."""
