"""A progress line on stderr: only on a terminal, and only for what takes more than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Event, Lock, Thread

from tracemap import compiled
from tracemap.cli.output import visible

_PATIENCE_S = 2.0
_REFRESH_S = 0.2
_WIDTH = 78
_NOT_KEPT = (
    "compiled kernels cannot be kept here, so each run compiles them again: set NUMBA_CACHE_DIR to"
    " a folder that may be written"
)
_ERASE_LINE = "\r\x1b[K"


class Line:
    """One line on stderr that is rewritten in place.

    Args:
        enabled: Whether anything is shown at all.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._text = ""
        self._next_s = time.monotonic() + _PATIENCE_S
        self._shown = False
        self._writing = Lock()

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        """Say `what` is going on and how far it got; `total` 0: nobody knows."""
        share = f" {done:,} of {total:,}" if total else f" {done:,}" if done else ""
        self._text = f"{visible(what)}{share}"
        self.show()

    def show(self) -> None:
        """Write what was said last, if it is time to."""
        now_s = time.monotonic()
        if not self._enabled or not self._text or now_s < self._next_s:
            return
        with self._writing:
            self._next_s = now_s + _REFRESH_S
            sys.stderr.write(f"{_ERASE_LINE}{self._text[:_WIDTH]}")
            sys.stderr.flush()
            self._shown = True

    def close(self) -> None:
        """Remove the line, until something is said again."""
        self._text = ""
        with self._writing:
            if self._shown:
                sys.stderr.write(_ERASE_LINE)
                sys.stderr.flush()
            self._shown = False


@contextmanager
def progress_line() -> Iterator[Line]:
    """Give a progress line that is gone when the work is done.

    A thread shows it while the work itself says nothing for long, as while kernels are compiled.
    """
    line = Line(enabled=sys.stderr.isatty())
    done = Event()
    ticker = Thread(target=_keep_showing, args=(line, done), daemon=True)
    if sys.stderr.isatty():
        if not _is_compiled():
            line("compiling kernels, this once")
        ticker.start()
    try:
        yield line
    finally:
        done.set()
        if ticker.is_alive():
            ticker.join()
        line.close()
        if not compiled.are_kept():
            sys.stderr.write(f"{_NOT_KEPT}\n")


def _keep_showing(line: Line, done: Event) -> None:
    while not done.wait(_REFRESH_S):
        line.show()


def _is_compiled() -> bool:
    """Return whether compiled kernels were left beside the package: ingest's, or numba's own."""
    folder = Path(str(files("tracemap")))
    return any(any(folder.rglob(kept)) for kept in ("*.kernel", "*.nbi"))
