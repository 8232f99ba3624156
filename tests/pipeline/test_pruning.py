"""After a prune, weeks are compared as before, and what needs spans says that they are gone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.builders import reading, span
from tests.pipeline.test_week_findings import DAY_NS, weeks
from tracemap import pipeline, recipe
from tracemap.errors import NoDataError, PipelineError
from tracemap.model import HOUR_NS, Findings, from_iso
from tracemap.pipeline.pruning import duration_ns
from tracemap.pipeline.windows import Bounds, Request
from tracemap.store import Store

__all__ = ["weeks"]
"""The fixture: the sample of eight weeks."""


@pytest.fixture(scope="module")
def pruned(weeks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, of which two weeks of spans are left."""
    path = tmp_path_factory.mktemp("pruned") / "weeks.duckdb"
    shutil.copy(weeks, path)
    with Store.open(path) as store:
        done = pipeline.prune(store, 14 * DAY_NS)
        assert done is not None
        assert done.spans > 30_000
    return path


def findings(database: Path, name: str, request: Request | None = None) -> Findings:
    with Store.open(database, read_only=True) as store:
        return pipeline.run(recipe.load(name), store, (), request)


def test_the_weekly_report_is_the_same(weeks: Path, pruned: Path) -> None:
    """Every finding of it, to the last digit."""
    before, after = findings(weeks, "weekly"), findings(pruned, "weekly")

    for name in recipe.load("weekly").findings:
        assert before.tables[name].equals(after.tables[name]), name
    assert (before.window, before.baseline) == (after.window, after.baseline)
    assert after.ledger.pruned + after.ledger.spans == before.ledger.spans


def test_edges_of_a_pruned_week_are_the_same(weeks: Path, pruned: Path) -> None:
    """Facts are kept by the minute."""
    asked = Request(window=Bounds(from_iso("2026-01-12"), from_iso("2026-01-19")))
    found = []
    for database in (weeks, pruned):
        with Store.open(database, read_only=True) as store:
            found.append(pipeline.run(recipe.single("edges"), store, (), asked).tables["edges"])

    spans_only = ("typical_trace", "slow_trace")
    assert found[0].drop(spans_only).equals(found[1].drop(spans_only))
    assert found[1]["slow_trace"].null_count() == found[1].height


def test_propagation_of_a_pruned_window_is_an_error(pruned: Path) -> None:
    """Not a quiet window: the spans are gone, and the message says what still works."""
    asked = Request(window=Bounds(from_iso("2026-01-12"), from_iso("2026-01-13")))

    with pytest.raises(NoDataError, match="were pruned") as raised:
        findings(pruned, "postmortem", asked)
    assert "tracemap drift" in raised.value.hint


def test_a_postmortem_of_what_is_left_still_works(pruned: Path) -> None:
    """And takes its baseline from what is left too."""
    asked = Request(window=Bounds(from_iso("2026-02-25"), from_iso("2026-02-26")))
    found = findings(pruned, "postmortem", asked)

    assert found.baseline is not None
    assert found.baseline.start_ns >= from_iso("2026-02-15")


def test_pruning_twice_deletes_nothing_more(pruned: Path, tmp_path: Path) -> None:
    """Nothing got older meanwhile."""
    path = tmp_path / "again.duckdb"
    shutil.copy(pruned, path)
    with Store.open(path) as store:
        done = pipeline.prune(store, 14 * DAY_NS)
        hours = store.dirty_hours()

    assert done is not None
    assert done.spans == 0
    assert hours == []


@pytest.mark.parametrize(
    ("text", "expected_ns"), [("14d", 14 * DAY_NS), ("36h", 36 * HOUR_NS), ("2W", 14 * DAY_NS)]
)
def test_durations_are_hours_days_and_weeks(text: str, expected_ns: int) -> None:
    """As people write them."""
    assert duration_ns(text, "--keep-spans") == expected_ns


@pytest.mark.parametrize("text", ["", "14", "d", "-3d", "1.5d", "9999999d", "14 days"])
def test_other_durations_are_refused(text: str) -> None:
    """With the units there are."""
    with pytest.raises(PipelineError, match="is no duration"):
        duration_ns(text, "--keep-spans")


def test_a_service_that_gets_another_name_gets_it_in_pruned_hours_too(tmp_path: Path) -> None:
    """`cart` turns up in staging: what was recorded before was `cart (production)`, not gone."""
    cart: dict[str, Any] = {"service_name": "cart", "environment": "production"}
    late = span(9, trace=9, offset_ns=90 * HOUR_NS, **cart)
    with Store.open(tmp_path / "t.duckdb", create=True) as store:
        store.append(reading(span(1, **cart), late, name="a"))
        pipeline.prune(store, 24 * HOUR_NS)
        elsewhere = {**cart, "environment": "staging"}
        store.append(reading(span(2, trace=2, offset_ns=91 * HOUR_NS, **elsewhere), name="b"))
        pipeline.bring_up_to_date(store)
        names = store.facts("latency_facts")["service"].unique().sort().to_list()
        steps = store.facts("paths")["service"].unique().sort().to_list()

    assert names == steps == ["cart (production)", "cart (staging)"]
