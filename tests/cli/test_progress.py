from __future__ import annotations

import sys

import pytest

from tracemap.cli import progress


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_short_work_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """A line that comes and goes within two seconds is only a flicker."""
    line = progress.Line(enabled=True)
    clock.now_s = 1.9
    line("reading", 1, 2)
    line.close()

    assert capsys.readouterr().err == ""


def test_long_work_shows_how_far_it_got(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """What is known is shown: a share, a count, or only the name."""
    line = progress.Line(enabled=True)
    for now_s, arguments in ((2.1, ("deriving", 1000, 2000)), (3.0, ("reading", 5, 0))):
        clock.now_s = now_s
        line(*arguments)
    clock.now_s = 4.0
    line("writing")
    line.close()
    shown = capsys.readouterr().err.split("\r\x1b[K")

    assert shown == ["", "deriving 1,000 of 2,000", "reading 5", "writing", ""]


def test_updates_are_rationed(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """A million updates a second would cost more than the work."""
    line = progress.Line(enabled=True)
    clock.now_s = 3.0
    for count in range(1000):
        line("reading", count + 1, 1000)

    assert capsys.readouterr().err.count("reading") == 1


def test_work_that_says_nothing_is_shown_all_the_same(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a kernel compiles nobody calls; the ticker shows what was said last."""
    line = progress.Line(enabled=True)
    line("compiling kernels, this once")
    clock.now_s = 3.0
    line.show()

    assert capsys.readouterr().err == "\r\x1b[Kcompiling kernels, this once"


def test_on_a_terminal_a_ticker_runs_until_the_work_is_done(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is gone afterwards."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.progress_line() as line:
        clock.now_s = 3.0
        line("reading")

    assert capsys.readouterr().err.endswith("reading\r\x1b[K")


def test_away_from_a_terminal_there_is_no_line(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logs stay readable."""
    with progress.progress_line() as line:
        clock.now_s = 60.0
        line("reading", 1, 2)

    assert capsys.readouterr().err == ""


def test_a_file_name_cannot_steer_the_terminal(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escape codes in names are spelled out."""
    line = progress.Line(enabled=True)
    clock.now_s = 3.0
    line("reading \x1b[2Jevil")

    assert "reading \\x1b[2Jevil" in capsys.readouterr().err
