from __future__ import annotations

import json

from tests.cli.conftest import Tracemap
from tracemap.ingest import FORMATS


def test_formats_are_listed_with_an_example_each(tracemap: Tracemap) -> None:
    """Whoever has a file sees whether it looks like one of these."""
    answer = tracemap("formats")

    assert answer.code == 0
    for each in FORMATS:
        assert f"{each.name}\n  {each.description}\n  loses: " in answer.out
        assert f"\n  {each.example}\n" in answer.out


def test_formats_are_there_for_programs_too(tracemap: Tracemap) -> None:
    """As with every list: the same keys in JSON."""
    rows = json.loads(tracemap("formats", "--format", "json").out)

    assert [row["name"] for row in rows] == [each.name for each in FORMATS]
    assert set(rows[0]) == {"name", "description", "loses", "example"}
