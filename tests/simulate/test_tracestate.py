from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemap.simulate.tracestate import adjusted_count, tracestate


@pytest.mark.parametrize(
    ("probability", "state"),
    [(1.0, "ot=th:0"), (0.5, "ot=th:8"), (0.25, "ot=th:c"), (0.01, "ot=th:fd70a3d70a3d7")],
)
def test_thresholds_are_written_as_the_specification_shows_them(
    probability: float, state: str
) -> None:
    """Fourteen digits at most, zeros at the end left out."""
    assert tracestate(probability) == state


@given(st.floats(0.001, 1.0))
def test_a_trace_stands_for_as_many_as_its_probability_says(probability: float) -> None:
    """The adjusted count is the inverse."""
    assert adjusted_count(tracestate(probability)) == pytest.approx(1 / probability)


def test_without_a_threshold_nothing_is_known() -> None:
    """No guess."""
    assert adjusted_count("") == 0.0
    assert adjusted_count("vendor=1") == 0.0
