"""Simulated situations as cases, with the milliseconds each fault added for users."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

import polars as pl

from bench.accuracy.cases import Case, Culprit
from bench.accuracy.situations import INCIDENT, Situation
from bench.accuracy.sorts import FAULTS, QUIET
from tracemap import analyze, derive, simulate
from tracemap.model import MINUTE_NS, Cells, Kind, TraceBucket, Window
from tracemap.simulate import Fault, Simulated, Surge
from tracemap.simulate.effect import Effect
from tracemap.simulate.playing import Playing

FELT_MS = 2.0
FELT_SHARE = 0.02
"""A fault is to be named when it added at least this to the mean user request: twice the least
for which anybody is named, so that chance does not decide whether it should be."""
FELT_ERRORS = 0.02
"""And a failing one when it made this share of users' requests fail."""

_TRACE = ["trace_high", "trace_low"]


def fault_case(group: str, seed: int) -> Case | None:
    """Return a situation of `situations.FAULTS`; None where users felt none of its faults."""
    situation = FAULTS[group](seed)
    faults = tuple(fault.during(*INCIDENT) for fault in situation.faults)
    run = _run(situation, faults, seed)
    culprits = [
        culprit for fault in faults if (culprit := _culprit(situation, fault, run)) is not None
    ]
    if situation.sampling is not None:  # a sample of traces has a truth of its own
        culprits = [replace(culprit, excess_ms=None) for culprit in culprits]
    return _case(group, seed, situation, run, _joined(culprits)) if culprits else None


def quiet_case(group: str, seed: int) -> Case:
    """Return a situation of `situations.QUIET`."""
    situation = QUIET[group](seed)
    return _case(group, seed, situation, _run(situation, (), seed), [])


def _run(situation: Situation, faults: Sequence[Fault], seed: int) -> Simulated:
    around = tuple(fault.during(*INCIDENT) for fault in situation.around)
    return simulate.run(
        situation.shop, minutes=INCIDENT[1], seed=seed, load=situation.load,
        faults=(*situation.background, *around, *faults), sampling=situation.sampling,
    )  # fmt: skip


def _case(
    group: str, seed: int, situation: Situation, run: Simulated, culprits: Sequence[Culprit]
) -> Case:
    start_ns, end_ns = (run.start_ns + round(minute * MINUTE_NS) for minute in INCIDENT)
    incident, baseline = Window(start_ns, end_ns), Window(run.start_ns, start_ns)
    bucket = _bucket(run, situation)
    begun = time.perf_counter()
    cells = Cells(windows=analyze.cells(baseline) + analyze.cells(incident))
    facts = derive.facts(bucket, cells)
    seconds = time.perf_counter() - begun
    # What changes in a mix is a change of latency, if nobody's fault: no false spike.
    is_steady = not culprits and not situation.around and not situation.background
    is_steady &= situation.sampling is None
    latency = derive.facts(bucket, Cells())["latency_facts"] if is_steady else None
    return Case(
        group, f"{group} {seed}", facts, incident, baseline, tuple(culprits), latency, seconds
    )


def _culprit(situation: Situation, fault: Fault, run: Simulated) -> Culprit | None:
    """Return what should be named for a fault; None where users hardly felt it."""
    around = {one.during(*INCIDENT) for one in situation.around} | {*situation.background}
    # With two faults: halfway between what it adds to the other and what it does alone (Shapley).
    ways = [run.faults, tuple(one for one in run.faults if one is fault or one in around)]
    effects = [_effect(run, fault, present) for present in dict.fromkeys(ways)]
    excess_ms = fmean(sum(one.excess_ns.values()) / _requests(one) for one in effects) / 1e6
    failed = fmean(
        sum(one.more_errors[key] for key in one.requests) / _requests(one) for one in effects
    )
    service = fault.origin[0]
    if isinstance(fault, Surge):  # not the users are to blame, but what cannot take more of them
        service = next(one.name for one in situation.shop.services.values() if one.slots)
    if fault.cause == "error":
        return Culprit(service, is_error=True) if failed >= FELT_ERRORS else None
    usual_ms = _mean_request_ms(run)
    if excess_ms < max(FELT_MS, FELT_SHARE * usual_ms):
        return None
    return Culprit(service, fault.edge if fault.cause == "wire" else None, excess_ms=excess_ms)


