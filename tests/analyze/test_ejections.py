"""Instances that are left out after they failed: what counts, and what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from tracemap.analyze import Thresholds
from tracemap.analyze.insulation.ejections import ejections
from tracemap.analyze.insulation.seen import Seen
from tracemap.model import LATENCY_FACTS, PATTERN_FACTS

_SITE = {
    "downstream": "web", "downstream_operation": "GET /",
    "upstream": "stock", "upstream_operation": "GET /stock",
}  # fmt: skip
_WELL, _BAD, _NONE = (20, 0), (20, 18), (0, 0)


def _found(*instances: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """Return what is found of instances with (calls, failed) per cell of time."""
    rows = [
        {**_SITE, "pattern": "instance", "window_start_ns": cell, "part": 2 * number + is_bad,
         "count": count, "other": "", "other_operation": "", "time_ns": 0, "extra_ns": 0,
         "squares": 0}
        for number, cells in enumerate(instances, start=1)
        for cell, (calls, failed) in enumerate(cells)
        for is_bad, count in ((0, calls - failed), (1, failed))
        if count
    ]  # fmt: skip
    facts = PATTERN_FACTS.conform(pl.DataFrame(rows, schema_overrides=PATTERN_FACTS.schema))
    return ejections(Seen.of(facts, LATENCY_FACTS.empty()), Thresholds())


def test_an_instance_that_failed_and_came_back_was_left_out() -> None:
    """It was spared the third of the calls of two cells, 90 % of which would have failed."""
    rows = _found([_WELL, _BAD, _NONE, _NONE, _WELL], [_WELL] * 5, [_WELL] * 5)

    (row,) = rows.to_dicts()
    assert (row["occurrences"], row["is_strong"]) == (27, True)
    assert row["shows"].startswith("1 instance left out 1 time after 18 of 40 calls to it failed")


def test_one_that_does_not_come_back_may_have_crashed() -> None:
    """It is said, and confidence is weak."""
    (row,) = _found([_WELL, _BAD, _NONE, _NONE], [_WELL] * 4).to_dicts()

    assert not row["is_strong"]
    assert "may have crashed" in row["shows"]


def test_an_instance_that_stops_without_failing_is_no_outlier() -> None:
    """It was taken out of service."""
    assert _found([_WELL, _WELL, _NONE, _NONE, _WELL], [_WELL] * 5).is_empty()


def test_an_instance_that_fails_as_the_others_do_is_no_outlier() -> None:
    """The upstream fails, not the instance."""
    assert _found([_WELL, _BAD, _NONE, _NONE, _WELL], [_WELL, _BAD, _BAD, _WELL, _WELL]).is_empty()


def test_an_instance_that_fails_and_goes_on_is_not_left_out() -> None:
    """Nothing protects from it."""
    assert _found([_WELL, _BAD, _BAD, _BAD], [_WELL] * 4).is_empty()


def test_a_short_silence_may_be_chance_and_a_single_instance_has_no_other() -> None:
    """Two calls in five cells are not enough to miss any in the next."""
    few = [(1, 0), (1, 0), _NONE, (1, 0)]

    assert _found(few, [(1, 0)] * 4).is_empty()
    assert _found([_WELL, _BAD, _NONE, _WELL]).is_empty()
