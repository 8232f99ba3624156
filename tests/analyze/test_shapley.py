"""Laws of the share in a maximum: it is the Shapley value, by its definition and its axioms."""

from __future__ import annotations

from itertools import permutations, product
from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemap.analyze.shapley import Reach, shares_of_longest


def _reach(*points: tuple[float, float]) -> Reach:
    value, chance = np.array(points).T
    return Reach(value, chance)


@st.composite
def _reaches(draw: st.DrawFn) -> Reach:
    values = draw(st.lists(st.integers(1, 50), min_size=1, max_size=3, unique=True))
    weights = draw(st.lists(st.integers(1, 9), min_size=len(values), max_size=len(values)))
    called = draw(st.sampled_from([0.3, 1.0]))
    chance = np.array(weights) / sum(weights) * called
    return Reach(np.array(values, dtype=np.float64), chance)


_PAIRS = st.lists(st.tuples(_reaches(), _reaches()), min_size=2, max_size=4)


def _longest(reaches: list[Reach]) -> float:
    """Return the mean of the longest of independent reaches, case by case."""
    cases = [
        [(0.0, 1 - one.chance.sum()), *zip(one.value, one.chance, strict=True)] for one in reaches
    ]
    return float(
        sum(
            max(value for value, _ in case) * prod(chance for _, chance in case)
            for case in product(*cases)
        )
    )


@given(_PAIRS)
def test_it_is_what_each_adds_on_average_over_all_orders(pairs: list[tuple[Reach, Reach]]) -> None:
    """The definition, with a sum over orders that the polynomial does without."""
    before, now = map(list, zip(*pairs, strict=True))
    expected = np.zeros(len(pairs))
    for order in permutations(range(len(pairs))):
        current = list(before)
        for place in order:
            without = _longest(current)
            current[place] = now[place]
            expected[place] += (_longest(current) - without) / factorial(len(pairs))
    shares, longest_before, longest_now = shares_of_longest(before, now)

    assert shares == pytest.approx(expected, abs=1e-9)
    assert (longest_before, longest_now) == pytest.approx((_longest(before), _longest(now)))


@given(_PAIRS)
def test_shares_add_up_to_the_change(pairs: list[tuple[Reach, Reach]]) -> None:
    """Nothing is left over, nothing counts twice."""
    before, now = map(list, zip(*pairs, strict=True))
    shares, longest_before, longest_now = shares_of_longest(before, now)

    assert shares.sum() == pytest.approx(longest_now - longest_before, abs=1e-9)


@given(_PAIRS, _reaches())
def test_a_call_that_did_not_change_has_no_share(
    pairs: list[tuple[Reach, Reach]], same: Reach
) -> None:
    """However much its siblings did."""
    before, now = map(list, zip(*pairs, strict=True))

    assert shares_of_longest([*before, same], [*now, same])[0][-1] == 0.0


@given(_PAIRS, _reaches(), _reaches())
def test_calls_that_changed_alike_have_equal_shares(
    pairs: list[tuple[Reach, Reach]], before_both: Reach, now_both: Reach
) -> None:
    """Their order does not matter."""
    before, now = map(list, zip(*pairs, strict=True))
    shares = shares_of_longest([before_both, *before, before_both], [now_both, *now, now_both])[0]

    assert shares[0] == pytest.approx(shares[-1], abs=1e-9)


def test_the_example_of_the_methods() -> None:
    """From 20 and 30 ms to 100 and 80 ms side by side: 70 ms more, 45 and 25."""
    before = [_reach((20, 1.0)), _reach((30, 1.0))]
    now = [_reach((100, 1.0)), _reach((80, 1.0))]

    assert shares_of_longest(before, now)[0] == pytest.approx([45, 25])
