"""Facts and findings are replaced as a whole, never mixed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

from tests.builders import NOON_NS
from tracemap.model import (
    EDGE_FACTS,
    FACTS,
    FINDINGS,
    HOUR_NS,
    ORIGINS,
    PATH_FACTS,
    PATHS,
    QUALITY_FACTS,
    Facts,
    Table,
    Window,
)
from tracemap.store import Store


def hour(number: int) -> Window:
    return Window(NOON_NS + number * HOUR_NS, NOON_NS + (number + 1) * HOUR_NS)


def rows(table: Table, *given: Mapping[str, object]) -> pl.DataFrame:
    """Return rows of `table`; columns that are not given are '' or 0."""
    blank = {name: "" if dtype == pl.String else 0 for name, dtype in table.schema.items()}
    return pl.DataFrame([{**blank, **each} for each in given], schema=table.schema)


def facts(*hours: int, calls: int = 1) -> Facts:
    """Return facts with one edge and one path in each of `hours`; the path is named by the hour."""
    made = Facts()
    made.tables["edge_facts"] = rows(
        EDGE_FACTS, *({"window_start_ns": hour(n).start_ns, "calls": calls} for n in hours)
    )
    made.tables["path_facts"] = rows(
        PATH_FACTS, *({"window_start_ns": hour(n).start_ns, "path_id": n + 1} for n in hours)
    )
    made.tables["paths"] = rows(PATHS, *({"path_id": n + 1, "service": "web"} for n in hours))
    return made


@pytest.mark.parametrize("name", FACTS)
def test_no_facts(store: Store, name: str) -> None:
    """Before anything was derived each table is there, with its columns."""
    assert store.facts(name).schema == FACTS[name].schema


def test_only_the_given_hours_are_replaced(store: Store) -> None:
    """Other hours keep their facts."""
    store.replace_facts([hour(0), hour(1)], facts(0, 1))
    store.replace_facts([hour(1)], facts(1, calls=7))

    assert store.facts("edge_facts")["calls"].to_list() == [1, 7]


def test_facts_of_a_window(store: Store) -> None:
    """A cell belongs to a window by its start."""
    store.replace_facts([hour(n) for n in range(4)], facts(0, 1, 2, 3))
    window = Window(hour(1).start_ns, hour(3).start_ns)

    starts = store.facts("edge_facts", window)["window_start_ns"].to_list()
    assert starts == [hour(1).start_ns, hour(2).start_ns]
    assert store.facts("paths", window).height == 4


def test_paths_that_no_fact_uses_are_removed(store: Store) -> None:
    """A call path seen only because a span was late does not stay for ever."""
    store.replace_facts([hour(0), hour(1)], facts(0, 1))
    store.replace_facts([hour(1)], Facts())

    assert store.facts("paths")["path_id"].to_list() == [1]


def test_facts_of_other_hours_are_refused(store: Store) -> None:
    """Facts outside the hours would never be replaced again; nothing is stored."""
    with pytest.raises(ValueError, match="outside the hours"):
        store.replace_facts([hour(0)], facts(0, 1))

    assert store.facts("edge_facts").is_empty()


def test_quality_is_part_of_the_ledger(store: Store) -> None:
    """What is odd about spans is added up over all hours."""
    odd = {"service": "web", "reason": "orphan", "spans": 2}
    made = Facts()
    made.tables["quality_facts"] = rows(
        QUALITY_FACTS, *({"window_start_ns": hour(n).start_ns, **odd} for n in (0, 1))
    )
    store.replace_facts([hour(0), hour(1)], made)

    assert store.ledger().quality.rows() == [("web", "orphan", 4)]


def test_findings_of_one_recipe_are_replaced(store: Store) -> None:
    """A new run of a recipe leaves nothing of the last one, and nothing of others is touched."""
    origin = rows(ORIGINS, {"rank": 1, "exemplars": ["ab"]})
    store.replace_findings("weekly", {"origins": origin})
    store.replace_findings("batch", {"origins": origin})
    store.replace_findings("batch", {name: table.empty() for name, table in FINDINGS.items()})

    kept = store.query("SELECT recipe, rank, exemplars FROM origins")
    assert kept.rows() == [("weekly", 1, ["ab"])]
