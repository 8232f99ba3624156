from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.conftest import Tracemap
from tracemap import store
from tracemap.errors import TracemapError
from tracemap.store import Store


def raising(error: BaseException) -> type:
    """Return a store that cannot even be opened."""

    class Broken:
        @classmethod
        def open(cls, *_arguments: object, **_options: object) -> NoReturn:
            raise error

    return Broken


def test_an_error_is_printed_with_place_and_hint(
    tracemap: Tracemap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What, at, hint, on stderr; the code is the error's."""
    error = TracemapError("it broke", where="here", hint="mend it")
    monkeypatch.setattr(store, "Store", raising(error))

    assert tracemap("query", "SELECT 1") == (
        1,
        "",
        "tracemap: it broke\n  at:   here\n  hint: mend it\n",
    )


def test_interrupted_is_130(tracemap: Tracemap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no bug."""
    monkeypatch.setattr(store, "Store", raising(KeyboardInterrupt()))
    answer = tracemap("query", "SELECT 1")

    assert answer.code == 130
    assert answer.err.endswith("tracemap: interrupted\n")


def test_a_bug_shows_its_traceback(tracemap: Tracemap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing hides a defect of ours."""
    monkeypatch.setattr(store, "Store", raising(ZeroDivisionError("ours")))

    with pytest.raises(ZeroDivisionError, match="ours"):
        tracemap("query", "SELECT 1")


SELECT = (
    "query",
    "SELECT 'n' || chr(233) || ' ' || chr(8594) || ' ' || chr(26481) AS name",
    "--format",
    "json",
)


@pytest.mark.parametrize(
    ("settings", "written"),
    [
        ({"PYTHONIOENCODING": ""}, "né → 東".encode()),
        ({"PYTHONIOENCODING": "", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}, "né → 東".encode()),
        ({"PYTHONIOENCODING": "latin-1"}, b"n\xe9 \\u2192 \\u6771"),
        ({"PYTHONIOENCODING": "ascii"}, b"n\\xe9 \\u2192 \\u6771"),
    ],
)
def test_names_of_any_script_are_written_under_any_locale(
    tmp_path: Path, settings: dict[str, str], written: bytes
) -> None:
    """Files and pipes get UTF-8; who asked for less gets escapes, never a traceback."""
    database = tmp_path / "t.duckdb"
    Store.open(database, create=True).close()
    asked = {name: value for name, value in settings.items() if value}
    kept = {name: value for name, value in os.environ.items() if name not in settings}
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "tracemap", *SELECT, "--db", database],
        env=kept | asked,
        capture_output=True,
        check=True,
    )

    assert written in done.stdout
