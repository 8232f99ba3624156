"""A progress line on stderr: only on a terminal, and only for what takes more than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tracemap.cli.output import visible

_PATIENCE_S = 2.0
_REFRESH_S = 0.1
_ERASE_LINE = "\r\x1b[K"


class Line:
    """One line on stderr that is rewritten in place.

    Args:
        enabled: Whether anything is shown at all.
    """

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._next_s = time.monotonic() + _PATIENCE_S
        self._shown = False

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        """Show `what` is going on and how far it got; `total` 0: nobody knows."""
        now_s = time.monotonic()
        if not self._enabled or now_s < self._next_s:
            return
        self._next_s = now_s + _REFRESH_S
        share = f" {done:,} of {total:,}" if total else f" {done:,}" if done else ""
        sys.stderr.write(f"{_ERASE_LINE}{visible(what)}{share}"[: 78 + len(_ERASE_LINE)])
        sys.stderr.flush()
        self._shown = True

    def close(self) -> None:
        """Remove the line."""
        if self._shown:
            sys.stderr.write(_ERASE_LINE)
            sys.stderr.flush()


@contextmanager
def progress_line() -> Iterator[Line]:
    """Give a progress line that is gone when the work is done."""
    line = Line(enabled=sys.stderr.isatty())
    try:
        yield line
    finally:
        line.close()
