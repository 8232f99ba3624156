"""Systems small enough to check by hand: no spread, so every duration is its median."""

from __future__ import annotations

import numpy as np

from tracemap.simulate import Call, Entry, Operation, OperationKey, Service, Shop, Stage
from tracemap.simulate.draws import Draws
from tracemap.simulate.evaluation import Evaluation
from tracemap.simulate.fault import Fault
from tracemap.simulate.places import SpanNode

ENTRY = OperationKey("web", "GET /")


def system(*stages: tuple[Call, ...], **own_ms: float) -> Shop:
    """A front door `web` that calls `a`, `b`, `h` and `db`, each taking `own_ms` (10 if not given).

    `a` and `b` speak gRPC, `h` HTTP.
    """
    leaves = [
        Operation(name, "work", own_ms.get(name, 10.0), sigma=0.0, error_ratio=0.0)
        for name in ("a", "b", "h", "db")
    ]
    front = Operation(
        "web", "GET /", own_ms.get("web", 10.0), 0.0, 0.0, tuple(Stage(stage) for stage in stages)
    )
    return Shop.of(
        "small",
        services=(
            Service("web", protocol="http", port=443),
            Service("a"),
            Service("b"),
            Service("h", protocol="http", port=8080),
            Service("db", "database", "postgresql"),
        ),
        operations=(front, *leaves),
        entries=(Entry("web", "GET /", 600),),
    )


def call(upstream: str, **options: object) -> Call:
    """A call without network time unless asked for."""
    return Call(upstream, "work", **{"gap_ms": 0.0, **options})  # type: ignore[arg-type]


def play(shop: Shop, *faults: Fault, requests: int = 100) -> Evaluation:
    """Play requests that arrive one a second."""
    draws = Draws(seed=1, part=0, size=requests)
    evaluation = Evaluation(shop, draws, np.arange(requests) * 1_000_000_000, faults)
    evaluation.play(ENTRY)
    return evaluation


def nodes(evaluation: Evaluation, service: str, kind: str) -> list[SpanNode]:
    """The places with spans of a service and kind, in order; for clients: of calls to it."""
    return [
        one
        for one in evaluation.nodes
        if one.sort.kind.name == kind and one.sort.subject.service == service and len(one.rows)
    ]


def node(evaluation: Evaluation, service: str, kind: str) -> SpanNode:
    """The spans of a service and kind; for clients: of calls to that service."""
    found = [
        one
        for one in evaluation.nodes
        if one.sort.kind.name == kind and one.sort.subject.service == service
    ]
    assert len(found) == 1, found
    return found[0]


def milliseconds(one: SpanNode) -> list[float]:
    """Durations in ms, without repeats."""
    return sorted({duration / 1_000_000 for duration in one.duration_ns.tolist()})
