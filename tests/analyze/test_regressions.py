"""Who is named for users' longer waits, and from how little nobody is."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from tests.analyze.weeks import DAY_NS
from tests.builders import NOON_NS
from tests.derive.traces import at, facts_of
from tracemap import analyze
from tracemap.model import Facts, Window

FIRST_NS = NOON_NS // DAY_NS * DAY_NS


def days(*took: Sequence[float]) -> Facts:
    """Return facts of days, each with requests of A that took so many ms."""
    parts = []
    for number, each in enumerate(took):
        rows = [at("A.S", 1 + place, 0, (0, ms), trace=1 + place) for place, ms in enumerate(each)]
        made = facts_of(*rows)
        parts.append({
            name: table.with_columns(pl.col("window_start_ns") + number * DAY_NS)
            if "window_start_ns" in table.columns else table
            for name, table in made.tables.items()
        })  # fmt: skip
    tables = {name: pl.concat([part[name] for part in parts]) for name in parts[0]}
    return Facts(tables | {"paths": tables["paths"].unique()})


def regressed(facts: Facts, before: int, now: int) -> dict[str, object]:
    """Return the finding about A, of `before` days and the `now` days after them."""
    middle_ns = FIRST_NS + before * DAY_NS
    window = Window(middle_ns, middle_ns + now * DAY_NS)
    (row,) = analyze.regressions(facts, window, Window(FIRST_NS, middle_ns)).to_dicts()
    return row


@pytest.mark.parametrize("before", [True, False])
def test_two_requests_are_no_side_to_compare_with(before: bool) -> None:  # noqa: FBT001
    """That both took equally long says nothing about the third."""
    few, many = [[50.0]] * 2, [[100.0] * 40] * 2
    row = regressed(days(*few, *many) if before else days(*many, *few), 2, 2)

    assert row["verdict"] == "too few calls"


def test_days_that_are_all_alike_still_leave_an_interval() -> None:
    """No spread was seen; that is not the same as none."""
    row = regressed(days(*[[50.0] * 20] * 4, *[[52.0] * 20] * 4), 4, 4)

    assert row["change_ns"] == 2_000_000
    assert row["low_ns"] < 0 < row["high_ns"]  # type: ignore[operator]
    assert row["verdict"] == "steady"


def test_twice_the_time_of_many_requests_is_slower() -> None:
    """However alike the days are."""
    row = regressed(days(*[[50.0] * 40] * 4, *[[100.0] * 40] * 4), 4, 4)

    assert row["verdict"] == "slower"
