"""Errors tracemap raises on purpose.

::

    TracemapError               the base; the command line prints it and exits
    ├── PipelineError           a recipe or an option is wrong             exit 2 (as usage errors)
    ├── InputError              a trace file cannot be read                exit 3
    ├── StoreError              the DuckDB file is unusable                exit 4
    ├── NoDataError             nothing to report on in this window        exit 5
    └── ThresholdError          a condition of --fail-on holds             exit 6

Anything else that escapes is a bug and shows its traceback. A single bad line or span is never an
error: it is counted, kept in ``rejects`` and shown by ``tracemap info``.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TracemapError(Exception):
    """A problem the user can do something about.

    Args:
        what: One sentence with the user's own value in it, no full stop.
        where: Something they can open or look up (``file:line``, a table, an option).
        hint: The next edit or command.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Return the message as the command line prints it, one field a line."""
        lines = [self.what]
        if self.where:
            lines.append(f"  at:   {self.where}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class PipelineError(TracemapError):
    """A recipe or an option is wrong; nothing was read or written."""

    exit_code = 2


class InputError(TracemapError):
    """A trace file cannot be read at all. Not raised for single bad lines or spans."""

    exit_code = 3


class StoreError(TracemapError):
    """The database cannot be used: not ours, newer than this version, locked, or disk full."""

    exit_code = 4


class NoDataError(TracemapError):
    """The window holds no spans to report on."""

    exit_code = 5


class ThresholdError(TracemapError):
    """A condition that the user wants to fail on holds; the report was written."""

    exit_code = 6


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint that names the nearest of the known words; `otherwise` if none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise
