"""A circuit breaker, call by call in the order of time, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracemap.compiled import kernel
from tracemap.model import SECOND_NS
from tracemap.simulate.draws import Integers, Mask
from tracemap.simulate.policies import Breaker

_CLOSED, _OPEN, _HALF_OPEN = 0, 1, 2
_MILLION = 1_000_000


def admitted(
    breaker: Breaker, replica: Integers, start_ns: Integers, duration_ns: Integers, failed: Mask
) -> Mask:
    """Return which calls are let through; every instance decides for itself.

    Args:
        breaker: The rules.
        replica: Which instance of downstream makes each call.
        start_ns: When.
        duration_ns: How long the call would take.
        failed: Whether it would fail.
    """
    bad = failed.copy()
    if breaker.slow_ms is not None:
        bad |= duration_ns >= round(breaker.slow_ms * _MILLION)
    rules = (
        round(breaker.window_seconds * SECOND_NS),
        breaker.least_calls,
        round(breaker.failure_ratio * _MILLION),
        round(breaker.open_seconds * SECOND_NS),
        breaker.probes,
    )
    allowed = np.ones(len(replica), dtype=np.bool_)
    for number in np.unique(replica):
        own = np.flatnonzero(replica == number)
        start, end = start_ns[own], start_ns[own] + duration_ns[own]
        by_start = np.argsort(start, kind="stable")
        by_end = np.argsort(end, kind="stable")
        allowed[own] = _admit(by_start, by_end, start, end, bad[own], rules)
    return allowed


@kernel
def _admit(by_start: Any, by_end: Any, start: Any, end: Any, bad: Any, rules: Any) -> Any:  # noqa: ANN401, PLR0917
    """Return which calls pass: calls that ended are counted before the next one starts."""
    open_ns, probes = rules[3], rules[4]
    count = len(start)
    allowed = np.zeros(count, dtype=np.bool_)
    epoch = np.zeros(count, dtype=np.int64)
    watched = np.zeros(count, dtype=np.int64)
    # state, epoch, open until, first watched, last watched, bad ones, probes sent, done, bad
    memory = np.zeros(9, dtype=np.int64)
    ended = 0
    for call in by_start:
        now = start[call]
        while ended < count and end[by_end[ended]] <= now:
            done = by_end[ended]
            if allowed[done] and epoch[done] == memory[1]:
                _count(memory, watched, done, end, bad, rules)
            ended += 1
        if memory[0] == _OPEN and now >= memory[2]:
            _turn(memory, _HALF_OPEN, now + open_ns)
        passes = memory[0] == _CLOSED or (memory[0] == _HALF_OPEN and memory[6] < probes)
        if passes:
            allowed[call] = True
            epoch[call] = memory[1]
            memory[6] += 1
    return allowed


@kernel
def _count(memory: Any, watched: Any, done: int, end: Any, bad: Any, rules: Any) -> None:  # noqa: ANN401, PLR0917
    """Count a call that ended, and open or close the breaker if that decides it."""
    window_ns, least, ratio, open_ns, probes = rules
    if memory[0] == _HALF_OPEN:
        memory[7] += 1
        memory[8] += bad[done]
        if memory[7] == probes:
            failed = memory[8] * _MILLION >= ratio * probes
            _turn(memory, _OPEN if failed else _CLOSED, end[done] + open_ns)
        return
    watched[memory[4]] = done
    memory[4] += 1
    memory[5] += bad[done]
    while end[watched[memory[3]]] < end[done] - window_ns:
        memory[5] -= bad[watched[memory[3]]]
        memory[3] += 1
    total = memory[4] - memory[3]
    if total >= least and memory[5] * _MILLION >= ratio * total:
        _turn(memory, _OPEN, end[done] + open_ns)


@kernel
def _turn(memory: Any, state: int, until_ns: int) -> None:  # noqa: ANN401
    """Enter a state with nothing counted yet."""
    memory[0] = state
    memory[1] += 1
    memory[2] = until_ns
    memory[3] = memory[4]
    memory[5:] = 0
