"""Incidents: what goes wrong, and where."""

from __future__ import annotations

from dataclasses import replace

from tracemap.simulate.behaviours.behaviour import (
    DATABASE,
    ENTRY,
    ORDERS,
    STOCK,
    Behaviour,
    call,
    played,
    system,
)
from tracemap.simulate.faults import ColdCache, Failing, SlowEdge, Slower
from tracemap.simulate.policies import Policy
from tracemap.simulate.trouble import Deploy, ErrorBurst, Outlier, SlowPod, Surge

_PLAIN = system((call(STOCK),))
_SURGE = Surge(service=ENTRY.service, operation=ENTRY.operation, factor=2.2)


def cold_cache() -> Behaviour:
    """Calls per request rise and fall again; nearly: more requests, each with as many calls."""
    cached = system((call(DATABASE, policy=Policy(hit_ratio=0.9)),))
    cold = ColdCache(
        downstream="orders", upstream=DATABASE.service, probability=1.0, warm_minutes=0.5
    )
    return Behaviour(
        "cold-cache",
        "A cache is emptied: nearly every request queries the database until it is warm again",
        ORDERS,
        DATABASE,
        positive=played(cached, cold, seed=201),
        near_miss=played(cached, _SURGE, seed=201),
        negative=played(cached, seed=201),
    )


def short_circuit() -> Behaviour:
    """A switch leaves most calls of a slow upstream out; nearly: they were always optional."""
    slow = Slower(service="stock", add_ms=100)
    off = ColdCache(downstream="orders", upstream="stock", probability=0.1)
    rare = system((call(STOCK, probability=0.1),))
    return Behaviour(
        "short-circuit",
        "Stock is slow, and nine of ten requests that used to call it do without",
        ORDERS,
        STOCK,
        positive=played(_PLAIN, slow, off, seed=207),
        near_miss=played(rare, slow, seed=207),
        negative=played(_PLAIN, slow, seed=207),
    )


def queueing() -> Behaviour:
    """More requests than slots; nearly: as many more where nobody has to wait."""
    narrow = system((call(STOCK),), slots=1, replicas=1)
    wide = system((call(STOCK),), replicas=1)
    return Behaviour(
        "queueing",
        "Twice the requests: stock has one slot an instance, and its waits grow",
        ORDERS,
        STOCK,
        positive=played(narrow, _SURGE, seed=202),
        near_miss=played(wide, _SURGE, seed=202),
        negative=played(narrow, seed=202),
    )


def error_burst() -> Behaviour:
    """Seconds in which much fails; nearly: as many failures, spread over the minute."""
    burst = ErrorBurst(service="stock", ratio=0.9, burst_seconds=4, every_seconds=20)
    return Behaviour(
        "error-burst",
        "Nine of ten requests fail for four seconds, every twenty seconds",
        ORDERS,
        STOCK,
        positive=played(_PLAIN, burst, seed=203),
        near_miss=played(_PLAIN, Failing(service="stock", ratio=0.18), seed=203),
        negative=played(_PLAIN, seed=203),
    )


def deploy() -> Behaviour:
    """The new version is slower; nearly: it is as fast as the old one."""
    slow = Deploy(service="stock", version="1.1.0", add_ms=40, step_minutes=0.5)
    fine = Deploy(service="stock", version="1.1.0", step_minutes=0.5)
    return Behaviour(
        "deploy",
        "A new version of stock takes 40 ms longer; half of the instances change at a time",
        ORDERS,
        STOCK,
        positive=played(_PLAIN, slow, seed=204),
        near_miss=played(_PLAIN, fine, seed=204),
        negative=played(_PLAIN, seed=204),
    )


def slow_pod() -> Behaviour:
    """Calls into and out of one instance take longer; nearly: all calls over one edge do."""
    reaching = system((call(STOCK),), (call(DATABASE),), replicas=3)
    return Behaviour(
        "slow-pod",
        "The network of one instance of orders is slow, in both directions",
        ENTRY,
        ORDERS,
        positive=played(reaching, SlowPod(service="orders", instance=0, add_ms=40), seed=205),
        near_miss=played(
            reaching, SlowEdge(downstream="web", upstream="orders", add_ms=14), seed=205
        ),
        negative=played(reaching, seed=205),
    )


def ejection() -> Behaviour:
    """A failing instance of four is left out and tried again; nearly: it is, but never failed."""
    four = system((call(STOCK),), replicas=4)
    outlier = Outlier(service="stock", instance=0, ratio=0.9)
    return Behaviour(
        "ejection",
        "One of four instances of stock fails; it gets no calls for 18 s, then some again",
        ORDERS,
        STOCK,
        positive=played(four, outlier, seed=207),
        near_miss=played(four, replace(outlier, ratio=0.0), seed=207),
        negative=played(four, replace(outlier, ejected_seconds=0.0), seed=207),
    )


def outlier_instance() -> Behaviour:
    """One instance of four is slow; nearly: all four are slower by a quarter of that."""
    four = system((call(STOCK),), replicas=4)
    return Behaviour(
        "outlier-instance",
        "One of four instances of stock takes 120 ms longer and fails every tenth request",
        ORDERS,
        STOCK,
        positive=played(
            four,
            Slower(service="stock", instance=0, add_ms=120),
            Failing(service="stock", instance=0, ratio=0.1),
            seed=206,
        ),
        near_miss=played(four, Slower(service="stock", add_ms=30), seed=206),
        negative=played(four, seed=206),
    )
