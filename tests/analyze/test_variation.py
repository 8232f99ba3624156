"""What windows vary by anyway, and what is more than that."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analyze.simulated import case
from tracemap import analyze, simulate
from tracemap.analyze.variation import beyond_variation, cells_seen, root_halves, t_95
from tracemap.simulate import Slower

TESTED = np.ones(2, dtype=np.bool_)


def _rises(*errors: float, parts: int) -> np.ndarray:
    """A rise of 10 each, whose jackknife gives about these standard errors."""
    wave = np.where(np.arange(parts) % 2 == 0, 1.0, -1.0)
    replicates = 10 + wave[:, None] * np.array(errors) / np.sqrt(parts - 1)
    return np.concatenate([np.full((1, len(errors)), 10.0), replicates])


def test_a_rise_that_every_cell_has_is_more_than_variation() -> None:
    """The other one is as large, and in some cells only."""
    by_trace, by_cell = _rises(1, 1, parts=50), _rises(1, 9, parts=20)

    assert beyond_variation((by_trace, by_cell), 20, TESTED, 0.05).tolist() == [True, False]


def test_the_larger_of_both_errors_counts() -> None:
    """Few traces are as good a reason to doubt as restless minutes."""
    by_trace, by_cell = _rises(9, 1, parts=50), _rises(1, 1, parts=20)

    assert beyond_variation((by_trace, by_cell), 20, TESTED, 0.05).tolist() == [False, True]


def test_one_of_many_that_would_pass_alone_does_not_pass() -> None:
    """p = 0.02 is nothing among fifty."""
    errors = [4.5] + [50.0] * 49
    rises = _rises(*errors, parts=50), _rises(*errors, parts=20)
    alone = tuple(part[:, :1] for part in rises)

    assert beyond_variation((alone[0], alone[1]), 20, np.ones(1, dtype=np.bool_), 0.05).all()
    assert not beyond_variation(rises, 20, np.ones(50, dtype=np.bool_), 0.05).any()


def test_with_a_handful_of_cells_only_traces_count() -> None:
    """Four cells cannot tell how a window varies."""
    by_trace, by_cell = _rises(1, 1, parts=50), _rises(1, 9, parts=4)

    assert beyond_variation((by_trace, by_cell), 4, TESTED, 0.05).all()


@pytest.mark.parametrize(("degrees", "expected"), [(4, 2.776), (19, 2.093), (49, 2.010)])
def test_half_widths_are_those_of_students_t(degrees: int, expected: float) -> None:
    """Values of a table of quantiles."""
    assert t_95(degrees) == pytest.approx(expected, abs=0.05)


def test_a_real_slowdown_is_beyond_what_the_minutes_vary_by() -> None:
    """The interval of each root knows both sorts of chance, and the fault stands out of both."""
    slow = case(simulate.shop(), Slower(service="search", add_ms=40, start_minute=0, end_minute=0))
    windows = slow.incident, slow.baseline
    halves = root_halves(slow.facts["path_facts"], slow.facts["paths"], *windows)
    flow = analyze.flow(slow.facts["path_facts"], slow.facts["paths"], *windows)
    hit = flow.filter(root_operation="GET /search", parent_path_id=0, leaf="").row(0, named=True)

    assert cells_seen(slow.facts["path_facts"], *windows) == 20
    assert hit["high_ns"] - hit["share_ns"] >= halves[hit["path_id"]] - 1
    assert hit["low_ns"] > 0
