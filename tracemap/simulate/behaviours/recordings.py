"""Which part of the traces is recorded."""

from __future__ import annotations

from tracemap.simulate.behaviours.behaviour import (
    ENTRY,
    ORDERS,
    STOCK,
    Behaviour,
    call,
    played,
    system,
)
from tracemap.simulate.faults import Failing, Slower
from tracemap.simulate.sampling import HeadSampling, ServiceSampling, TailSampling
from tracemap.simulate.simulated import Simulated

_HEAD = HeadSampling(0.25)
_TAIL = TailSampling(slow_ms=150, share=0.1)


def head_sampling() -> Behaviour:
    """A quarter of the traces, with weights; nearly: a tail sampler's, which have none."""
    return Behaviour(
        "head-sampling",
        "Each trace is kept with probability 1/4, and its spans say so",
        ENTRY,
        ORDERS,
        positive=_sampled(_HEAD),
        near_miss=_sampled(_TAIL),
        negative=_sampled(None),
    )


def tail_sampling() -> Behaviour:
    """Slow and failed traces and a tenth of the rest; nearly: a share of all alike."""
    return Behaviour(
        "tail-sampling",
        "Slow and failed traces are kept, and a tenth of the others",
        ENTRY,
        ORDERS,
        positive=_sampled(_TAIL),
        near_miss=_sampled(_HEAD),
        negative=_sampled(None),
    )


def broken_traces() -> Behaviour:
    """Orders drops half of its spans by itself; nearly: half of all traces, all of each."""
    return Behaviour(
        "broken-traces",
        "Orders samples by itself: half of the traces lack its spans",
        ENTRY,
        ORDERS,
        positive=_sampled(ServiceSampling({"orders": 0.5})),
        near_miss=_sampled(HeadSampling(0.5)),
        negative=_sampled(None),
    )


def _sampled(sampling: HeadSampling | TailSampling | ServiceSampling | None) -> Simulated:
    return played(
        system((call(STOCK),)),
        Slower(service="stock", instance=0, add_ms=200),
        Failing(service="stock", ratio=0.05),
        seed=401,
        sampling=sampling,
    )
