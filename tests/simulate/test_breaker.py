from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemap.model import SECOND_NS
from tracemap.simulate import Breaker
from tracemap.simulate.breaker import admitted

RULES = Breaker(failure_ratio=0.5, window_seconds=100, least_calls=4, open_seconds=10, probes=2)


def _passes(failed: list[bool], breaker: Breaker = RULES, duration_ms: int = 10) -> list[bool]:
    """Which calls pass, made one a second by one instance."""
    size = len(failed)
    allowed = admitted(
        breaker,
        np.zeros(size, dtype=np.int64),
        np.arange(size) * SECOND_NS,
        np.full(size, duration_ms * 1_000_000),
        np.array(failed, dtype=np.bool_),
    )
    return [bool(one) for one in allowed]


def test_it_opens_after_enough_failures_and_probes_when_the_time_is_over() -> None:
    """Four failures open it for ten seconds; two probes fail and it opens again."""
    passes = _passes([True] * 28)

    assert [place for place, passed in enumerate(passes) if passed] == [0, 1, 2, 3, 14, 15, 26, 27]


def test_it_closes_when_the_probes_go_well() -> None:
    """From then on all calls pass."""
    passes = _passes([True] * 4 + [False] * 30)

    assert passes == [True] * 4 + [False] * 10 + [True] * 20


def test_it_does_not_judge_too_few_calls() -> None:
    """Three failures in a row, a good call, three more: fewer than half of least_calls count."""
    assert all(_passes([True] * 3, RULES))
    assert all(_passes([False, False, False, True] * 20, RULES))


def test_old_failures_are_forgotten() -> None:
    """Within four seconds there are never six calls, however many failed before."""
    short = Breaker(failure_ratio=0.5, window_seconds=4, least_calls=6)
    long = Breaker(failure_ratio=0.5, window_seconds=8, least_calls=6)

    assert all(_passes([True] * 40, short))
    assert not all(_passes([True] * 40, long))


def test_slow_calls_count_as_bad_where_asked() -> None:
    """They open it though none failed."""
    patient, hasty = Breaker(least_calls=4), Breaker(least_calls=4, slow_ms=400)

    assert all(_passes([False] * 20, patient, duration_ms=500))
    assert not all(_passes([False] * 20, hasty, duration_ms=500))


def test_every_instance_has_its_own() -> None:
    """One sees failures only, the other none."""
    replica = np.arange(80) % 2
    allowed = admitted(
        RULES, replica, np.arange(80) * SECOND_NS, np.full(80, 1_000_000), replica == 0
    )

    assert allowed[replica == 1].all()
    assert not allowed[replica == 0].all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5_000))
def test_nothing_is_refused_before_enough_calls_failed(
    failed: list[bool], duration_ms: int
) -> None:
    """And calls that all go well always pass."""
    passes = _passes(failed, RULES, duration_ms)

    assert all(passes[: RULES.least_calls])
    assert all(_passes([False] * len(failed), RULES, duration_ms))
    assert all(passes) or sum(failed) >= 2
