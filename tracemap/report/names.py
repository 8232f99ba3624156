r"""Names from traces, made safe to show: their text is not to be trusted.

A name can hold line breaks, marks that turn the reading direction round, or ten thousand letters.
What is shown is always one line of bounded length in which such marks are written out
(``\u202e``). Escaping for HTML, Markdown or DOT is the business of each writer, not of this file.
"""

from __future__ import annotations

import re
from functools import lru_cache

DISPLAY_LENGTH = 200
"""Longest name in tables; the JSON document keeps names whole."""
LABEL_LENGTH = 28
"""Longest name in a figure."""

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_BASIC_PLANE = 0xFFFF
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


def _written_out(match: re.Match[str]) -> str:
    point = ord(match.group())
    return f"\\u{point:04x}" if point <= _BASIC_PLANE else f"\\U{point:08x}"


def visible(text: str) -> str:
    r"""Return `text` with every control and direction mark written out, on one line.

    Example:
        >>> visible("pay\nment")
        'pay\\u000ament'
    """
    return _UNSEEN.sub(_written_out, text)


def shortened(text: str, length: int = DISPLAY_LENGTH) -> str:
    """Return `text` cut in the middle to at most `length` characters; the cut is an ellipsis.

    Example:
        >>> shortened("abcdefghij", 7)
        'abcd…ij'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


@lru_cache(maxsize=65536)
def shown(name: str, length: int = DISPLAY_LENGTH) -> str:
    """Return a name as a page shows it: visible, one line, at most `length` characters."""
    return shortened(visible(shortened(name, 4 * length)), length)


def label(service: str, operation: str = "") -> str:
    """Return the short text by which a figure names a service or one of its operations."""
    if not operation:
        return shown(service, LABEL_LENGTH)
    return f"{shown(service, LABEL_LENGTH)} · {shown(operation, LABEL_LENGTH)}"


def spreadsheet_safe(cell: str) -> str:
    """Return `cell` such that a spreadsheet reads it as text, never as a formula.

    Example:
        >>> spreadsheet_safe("=HYPERLINK(1)")
        "'=HYPERLINK(1)"
    """
    return f"'{cell}" if cell.startswith(_FORMULA_START) else cell
