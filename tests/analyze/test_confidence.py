"""Why an origin is a lead rather than a finding."""

from __future__ import annotations

from typing import Any

import pytest

from tracemap.analyze.confidence import FEW_CALLS, NOT_FELT, UNCERTAIN, doubt, not_felt
from tracemap.analyze.thresholds import Thresholds

LIMITS = Thresholds()


def component(**more: float | str) -> dict[str, Any]:
    """Own time that got three times as slow, without doubt."""
    return {
        "kind": "self", "excess": 20e6, "weight": 1.0, "ratio_low": 3.0, "calls": 500,
        "baseline_calls": 900, **more,
    }  # fmt: skip


def test_much_slower_on_many_calls_leaves_no_doubt() -> None:
    """That is what a finding is."""
    assert doubt([(component(), 1.0)], half=5e6, z=4.0, limits=LIMITS) is None


@pytest.mark.parametrize("counts", [{"calls": 8}, {"baseline_calls": 8}])
def test_eight_calls_make_no_finding(counts: dict[str, int]) -> None:
    """However much slower they were: they may be one user's."""
    found = doubt([(component(ratio_low=30.0, **counts), 1.0)], half=1e6, z=12.0, limits=LIMITS)

    assert found == FEW_CALLS


def test_a_few_calls_beside_many_take_nothing_away() -> None:
    """Half of the excess rests on calls enough."""
    shares = [(component(), 1.0), (component(calls=3), 0.5)]

    assert doubt(shares, half=5e6, z=4.0, limits=LIMITS) is None


def test_more_calls_than_none_before_are_no_handful() -> None:
    """Kinds that count calls may have had none before: that is the change."""
    made = component(kind="calls", baseline_calls=0)

    assert doubt([(made, 1.0)], half=1e6, z=9.0, limits=LIMITS) is None


def test_a_little_slower_and_not_certain_is_uncertain() -> None:
    """Bursts look like that."""
    found = doubt([(component(ratio_low=1.3), 1.0)], half=15e6, z=3.5, limits=LIMITS)

    assert found == UNCERTAIN


@pytest.mark.parametrize(
    ("excess_ms", "flow_ms", "expected"),
    [(53.6, -4.2, NOT_FELT), (53.6, 2.0, NOT_FELT), (53.6, 20.0, None), (53.6, None, None)],
)
def test_the_flow_has_to_agree_in_sign_and_size(
    excess_ms: float, flow_ms: float | None, expected: str | None
) -> None:
    """A bystander that moved is no origin of what users lost; without a flow nobody can tell."""
    flow_ns = None if flow_ms is None else flow_ms * 1e6

    assert not_felt(excess_ms * 1e6, flow_ns, LIMITS) == expected