def _joined(culprits: Sequence[Culprit]) -> list[Culprit]:
    """Return the culprits with those at one service as one: it is named once, for all it did."""
    joined: dict[tuple[str, bool], Culprit] = {}
    for one in culprits:
        other = joined.setdefault((one.service, one.is_error), one)
        if other is not one:
            both = (other.excess_ms or 0.0) + (one.excess_ms or 0.0)
            edge = one.edge if one.edge == other.edge else None
            joined[one.service, one.is_error] = replace(one, edge=edge, excess_ms=both or None)
    return list(joined.values())


def _requests(effect: Effect) -> int:
    return sum(effect.requests.values()) or 1


def _effect(run: Simulated, fault: Fault, present: Sequence[Fault]) -> Effect:
    """Return what a fault did to users, by playing the run with those present and without it."""
    playing = Playing(
        run.shop, run.faults, minutes=run.minutes, start_ns=run.start_ns, seed=run.seed,
        rate=run.load,
    )  # fmt: skip
    others = tuple(other for other in present if other is not fault)
    effect = Effect(fault)
    for part in range(playing.parts):
        pairs = zip(playing.plays(part, present), playing.plays(part, others), strict=True)
        for faulty, sound in pairs:
            effect.add(faulty.entry.key, faulty.evaluation, sound.evaluation)
    return effect


def _mean_request_ms(run: Simulated) -> float:
    """Return how long users' requests take on average."""
    roots = run.spans.filter((pl.col("parent_id") == 0) & (pl.col("linked_span") == 0))
    return float(roots["duration_ns"].mean() or 0.0) / 1e6  # type: ignore[arg-type]


def _bucket(run: Simulated, situation: Situation) -> TraceBucket:
    """Return all spans of a run as one bucket, as the situation lets them be recorded."""
    batches = list(run.batches())
    spans = pl.concat(batch.spans for batch in batches).drop("attributes")
    operations, resources = batches[-1].operations, batches[-1].resources
    if situation.recorded is not None:
        spans = situation.recorded(spans)
    if situation.loses_abandoned:
        spans = _without_abandoned(spans, operations)
    if situation.one_root:
        front = {entry.operation for entry in run.shop.entries}
        operations = operations.with_columns(
            pl.when(pl.col("operation").is_in(front)).then(pl.lit("GET /")).otherwise("operation")
            .alias("operation")
        )  # fmt: skip
    return TraceBucket(spans, operations, resources.with_columns(service=pl.col("service_name")))


def _without_abandoned(spans: pl.DataFrame, operations: pl.DataFrame) -> pl.DataFrame:
    """Return spans without those that end after the client span that led to them, and below."""
    end = pl.col("start_ns") + pl.col("duration_ns")
    kinds = spans.join(operations.select("operation_id", "kind"), on="operation_id")
    clients = kinds.filter(pl.col("kind") == Kind.CLIENT).select(
        *_TRACE, parent_id="span_id", left_ns=end
    )
    lost = kinds.join(clients, on=[*_TRACE, "parent_id"]).filter(end > pl.col("left_ns"))
    gone = lost.select(*_TRACE, "span_id")
    while lost.height:
        above = lost.select(*_TRACE, parent_id="span_id")
        lost = spans.join(above, on=[*_TRACE, "parent_id"], how="semi")
        gone = pl.concat([gone, lost.select(*_TRACE, "span_id")])
    return spans.join(gone, on=[*_TRACE, "span_id"], how="anti")


def drawn(groups: Sequence[str], cases: int, first: int = 0) -> Iterator[tuple[str, int]]:
    """Yield (group, seed), `cases` of each group."""
    for group in groups:
        for seed in range(first, first + cases):
            yield group, seed
