"""Log buckets: how far off a percentile can be, and that counts add up."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemap.model import ZERO_BUCKET, histogram

LAW = settings(deadline=None, max_examples=60)
DURATIONS = st.lists(st.integers(0, 4 * 3600 * 10**9), min_size=1, max_size=200)


@LAW
@given(DURATIONS)
def test_percentiles_are_within_the_error_bound(durations_ns: list[int]) -> None:
    """Of the observation with that rank, give or take half a nanosecond."""
    found = histogram.percentiles(_counted(durations_ns)).row(0, named=True)
    ordered = sorted(durations_ns)
    for percent in (50, 95, 99):
        true = ordered[-(-percent * len(ordered) // 100) - 1]
        assert abs(found[f"p{percent}_ns"] - true) <= histogram.RELATIVE_ERROR * true + 0.5
    assert found["calls"] == len(durations_ns)


@LAW
@given(DURATIONS, DURATIONS)
def test_rows_of_one_bucket_are_summed(one: list[int], other: list[int]) -> None:
    """So windows merge by concatenating their rows."""
    apart = pl.concat([_counted(one), _counted(other)])

    assert histogram.percentiles(apart).equals(histogram.percentiles(_counted(one + other)))


def test_powers_of_two_lie_at_the_upper_end_of_their_bucket() -> None:
    """Boundaries do not depend on the last bit of a logarithm."""
    powers = pl.DataFrame({"ns": [2**exponent for exponent in range(62)]})
    found = powers.select(histogram.bucket(pl.col("ns")))["ns"]

    assert found.to_list() == [64 * exponent - 1 for exponent in range(62)]


def test_zero_has_its_own_bucket_and_negative_durations_none() -> None:
    """Zero comes back as zero."""
    found = pl.DataFrame({"ns": [0, -5, None]}).select(
        bucket=histogram.bucket(pl.col("ns")), value=histogram.value(histogram.bucket(pl.col("ns")))
    )

    assert found.rows() == [(ZERO_BUCKET, 0), (None, None), (None, None)]


def test_units_without_observations_have_no_row() -> None:
    """There is no percentile of nothing."""
    rows = pl.DataFrame({"unit": ["a", "b"], "bucket": [10, 10], "count": [0, 2]})

    assert histogram.percentiles(rows, ["unit"])["unit"].to_list() == ["b"]
    assert histogram.percentiles(rows.clear()).is_empty()


def _counted(durations_ns: list[int]) -> pl.DataFrame:
    frame = pl.DataFrame({"ns": durations_ns}, schema={"ns": pl.Int64})
    return frame.group_by(histogram.bucket(pl.col("ns")).alias("bucket")).agg(count=pl.len())
