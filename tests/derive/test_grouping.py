"""Sums by key: the same as a general group-by."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tracemap.derive.grouping import grouped, is_strictly_sorted, numbered

ROWS = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 2), st.integers(-9, 9)), max_size=60)


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_sums_are_those_of_a_general_group_by(rows: list[tuple[int, int, int]]) -> None:
    """Counts, sums, smallest and largest, in the order of the key."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    one, two, values = table.T.copy()
    found = grouped(
        {"one": one, "two": two},
        {"sum": values, "least": values, "most": values},
        smallest=["least"],
        largest=["most"],
    )
    expected = (
        pl.DataFrame({"one": one, "two": two, "value": values})
        .group_by("one", "two")
        .agg(
            rows=pl.len(),
            sum=pl.col("value").sum(),
            least=pl.col("value").min(),
            most=pl.col("value").max(),
        )
        .sort("one", "two")
    )

    assert found.rows() == expected.rows()


def test_many_groups_make_the_table_grow() -> None:
    """Far more than it starts with, all distinct, all found again."""
    keys = np.arange(20_000, dtype=np.int64)
    number, distinct = numbered({"key": np.concatenate((keys, keys))})

    assert distinct["key"].to_list() == keys.tolist()
    assert number.tolist() == [*keys.tolist(), *keys.tolist()]


def test_rows_that_are_summed_already_are_recognised() -> None:
    """By key, each key once."""
    assert is_strictly_sorted({"a": np.array([1, 1, 2]), "b": np.array([1, 2, 0])})
    assert not is_strictly_sorted({"a": np.array([1, 1]), "b": np.array([2, 2])})
    assert not is_strictly_sorted({"a": np.array([1, 2, 1])})
