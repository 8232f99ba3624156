from __future__ import annotations

from typing import NoReturn

import pytest

from tests.cli.conftest import Tracemap
from tracemap import store
from tracemap.errors import TracemapError


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
