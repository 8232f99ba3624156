"""Behaviours: for each thing to be recognised, a run that has it, one that nearly has, one without.

::

    resilience      how callers handle a slow or failing upstream
    layers          two layers of callers that handle the same upstream
    incidents       what goes wrong, and where
    shapes          how an operation makes its calls
    recordings      which part of the traces is recorded

All runs are in memory and lazy: nothing is played before spans or truth are asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from tracemap.simulate.behaviours.behaviour import Behaviour
from tracemap.simulate.behaviours.incidents import (
    cold_cache,
    deploy,
    ejection,
    error_burst,
    outlier_instance,
    queueing,
    short_circuit,
    slow_pod,
)
from tracemap.simulate.behaviours.layers import deadline_inversion, layered_retries
from tracemap.simulate.behaviours.recordings import broken_traces, head_sampling, tail_sampling
from tracemap.simulate.behaviours.resilience import (
    circuit_breaker,
    deadline_grpc,
    fallback,
    hedging,
    retry_grpc,
    retry_http,
    retry_storm,
    timeout,
)
from tracemap.simulate.behaviours.shapes import fan_out, n_plus_one, sequential_calls

MAKERS: tuple[Callable[[], Behaviour], ...] = (
    retry_http,
    retry_grpc,
    retry_storm,
    timeout,
    deadline_grpc,
    circuit_breaker,
    fallback,
    hedging,
    layered_retries,
    deadline_inversion,
    cold_cache,
    short_circuit,
    queueing,
    error_burst,
    deploy,
    slow_pod,
    outlier_instance,
    ejection,
    n_plus_one,
    fan_out,
    sequential_calls,
    head_sampling,
    tail_sampling,
    broken_traces,
)


def behaviours() -> list[Behaviour]:
    """Return all behaviours, always the same runs."""
    return [make() for make in MAKERS]


__all__ = [
    "MAKERS",
    "Behaviour",
    "behaviours",
    "broken_traces",
    "circuit_breaker",
    "cold_cache",
    "deadline_grpc",
    "deadline_inversion",
    "deploy",
    "ejection",
    "error_burst",
    "fallback",
    "fan_out",
    "head_sampling",
    "hedging",
    "layered_retries",
    "n_plus_one",
    "outlier_instance",
    "queueing",
    "retry_grpc",
    "retry_http",
    "retry_storm",
    "sequential_calls",
    "short_circuit",
    "slow_pod",
    "tail_sampling",
    "timeout",
]
