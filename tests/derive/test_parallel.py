"""Blocks of calls side by side, and how far each call reaches into them."""

from __future__ import annotations

import polars as pl

from tests.builders import Row
from tests.derive.traces import MS, at, facts_of


def _request(trace: int, calls: dict[str, list[tuple[float, float]]]) -> list[Row]:
    spans = [at("A.S", 100 * trace, trace=trace)]
    for name, times in calls.items():
        for each in times:
            number = 100 * trace + len(spans)
            spans.append(
                at("A.C", number, 100 * trace, each, trace=trace, operation=name,
                   peer_kind="database", peer_name="pg")
            )  # fmt: skip
    return spans


def _blocks(*requests: dict[str, list[tuple[float, float]]]) -> pl.DataFrame:
    spans = [row for number, calls in enumerate(requests, 1) for row in _request(number, calls)]
    facts = facts_of(*spans)
    names = facts["paths"].select("path_id", "operation")
    return facts["parallel_facts"].join(names, on="path_id").sort("operation", "reach_ns")


def test_calls_reach_from_the_start_of_their_block() -> None:
    """b begins 10 ms after a and ends at 40 ms: it reaches 40 ms, all of them on the path."""
    rows = _blocks({"a": [(0, 20)], "b": [(10, 40)]})

    assert rows["operation"].to_list() == ["a", "b"]
    assert rows["reach_ns"].to_list() == [20 * MS, 40 * MS]
    assert rows["on_parent_ns"].sum() == 30 * MS
    assert rows["block_id"].n_unique() == 1


def test_calls_one_after_another_make_no_block() -> None:
    """Nor do several calls of one operation, however they are made."""
    assert _blocks({"a": [(0, 20)], "b": [(30, 50)]}).is_empty()
    assert _blocks({"a": [(0, 20), (5, 30)]}).is_empty()


def test_the_last_call_of_a_path_counts_and_a_later_block_is_another() -> None:
    """a reaches 30 ms by two calls; c and b are a block of their own, of another sort."""
    rows = _blocks({"a": [(0, 20), (20, 30)], "b": [(5, 25), (50, 70)], "c": [(50, 60)]})

    assert rows.select("operation", pl.col("reach_ns") // MS).rows() == [
        ("a", 30), ("b", 20), ("b", 25), ("c", 10),
    ]  # fmt: skip
    assert rows["block_id"].n_unique() == 2


def test_blocks_of_the_same_paths_are_of_one_sort() -> None:
    """In whichever order their calls begin."""
    rows = _blocks({"a": [(0, 20)], "b": [(10, 40)]}, {"b": [(0, 40)], "a": [(30, 50)]})

    assert rows["block_id"].n_unique() == 1
    assert rows["count"].sum() == 4
