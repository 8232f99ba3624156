"""Two versions, or two environments, at the same time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.test_pruning import pruned
from tests.pipeline.test_week_findings import weeks
from tracemap import pipeline, simulate
from tracemap.errors import NoDataError, PipelineError
from tracemap.intake import take_in
from tracemap.pipeline import questions
from tracemap.pipeline.cohorts import Cohort, cohort
from tracemap.simulate.eight_weeks import system
from tracemap.store import Store

__all__ = ["pruned", "weeks"]
"""Fixtures: the sample of eight weeks, and the same with two weeks of spans left."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of one system in two places, on different database servers.

    In staging `stock` is slower and `audit` is not called.
    """
    folder = tmp_path_factory.mktemp("places")
    slower = simulate.Slower(service="stock", add_ms=20, end_minute=60)
    silent = simulate.ColdCache(
        downstream="account", upstream="audit", probability=0.0, end_minute=60
    )
    for number, (place, faults) in enumerate(
        {"production": (), "staging": (slower, silent)}.items()
    ):
        shop = replace(system(), environment=place)
        shop.services.update(
            (name, replace(each, host=f"{place}.{each.address}"))
            for name, each in shop.services.items()
            if each.namespace
        )
        run = simulate.run(shop, minutes=60, load=150, seed=number, faults=faults)
        run.write_otlp_json(folder / f"{place}.jsonl")
    path = folder / "places.duckdb"
    with Store.open(path, create=True) as store:
        for taken in take_in(store, [str(folder / "*.jsonl")]):
            assert taken.error is None
        pipeline.bring_up_to_date(store)
    return path


def changes(database: Path, before: Cohort, after: Cohort) -> dict[tuple[str, str], str]:
    with Store.open(database, read_only=True) as store:
        rows, _ = questions.drift_between(store, before, after)
    return {
        (downstream, upstream): change
        for downstream, upstream, change in rows.select(
            "downstream", "upstream", "change"
        ).iter_rows()
    }


def test_a_slower_version_is_slower(weeks: Path) -> None:
    """Only calls into and out of the service are compared."""
    found = changes(weeks, Cohort("catalog", "3.1.4"), Cohort("catalog", "3.2.0"))

    assert found == {
        ("edge", "catalog"): "slower",
        ("catalog", "postgresql goods"): "steady",
        ("catalog", "stock"): "steady",
    }


def test_versions_after_a_prune_are_an_error(pruned: Path) -> None:
    """They need spans."""
    with pytest.raises(NoDataError, match="were pruned"):
        changes(pruned, Cohort("catalog", "3.1.4"), Cohort("catalog", "3.2.0"))


def test_environments_are_compared_by_the_names_they_share(places: Path) -> None:
    """`stock (staging)` is compared with `stock (production)`."""
    found = changes(places, Cohort("", "production"), Cohort("", "staging"))

    assert found["catalog", "stock"] == found["orders", "stock"] == "slower"
    assert found["account", "audit"] == "gone"
    assert found["catalog", "postgresql goods"] == "steady"
    assert not any("(" in name for pair in found for name in pair)


def test_each_environment_has_its_own_servers(places: Path) -> None:
    """A database on another server is the same one of another environment, neither new nor gone."""
    with Store.open(places, read_only=True) as store:
        goods = {node for node, _ in store.nodes() if node.startswith("postgresql goods")}
    found = changes(places, Cohort("", "production"), Cohort("", "staging"))

    assert len(goods) == 2
    assert not {"new", "gone"} & {found[pair] for pair in found if "postgresql" in pair[1]}


def test_a_cohort_of_nothing_says_what_there_is(weeks: Path) -> None:
    """The hint has the versions that were seen."""
    with pytest.raises(NoDataError, match="no calls of version:catalog=9") as raised:
        changes(weeks, Cohort("catalog", "3.1.4"), Cohort("catalog", "9"))

    assert raised.value.hint == "there are 3.1.4, 3.2.0"


def test_cohorts_of_two_sorts_are_a_mistake(weeks: Path) -> None:
    """Nothing would be compared."""
    with pytest.raises(PipelineError, match="nothing in common"):
        changes(weeks, Cohort("catalog", "3.1.4"), Cohort("", "production"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version:catalog=3.1.4", Cohort("catalog", "3.1.4")),
        ("version:a=b=c", Cohort("a=b", "c")),
        ("environment:staging", Cohort("", "staging")),
        ("2026-01-01..2026-01-02", None),
        ("", None),
    ],
)
def test_cohorts_are_written_as_words(text: str, expected: Cohort | None) -> None:
    """What is neither is left to be a window."""
    assert cohort(text, "A") == expected


@pytest.mark.parametrize("text", ["version:catalog", "version:=3", "version:a=", "environment:"])
def test_half_a_cohort_is_a_mistake(text: str) -> None:
    """With the form to write."""
    with pytest.raises(PipelineError, match="names no"):
        cohort(text, "A")
