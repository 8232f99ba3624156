"""Which files the user's words stand for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracemap.errors import InputError
from tracemap.ingest import Source, find_inputs


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def test_a_folder_is_searched_to_the_bottom_in_order(tmp_path: Path) -> None:
    """The order of the file system must not show in any result."""
    make(tmp_path, "b.json", "a/z.json", "a/b/y.json")

    assert find_inputs([str(tmp_path)]) == [
        Source(str(tmp_path / name), named=False) for name in ("a/b/y.json", "a/z.json", "b.json")
    ]


def test_hidden_files_are_skipped_unless_named(tmp_path: Path) -> None:
    """Editors and synchronisers leave hidden files around; nobody means them."""
    make(tmp_path, ".x.json", ".git/y.json", "z.json")

    assert [source.path for source in find_inputs([str(tmp_path)])] == [str(tmp_path / "z.json")]
    assert find_inputs([str(tmp_path / ".x.json")]) == [Source(str(tmp_path / ".x.json"))]


def test_a_pattern_finds_what_the_shell_would(tmp_path: Path) -> None:
    """Patterns work where no shell expands them."""
    make(tmp_path, "b.json", "a.json", "a.txt", "c/d.json")

    found = find_inputs([str(tmp_path / "*.json"), str(tmp_path / "**" / "d.json")])

    assert [Path(source.path).name for source in found] == ["a.json", "b.json", "d.json"]


def test_a_file_meant_twice_is_read_once(tmp_path: Path) -> None:
    """A file that is named and also lies in a folder counts as named."""
    make(tmp_path, "a.json")
    path = str(tmp_path / "a.json")

    assert find_inputs([str(tmp_path), path, path]) == [Source(path)]


def test_a_dash_is_standard_input() -> None:
    """As everywhere on the command line."""
    assert find_inputs(["-"]) == [Source("-")]


@pytest.mark.parametrize("what", ["missing.json", "no-*-match", "empty"])
def test_nothing_there_is_an_error_that_says_what(tmp_path: Path, what: str) -> None:
    """A typing error must not look like an empty result."""
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputError, match=what.replace("*", ".")) as error:
        find_inputs([str(tmp_path / what)])

    assert error.value.where
    assert error.value.hint


def test_no_input_at_all_is_an_error() -> None:
    """Reading nothing is never what was meant."""
    with pytest.raises(InputError):
        find_inputs([])


def test_a_file_that_may_not_be_asked_for_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder that may not be entered nobody knows what is there: opening it says why."""
    path = str(tmp_path / "x.json")

    def forbidden(_: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", forbidden)
        found = find_inputs([path])

    assert found == [Source(path)]


def test_a_folder_that_may_not_be_listed_is_found_as_a_file_would_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it is noted as unreadable, rather than forgotten."""
    make(tmp_path, "open/a.json", "closed/b.json")
    closed, scandir = str(tmp_path / "closed"), os.scandir

    def guarded(path: str) -> object:
        if path == closed:
            raise PermissionError(13, "Permission denied", closed)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert find_inputs([str(tmp_path)]) == [
        Source(closed, named=False),
        Source(str(tmp_path / "open/a.json"), named=False),
    ]
