"""The true verdict on a fault: how far it got, and what absorbed it.

A fault propagated if requests of some entry take `SPIKE_MS` longer or `ERROR_SHARE` of them fail
more often; one that makes failures is judged by failures alone. Else it was absorbed. Edges whose
upstream offered less than `SPIKE_MS` are ``no spike``. What did not arrive was absorbed

- by ``parallel slack`` and ``async``, from timing stages anew; errors by calls that are
  ``optional``;
- by every mechanism of `policies`, from playing both runs again without it: how much more
  downstream would have lost to the fault, in time and in errors. A mechanism that costs more time
  than it saves has absorbed less than nothing. Several that cover for each other overlap: they
  need not add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracemap.model import iso
from tracemap.simulate.attempts import Hop
from tracemap.simulate.blueprint import OperationKey
from tracemap.simulate.effect import Effect
from tracemap.simulate.fault import Place

SPIKE_MS = 1.0
ERROR_SHARE = 0.01
"""Users feel a fault from this share of more failed requests on."""
ABSORBED_BELOW, FULL_FROM, AMPLIFIED_ABOVE = 0.2, 0.8, 1.2
SLACK, ASYNC, OPTIONAL = "parallel slack", "async", "optional"


def judged(effect: Effect, start_ns: int) -> dict[str, Any]:
    """Return what the fault did, per execution or request, ready for JSON.

    Args:
        effect: The differences it made.
        start_ns: Start of the run, ns since the epoch.
    """
    service, operation = effect.fault.origin
    edge = effect.fault.edge
    from_ns, to_ns = effect.fault.window_ns
    visible = list(_user_visible(effect))
    reached = any(_reached(effect, row) for row in visible)
    hops, absorbed = list(_hops(effect)), list(_absorbed(effect))
    by_errors = sorted(absorbed, key=lambda row: -row["absorbed_errors"])
    mechanisms = [hop["mechanism"] for hop in hops if hop["mechanism"]]
    mechanisms += [row["mechanism"] for row in by_errors if row["absorbed_errors"] > 0]
    return {
        "fault": type(effect.fault).__name__,
        "cause": effect.fault.cause,
        "service": service,
        "operation": operation or None,
        "edge": {"downstream": edge[0], "upstream": edge[1]} if edge else None,
        "window": {"start": iso(start_ns + from_ns), "end": iso(start_ns + to_ns)},
        "verdict": "propagated" if reached else "absorbed",
        "mechanism": None if reached or not mechanisms else mechanisms[0],
        "hops": hops,
        "absorbed": absorbed,
        "operations": list(_operations(effect)),
        "user_visible": visible,
    }


def _reached(effect: Effect, visible: dict[str, Any]) -> bool:
    """Return whether users of an entry felt the fault; failures are judged by failures."""
    failed = visible["more_errors"] >= max(1, ERROR_SHARE * visible["requests"])
    slower = visible["excess_ms"] >= SPIKE_MS and effect.fault.cause != "error"
    return failed or slower


def _hops(effect: Effect) -> Iterator[dict[str, Any]]:
    distance = _distances(effect)
    for hop in sorted(distance, key=lambda hop: (distance[hop], hop)):
        downstream, upstream = hop
        executions = effect.executions[downstream]
        offered_ms = _mean_ms(effect.offered_ns[hop], executions)
        arrived_ms = _mean_ms(effect.arrived_ns[hop], executions)
        verdict = _verdict(offered_ms, arrived_ms)
        yield {
            "hop": distance[hop],
            "downstream": downstream.service,
            "downstream_operation": downstream.operation,
            "upstream": upstream.service,
            "upstream_operation": upstream.operation,
            "offered_ms": offered_ms,
            "arrived_ms": arrived_ms,
            "ratio": round(arrived_ms / offered_ms, 4) if offered_ms else None,
            "verdict": verdict,
            "mechanism": _mechanism(effect, hop) if verdict in ("absorbed", "partial") else None,
            "offered_errors": effect.offered_errors[hop],
            "arrived_errors": effect.arrived_errors[hop],
            "calls": effect.calls[hop],
            "downstream_requests": executions,
        }


def _mechanism(effect: Effect, hop: Hop) -> str:
    """Return what kept most of the time offered from arriving, of what `hops` can tell."""
    if hop in effect.asynchronous:
        return ASYNC
    cut_ns = effect.offered_ns[hop] - effect.lasted_ns[hop]
    slack_ns = effect.lasted_ns[hop] - effect.arrived_ns[hop]
    return effect.cutting[hop] if hop in effect.cutting and cut_ns > slack_ns else SLACK


def _absorbed(effect: Effect) -> Iterator[dict[str, Any]]:
    """Yield what each mechanism kept from downstream, where that is anything."""
    found: list[tuple[OperationKey, OperationKey, str, int, int]] = []
    for hop in effect.offered_ns:
        if hop in effect.asynchronous:
            found.append((*hop, ASYNC, effect.offered_ns[hop], 0))
        else:
            found.append((*hop, SLACK, effect.lasted_ns[hop] - effect.arrived_ns[hop], 0))
        found.append((*hop, OPTIONAL, 0, effect.survived_errors[hop]))
    for guard in effect.bare_ns:
        bare_ns = effect.bare_ns[guard] - effect.slower_ns[guard.downstream]
        errors = effect.bare_errors[guard] - effect.more_errors[guard.downstream]
        found.append((*guard, bare_ns, errors))
    for downstream, upstream, mechanism, absorbed_ns, errors in sorted(found):
        absorbed_ms = _mean_ms(absorbed_ns, effect.executions[downstream])
        if absorbed_ms or errors:
            yield {
                "downstream": downstream.service,
                "downstream_operation": downstream.operation,
                "upstream": upstream.service,
                "upstream_operation": upstream.operation,
                "mechanism": mechanism,
                "absorbed_ms": absorbed_ms,
                "absorbed_errors": errors,
            }


def _distances(effect: Effect) -> dict[Hop, int]:
    """Return how many calls lie between the origin and the downstream end of each hop."""
    offered = effect.offered_ns.items()
    moved = [hop for hop, offered_ns in offered if offered_ns or effect.offered_errors[hop]]
    moving = {hop[0] for hop in moved}
    reached = {
        hop: 1
        for hop in moved
        if effect.fault.touches(Place(*hop[0], *hop[1]))
        or effect.fault.touches(Place("", "", *hop[1]))
        or (effect.fault.cause == "load" and hop[1] not in moving)
    }
    frontier = set(reached)
    while frontier:
        ends = {downstream: reached[downstream, upstream] for downstream, upstream in frontier}
        frontier = {hop for hop in moved if hop not in reached and hop[1] in ends}
        reached.update({hop: ends[hop[1]] + 1 for hop in frontier})
    return reached


def _operations(effect: Effect) -> Iterator[dict[str, Any]]:
    for key in sorted(effect.executions):
        if effect.slower_ns[key] or effect.more_errors[key]:
            yield {
                "service": key.service,
                "operation": key.operation,
                "executions": effect.executions[key],
                "slower_ms": _mean_ms(effect.slower_ns[key], effect.executions[key]),
                "more_errors": effect.more_errors[key],
            }


def _user_visible(effect: Effect) -> Iterator[dict[str, Any]]:
    for key in sorted(effect.requests):
        yield {
            "service": key.service,
            "operation": key.operation,
            "requests": effect.requests[key],
            "excess_ms": _mean_ms(effect.excess_ns[key], effect.requests[key]),
            "total_ms": round(effect.excess_ns[key] / 1_000_000, 3),
            "more_errors": effect.more_errors[key],
        }


def _verdict(offered_ms: float, arrived_ms: float) -> str:
    if abs(offered_ms) < SPIKE_MS:
        return "no spike"
    ratio = arrived_ms / offered_ms
    if ratio < ABSORBED_BELOW:
        return "absorbed"
    if ratio < FULL_FROM:
        return "partial"
    return "amplified" if ratio > AMPLIFIED_ABOVE else "propagated"


def _mean_ms(total_ns: int, count: int) -> float:
    return round(total_ns / count / 1_000_000, 4) if count else 0.0
