from __future__ import annotations

from pathlib import Path

import pytest

from tests.report import believable
from tracemap.errors import PipelineError
from tracemap.report import build
from tracemap.report.write import write


def test_three_files_named_after_the_recipe(tmp_path: Path) -> None:
    """And nothing else is left behind."""
    written = build(believable.nothing()).write(tmp_path / "new" / "folder")

    assert [path.name for path in written] == ["batch.html", "batch.md", "batch.json"]
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(
        path.name for path in written
    )


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    """A report is a result, not a record."""
    write(tmp_path, "batch", {".md": "one"})
    (path,) = write(tmp_path, "batch", {".md": "two"})

    assert path.read_text() == "two"


def test_a_recipe_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    """Its name becomes a file name and no more."""
    (path,) = write(tmp_path / "out", "../../etc/passwd", {".md": "text"})

    assert path.parent == tmp_path / "out"
    assert path.name == "etc-passwd.md"


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    """With what to do about it."""
    (tmp_path / "taken").write_text("")

    with pytest.raises(PipelineError, match="the report cannot be written") as refused:
        write(tmp_path / "taken", "batch", {".md": "text"})
    assert "--out" in refused.value.hint
