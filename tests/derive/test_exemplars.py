"""Traces that people should look at."""

from __future__ import annotations

import polars as pl

from tests.derive.traces import MS, at, facts_of
from tracemap import derive
from tracemap.model import Facts


def test_slowest_and_median_traces_are_kept() -> None:
    """Three each, by rank."""
    facts = facts_of(*(at("A.S", n, 0, (0, n), trace=n) for n in range(1, 12)))
    ms = facts["exemplars"].with_columns(ms=pl.col("duration_ns") // MS)

    assert ms.filter(role="worst")["ms"].to_list() == [11, 10, 9]
    assert ms.filter(role="typical")["ms"].to_list() == [6, 5, 7]
    assert ms.filter(role="worst")["rank"].to_list() == [1, 2, 3]


def test_merging_keeps_the_slowest_of_all() -> None:
    """The worst of the parts are the worst of the whole."""
    parts = [
        facts_of(*(at("A.S", n, 0, (0, n), trace=n) for n in range(first, 20, 2)))
        for first in (1, 2)
    ]
    merged = derive.merge(Facts.concatenate(parts))["exemplars"]

    assert (merged.filter(role="worst")["duration_ns"] // MS).to_list() == [19, 18, 17]
    assert merged.filter(role="typical").height == 3


def test_trace_with_two_roots_of_one_operation_counts_once() -> None:
    """With the longer one."""
    facts = facts_of(at("A.S", 1, 0, (0, 10)), at("A.S", 2, 0, (0, 30)))

    assert (facts["exemplars"].filter(role="worst")["duration_ns"] // MS).to_list() == [30]


def test_trace_without_its_root_is_shown_by_its_orphans() -> None:
    """An export that starts behind a gateway has orphans only."""
    facts = facts_of(at("A.S", 1, 99))

    assert facts["exemplars"]["service"].to_list() == ["A", "A"]
