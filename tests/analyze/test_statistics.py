"""Slowdowns, tails and discoveries against brute force and published values."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemap.analyze.statistics import (
    discoveries,
    jackknife,
    overdispersion,
    slowdown,
    upper_tail,
)
from tracemap.model.histogram import bucket


def _histogram(durations: list[int], *, during: bool, cells: int = 10) -> pl.DataFrame:
    return pl.DataFrame({"duration_ns": durations}).select(
        bucket(pl.col("duration_ns")).alias("bucket"),
        unit=pl.lit("u"),
        count=1,
        during=pl.lit(value=during),
        cell=pl.int_range(pl.len()) % cells,
    )


def _slowdown(
    before: list[int], during: list[int], traces: tuple[float, float] | None = None
) -> dict[str, float]:
    rows = pl.concat([_histogram(before, during=False), _histogram(during, during=True)])
    known = [("u", side == 1, count) for side, count in enumerate(traces or ())]
    schema = {"unit": pl.String, "during": pl.Boolean, "traces": pl.Float64}
    from_traces = pl.DataFrame(known, schema=schema, orient="row")
    return slowdown(rows, ["unit"], "during", "cell", from_traces).row(0, named=True)


def test_ten_calls_that_are_all_slower_are_enough() -> None:
    """Thirty times as slow, with one giant among them: the mean would be uncertain."""
    fast = [10_000_000 + 300_000 * i for i in range(15)]
    slow = [30 * duration for duration in fast[:9]] + [9_000_000_000]
    found = _slowdown(fast, slow)

    assert found["ratio"] > 30
    assert found["ratio_low"] > 10


def test_one_giant_request_is_no_slowdown() -> None:
    """It moves the mean by a factor of six, and the typical call hardly at all."""
    fast = [10_000_000 + 300_000 * i for i in range(20)]
    found = _slowdown(fast, [*fast[:-1], 1_000_000_000])

    assert found["ratio"] < 1.3
    assert found["ratio_low"] < 1


def test_ten_calls_of_one_trace_are_one_event() -> None:
    """A pause that hit one request hit all its calls: that is no evidence of ten."""
    fast = [10_000_000 + 300_000 * i for i in range(20)]
    slow = [2 * duration for duration in fast[:10]]

    assert _slowdown(fast, slow, traces=(20.0, 10.0))["ratio_low"] > 1.5
    assert _slowdown(fast, slow, traces=(20.0, 1.0))["z"] < _slowdown(fast, slow)["z"] / 2


def test_a_single_call_proves_nothing() -> None:
    """Twice as slow as any before: one call has no spread."""
    fast = [10_000_000 + 300_000 * i for i in range(20)]

    assert _slowdown(fast, [2 * max(fast)])["ratio_low"] < 1


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_interval_of_no_change_holds_one_as_often_as_it_says(seed: int) -> None:
    """Ninety-five in a hundred: of two hundred, fewer than 184 or all is one in a thousand."""
    rng = np.random.default_rng(seed)
    lower = 0
    for _ in range(200):
        drawn = np.exp(rng.normal(16, 0.8, 60)).astype(np.int64).tolist()
        lower += _slowdown(drawn[:30], drawn[30:])["ratio_low"] > 1
    assert lower <= 16


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
