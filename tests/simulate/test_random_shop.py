from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemap.simulate import random_fault, random_shop, run
from tracemap.simulate.random_shop import MOST_SPANS, reachable


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1_000_000))
def test_everything_in_a_random_shop_can_be_reached(seed: int) -> None:
    """A fault anywhere can matter."""
    shop = random_shop(seed)

    assert reachable(shop) == set(shop.operations)
    assert {key.service for key in shop.operations} == set(shop.services)


def test_the_same_seed_gives_the_same_shop_and_fault() -> None:
    """An accuracy figure can be taken apart, case by case."""
    assert random_shop(12) == random_shop(12)
    assert random_fault(random_shop(12), 3) == random_fault(random_shop(12), 3)
    assert random_shop(12) != random_shop(13)


@pytest.mark.parametrize("seed", range(5))
def test_requests_stay_of_a_bounded_size(seed: int) -> None:
    """No random tree explodes; messages and their consumers come on top."""
    spans = run(random_shop(seed), minutes=0.5, seed=seed).spans
    sizes = spans["trace_low"].value_counts()["count"]

    assert sizes.max() <= 1 + MOST_SPANS + 1  # type: ignore[operator]


def test_random_faults_are_of_every_sort() -> None:
    """A hundred draws are enough to see them all."""
    shop = random_shop(4)
    drawn = [random_fault(shop, seed) for seed in range(100)]

    assert {type(fault).__name__ for fault in drawn} == {
        "MoreCalls", "SlowEdge", "SlowNetwork", "Slower",
    }  # fmt: skip
    assert {(fault.start_minute, fault.end_minute) for fault in drawn} == {(20.0, 30.0)}


def test_the_number_of_services_can_be_asked_for() -> None:
    """At most: what no request reaches is left out."""
    kinds = [service.kind for service in random_shop(1, services=20).services.values()]

    assert 3 <= kinds.count("service") <= 20
