"""The findings over weeks as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tracemap
from tests.test_weekly import weeks

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


def test_the_trend_is_a_row_per_edge_and_week(tracemap: Tracemap, weeks: Path) -> None:
    """Eight weeks of the edge from users."""
    rows = json.loads(tracemap("trend", "--db", weeks, "--format", "json").out)
    starts = [row["week_start"] for row in rows if row["downstream"] == "user"]

    assert len(starts) == len(set(starts)) == 8
    assert tracemap("trend", "--db", weeks).code == 0
