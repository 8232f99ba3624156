from __future__ import annotations

from tracemap.simulate import Breaker, Hedge, Policy, Retry


def test_exponential_pauses_double_up_to_a_limit() -> None:
    """50, 100, 200, then no longer than asked."""
    retry = Retry(first_ms=50, factor=2, most_ms=300)

    assert [retry.pause_ns(number) / 1_000_000 for number in range(4)] == [50, 100, 200, 300]


def test_constant_pauses_stay_and_immediate_ones_are_none() -> None:
    """Whatever the attempt."""
    constant, immediate = Retry(backoff="constant", first_ms=50), Retry(backoff="immediate")

    assert [constant.pause_ns(number) for number in range(3)] == [50_000_000] * 3
    assert [immediate.pause_ns(number) for number in range(3)] == [0] * 3


def test_a_policy_names_the_mechanisms_it_has() -> None:
    """One attempt is no retry."""
    full = Policy(
        timeout_ms=1, retry=Retry(), breaker=Breaker(), hedge=Hedge(after_ms=1), hit_ratio=0.5
    )

    assert full.mechanisms == ("breaker", "cache", "hedge", "retry", "timeout")
    assert Policy(retry=Retry(attempts=1)).mechanisms == ()
