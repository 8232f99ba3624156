"""The findings over weeks as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tracemap
from tests.pipeline.test_week_findings import weeks

__all__ = ["weeks"]


@pytest.mark.parametrize("verb", ["regressions", "budget"])
def test_what_compares_weeks_says_which_and_whose(
    tracemap: Tracemap, weeks: Path, tmp_path: Path, verb: str
) -> None:
    """Both windows on stderr; the catalog's owner in each row of that service."""
    owners = tmp_path / "owners.yaml"
    owners.write_text("catalog: team-catalog\n")
    table = tracemap(verb, "--db", weeks, "--catalog", owners)
    answer = tracemap(verb, "--db", weeks, "--catalog", owners, "--format", "json")
    mine = [row["owner"] for row in json.loads(answer.out) if row["service"] == "catalog"]

    assert table.code == answer.code == 0
    assert "baseline 2026-01-26T00:00:00Z" in table.err
    assert set(mine) == {"team-catalog"}


def test_declared_dependencies_are_held_against_the_traces(
    tracemap: Tracemap, weeks: Path, tmp_path: Path
) -> None:
    """All that was ever observed counts."""
    catalog = tmp_path / "catalog-info.yaml"
    catalog.write_text(
        "kind: Component\nmetadata: {name: orders}\n"
        "spec: {owner: team-sales, dependsOn: [stock, pricing, printer]}\n"
    )
    answer = tracemap("declarations", "--db", weeks, "--catalog", catalog, "--format", "json")
    rows = {row["upstream"]: row["status"] for row in json.loads(answer.out)}

    assert rows == {
        "stock": "as declared", "pricing": "as declared", "printer": "not observed",
        "fraud": "not declared", "tariffs": "not declared",
    }  # fmt: skip


def test_declarations_without_a_catalog_ask_for_one(tracemap: Tracemap, weeks: Path) -> None:
    """There is nothing to compare with, which a hint can mend; not "nothing to tell"."""
    answer = tracemap("declarations", "--db", weeks)

    assert answer.code == 2
    assert "hint: name a catalog-info.yaml" in answer.err


def test_a_count_of_failed_requests_is_a_whole_number(tracemap: Tracemap, weeks: Path) -> None:
    """Nobody counts 4.00 requests; only sampling leaves parts of one."""
    rows = json.loads(tracemap("budget", "--db", weeks, "--format", "json").out)
    failed = rows[0]["failed"]
    line = tracemap("budget", "--db", weeks).out.splitlines()[2]

    assert failed == int(failed) > 0
    assert f" {int(failed):,} " in line
    assert f"{failed:,.2f}" not in line


def test_the_trend_is_a_row_per_edge_and_week(tracemap: Tracemap, weeks: Path) -> None:
    """Eight weeks of the edge from users."""
    rows = json.loads(tracemap("trend", "--db", weeks, "--format", "json").out)
    starts = [row["week_start"] for row in rows if row["downstream"] == "user"]

    assert len(starts) == len(set(starts)) == 8


def test_the_trend_alone_compares_nothing(tracemap: Tracemap, weeks: Path) -> None:
    """It names the weeks it shows, and no baseline."""
    table = tracemap("trend", "--db", weeks)

    assert table.code == 0
    assert "window 2026-01-05T00:00:00Z .. 2026-03-02T00:00:00Z" in table.err
    assert "baseline" not in table.err


def test_a_week_in_which_the_data_begins_is_partial(tracemap: Tracemap, weeks: Path) -> None:
    """It holds 1.2 days; calls a day tell it from a week in which little happened."""
    to = ("--to", "2026-02-10T05:00")
    rows = json.loads(tracemap("trend", "--db", weeks, *to, "--format", "json").out)
    days = {row["week_start"][:10]: row["days"] for row in rows}
    users = {row["week_start"][:10]: row for row in rows if row["downstream"] == "user"}
    first, second = users["2025-12-30"], users["2026-01-06"]

    assert list(days.values()) == [1.2, *[7.0] * 5]
    assert first["calls"] < second["calls"] / 5
    assert first["calls_per_day"] == pytest.approx(second["calls_per_day"], rel=0.15)
