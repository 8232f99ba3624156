"""Episodes of raised latency: found when they are there, and only then."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tracemap.analyze import judged, spikes
from tracemap.model import LATENCY_FACTS, MINUTE_NS, SPIKES
from tracemap.model.histogram import bucket


def _latency(
    *,
    calls: int = 120,
    minutes: int = 60,
    slow: range = range(0),
    factor: float = 3.0,
    seed: int = 1,
    drift: float = 0.05,
    name: str = "db",
) -> pl.DataFrame:
    """Return facts of one unit: log-normal around 40 ms, with slow minutes."""
    rng = np.random.default_rng(seed)
    minute = np.repeat(np.arange(minutes), calls)
    level = rng.normal(0, drift, minutes)[minute]
    duration = 40e6 * np.exp(level + rng.normal(0, 0.4, minute.size))
    duration = np.where(np.isin(minute, list(slow)), duration * factor, duration)
    frame = pl.DataFrame({"minute": minute, "duration_ns": duration.astype(np.int64)})
    return LATENCY_FACTS.conform(
        frame.group_by(
            window_start_ns=pl.col("minute") * MINUTE_NS, bucket=bucket(pl.col("duration_ns"))
        )
        .agg(count=pl.len(), sum_ns=pl.col("duration_ns").sum())
        .with_columns(
            unit=pl.lit("server"),
            service=pl.lit(name),
            operation=pl.lit("query"),
            downstream=pl.lit(""),
            errors=pl.lit(0),
        )
    )


def test_eight_slow_minutes_are_one_episode() -> None:
    """Its start and end are those of the slow minutes, its ratio that of the fault."""
    rows = spikes(_latency(slow=range(20, 28)))
    assert rows.height == 1
    row = rows.row(0, named=True)
    assert (row["start_ns"], row["end_ns"]) == (20 * MINUTE_NS, 28 * MINUTE_NS)
    assert row["ratio"] == pytest.approx(3.0, rel=0.15)
    assert row["calls"] == 8 * 120
    assert row["excess_ns"] == pytest.approx(8 * 120 * 40e6 * 2 * np.exp(0.08), rel=0.1)


def test_two_faults_apart_are_two_episodes() -> None:
    """A quiet stretch between them is kept out of both."""
    rows = spikes(
        _latency(slow=range(10, 14)).pipe(_with, _latency(slow=range(40, 44), name="api"))
    )
    assert sorted(zip(rows["service"], rows["start_ns"] // MINUTE_NS, strict=True)) == [
        ("api", 40),
        ("db", 10),
    ]


def _with(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([one, other])


@pytest.mark.parametrize("first", [20, 25, 40])
def test_a_regression_that_stays_is_an_episode_to_the_end(first: int) -> None:
    """Most of the hour is slow, and slow is not the usual."""
    (row,) = spikes(_latency(slow=range(first, 60))).to_dicts()
    assert (row["start_ns"], row["end_ns"]) == (first * MINUTE_NS, 60 * MINUTE_NS)


def test_a_hundred_quiet_hours_have_at_most_two_spikes() -> None:
    """Minutes that differ by chance and by load are no incidents."""
    found = sum(spikes(_latency(seed=seed)).height for seed in range(100))
    assert found <= 2


def test_a_rise_nobody_would_act_on_is_no_spike() -> None:
    """Twelve per cent more is certain, and below the least ratio."""
    assert spikes(_latency(slow=range(20, 30), factor=1.12, drift=0.005)).is_empty()


def test_a_rise_of_microseconds_is_no_spike() -> None:
    """Three times as slow, and still under five milliseconds."""
    facts = _latency(slow=range(20, 28))
    fast = facts.with_columns(bucket=pl.col("bucket") - 64 * 7, sum_ns=pl.col("sum_ns") // 128)
    assert spikes(fast).is_empty()


def test_thin_data_is_not_judged() -> None:
    """Five calls a minute say nothing about a median, nor do ten minutes about the usual."""
    assert judged(_latency(calls=1, minutes=60)).is_empty()
    assert judged(_latency(minutes=10)).is_empty()
    assert spikes(_latency(calls=1, slow=range(20, 28))).is_empty()


def test_few_calls_are_judged_over_wider_cells() -> None:
    """Ten calls a minute make fifty in five."""
    width = judged(_latency(calls=10, minutes=240))["width_ns"].to_list()
    assert width == [5 * MINUTE_NS]


def test_no_facts_no_spikes() -> None:
    """Empty in, empty out, with the declared columns."""
    rows = spikes(LATENCY_FACTS.empty())
    assert rows.is_empty()
    assert rows.schema == SPIKES.schema


def test_order_of_rows_does_not_matter() -> None:
    """Facts are a set."""
    facts = _latency(slow=range(20, 28))
    assert spikes(facts.sample(fraction=1.0, shuffle=True, seed=4)).equals(spikes(facts))
