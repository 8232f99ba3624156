"""The examples in the docs run, and name every public name."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import tracemap

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "python.md"


def test_the_session_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom, with the results that stand there."""
    (tmp_path / "sample_traces").symlink_to(ROOT / "sample_traces")
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testfile(str(PAGE), module_relative=False)

    assert outcome.attempted > 15
    assert outcome.failed == 0


def test_every_public_name_is_documented_and_no_other() -> None:
    """The table is `tracemap.__all__`."""
    named = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(named) == sorted(tracemap.__all__)


@pytest.mark.parametrize("name", ["batch", "postmortem", "weekly"])
def test_every_report_has_a_page_with_a_small_picture(name: str) -> None:
    """Made by `python -m tests.screenshots`; nobody waits for megabytes."""
    page = (ROOT / "docs" / f"report-{name}.md").read_text(encoding="utf-8")
    picture = ROOT / "docs" / "images" / f"{name}.png"

    assert f"(images/{name}.png)" in page
    assert 0 < picture.stat().st_size < 300_000
