from __future__ import annotations

import polars as pl

from tests.analyze.facts import INCIDENT, MS, SHOP, path_facts, paths
from tracemap.analyze import critical_path
from tracemap.model import CRITICAL_PATH

OWN_MS = {1: 20, 2: 5, 3: 25, 4: 50}


def facts(own_ms: dict[int, int]) -> pl.DataFrame:
    """The shop, with that much exclusive time per step and call."""
    own = pl.col("path_id").cast(pl.Int64).replace_strict(own_ms, default=0)
    both = path_facts(SHOP, SHOP).with_columns(critical_ns=own * pl.col("calls") * MS)
    return both.filter(pl.col("window_start_ns") == INCIDENT.start_ns)


def test_steps_of_a_root_add_up_to_the_time_of_its_requests() -> None:
    """Exclusive time: nothing is counted twice, nothing is lost."""
    found = critical_path(facts(OWN_MS), paths(SHOP))

    assert found["critical_ns"].sum() == 1000 * 100 * MS
    assert found["path_id"].to_list() == [1, 2, 3, 4]
    assert found["requests"].unique().to_list() == [1000]
    assert found["root_operation"].unique().to_list() == ["GET/"]


def test_a_step_without_time_is_kept_only_above_one_that_has_some() -> None:
    """A tree with holes could not be drawn; what nobody waited for is left out."""
    through = critical_path(facts({1: 20, 3: 25}), paths(SHOP))
    beside = critical_path(facts({1: 20, 2: 5}), paths(SHOP))

    assert through["path_id"].to_list() == [1, 2, 3]
    assert beside["path_id"].to_list() == [1, 2]


def test_the_order_of_rows_changes_nothing() -> None:
    """Facts come from many machines."""
    rows = facts(OWN_MS)

    assert critical_path(rows.reverse(), paths(SHOP).reverse()).equals(
        critical_path(rows, paths(SHOP))
    )


def test_nothing_in_nothing_out() -> None:
    """Empty facts give the empty table."""
    assert critical_path(facts(OWN_MS).clear(), paths(SHOP)).equals(CRITICAL_PATH.empty())
