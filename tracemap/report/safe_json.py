"""JSON in which no text takes effect: in a file, in a page, or in a terminal."""

from __future__ import annotations

import json
import re
from typing import Any

_RISKY = re.compile(
    "[<>&\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]"
)
_BASIC_PLANE = 0xFFFF


def _escaped(match: re.Match[str]) -> str:
    point = ord(match.group())
    if point <= _BASIC_PLANE:
        return f"\\u{point:04x}"
    point -= 0x10000
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"


def dumps(value: Any, *, indent: int | None = None) -> str:  # noqa: ANN401
    r"""Return `value` as JSON in which no text can end a script or turn the reading direction.

    ``<``, ``>``, ``&``, line separators and direction marks are written as escapes, which every
    reader of JSON undoes.

    Raises:
        ValueError: If a number is not finite.

    Example:
        >>> dumps({"name": "</script>"})
        '{"name":"\\u003c/script\\u003e"}'
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    return _RISKY.sub(_escaped, text)
