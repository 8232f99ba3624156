"""The same shop without one of its mechanisms, to measure what the mechanism prevents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from tracemap.simulate.blueprint import Call, Operation, OperationKey, Shop
from tracemap.simulate.policies import PLAIN, Mechanism

_FIELDS: dict[Mechanism, str] = {
    "breaker": "breaker",
    "cache": "hit_ratio",
    "hedge": "hedge",
    "retry": "retry",
    "timeout": "timeout_ms",
}


class Safeguard(NamedTuple):
    """A mechanism, and the calls that have it."""

    downstream: OperationKey
    upstream: OperationKey
    mechanism: Mechanism


def safeguards(shop: Shop) -> list[Safeguard]:
    """Return every mechanism that a call of the shop has, sorted."""
    return sorted(set(_safeguards(shop)))


def without(shop: Shop, safeguard: Safeguard) -> Shop:
    """Return the shop with one mechanism taken from the calls that have it."""
    operations = dict(shop.operations)
    changed = operations[safeguard.downstream]
    operations[changed.key] = _without(changed, safeguard)
    return replace(shop, operations=operations)


def _safeguards(shop: Shop) -> Iterator[Safeguard]:
    for downstream, call in shop.calls():
        for mechanism in call.policy.mechanisms:
            yield Safeguard(downstream, call.key, mechanism)
        if call.fallback is not None:
            yield Safeguard(downstream, call.key, "fallback")


def _without(operation: Operation, safeguard: Safeguard) -> Operation:
    stages = tuple(
        replace(stage, calls=tuple(_bare(call, safeguard) for call in stage.calls))
        for stage in operation.stages
    )
    return replace(operation, stages=stages)


def _bare(call: Call, safeguard: Safeguard) -> Call:
    if call.fallback is not None:
        call = replace(call, fallback=_bare(call.fallback, safeguard))
    if call.key != safeguard.upstream:
        return call
    if safeguard.mechanism == "fallback":
        return replace(call, fallback=None)
    name = _FIELDS[safeguard.mechanism]
    return replace(call, policy=replace(call.policy, **{name: getattr(PLAIN, name)}))
