"""Ranks, tails and discoveries against brute force and published values."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracemap.analyze.statistics import (
    discoveries,
    jackknife,
    overdispersion,
    rank_z,
    upper_tail,
)

COUNTS = st.lists(st.integers(0, 8), min_size=6, max_size=6)


def _histogram(base: list[int], incident: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "unit": ["u"] * 12,
            "bucket": [*range(6), *range(6)],
            "count": [*base, *incident],
            "during": [False] * 6 + [True] * 6,
            "cell": [0] * 12,
        }
    )


@given(base=COUNTS, incident=COUNTS)
def test_rank_statistic_equals_counting_every_pair(base: list[int], incident: list[int]) -> None:
    """Mann-Whitney from bucket counts is the same as comparing each call with each."""
    slow = [b for b, n in enumerate(incident) for _ in range(n)]
    fast = [b for b, n in enumerate(base) for _ in range(n)]
    z = rank_z(_histogram(base, incident), ["unit"], "during")["z"][0]
    if not slow or not fast or len(set(slow + fast)) == 1:
        assert z == 0
        return
    wins = sum((s > f) + (s == f) / 2 for s in slow for f in fast)
    n, m, total = len(slow), len(fast), len(slow) + len(fast)
    ties = sum((k**3 - k) for k in (a + b for a, b in zip(base, incident, strict=True)))
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    assert z == pytest.approx((wins - n * m / 2) / math.sqrt(variance))


@pytest.mark.parametrize(
    ("t", "degrees", "tail"),
    [(2.015, 5, 0.05), (2.093, 19, 0.025), (3.579, 19, 0.001), (1.645, 10_000, 0.05)],
)
def test_tail_of_student_matches_the_printed_tables(t: float, degrees: int, tail: float) -> None:
    """The approximation is good to a few per cent of the probability."""
    assert upper_tail(np.array([t]), np.array([degrees]))[0] == pytest.approx(tail, rel=0.03)


def test_benjamini_hochberg_calls_what_its_authors_call() -> None:
    """The example of the paper (1995, section 3.1): four of fifteen at 5 %."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    p += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert discoveries(np.array(p[::-1]), 0.05).sum() == 4


def test_a_burst_in_one_cell_counts_as_one_event() -> None:
    """The same calls, once spread over all cells and once in a single one."""
    rng = np.random.default_rng(1)
    buckets = rng.integers(1000, 1040, 2000)
    slow = buckets.copy()
    slow[:200] += 300
    spread_cells = np.arange(2000) % 20
    burst_cells = np.arange(2000) // 100
    ratio = {}
    for name, cells in (("spread", spread_cells), ("burst", burst_cells)):
        frame = pl.DataFrame({"bucket": slow, "cell": cells, "count": 1, "during": True})
        unit = frame.with_columns(unit=pl.lit("u"))
        ratio[name] = overdispersion(unit, ["unit"], "cell")["overdispersion"][0]
    assert ratio["spread"] < 2
    assert ratio["burst"] > 20


def test_a_handful_of_calls_is_not_called_bursty() -> None:
    """Two calls a cell cannot tell a burst from chance."""
    rng = np.random.default_rng(2)
    ratios = []
    for _ in range(200):
        frame = pl.DataFrame(
            {
                "unit": "u",
                "bucket": rng.integers(1000, 1300, 12),
                "cell": np.arange(12) // 2,
                "count": 1,
            }
        )
        ratios.append(overdispersion(frame, ["unit"], "cell")["overdispersion"][0])
    assert np.mean(np.array(ratios) > 1) < 0.1


def test_jackknife_of_a_mean_is_its_standard_error() -> None:
    """For a mean the jackknife is exact: s / sqrt(n), times 2.01."""
    values = np.random.default_rng(3).normal(size=50)
    replicates = np.array([np.delete(values, i).mean() for i in range(50)])
    half = jackknife(replicates[:, None], np.array([values.mean()]))[0]
    assert half == pytest.approx(2.01 * values.std(ddof=1) / math.sqrt(50))
