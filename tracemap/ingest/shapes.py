"""The outlines of the first objects in JSON text: depth and keys, by which formats are known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]', re.DOTALL)


@dataclass
class Shape:
    """One object.

    Attributes:
        around: The brackets that are open around it, outermost first, such as ``"{["``.
        keys: Its own keys, as far as they were seen.
    """

    around: str
    keys: set[str] = field(default_factory=set)

    @property
    def depth(self) -> int:
        """How many brackets are open around it."""
        return len(self.around)


def shapes(head: bytes) -> list[Shape]:
    """Return the outlines of all objects that start in `head`, in their order.

    The text may stop anywhere; what is no JSON gives shapes that no format has.
    """
    found: list[Shape] = []
    brackets = ""
    open_objects: list[Shape] = []
    for token in _TOKEN.finditer(head):
        text, colon = token.groups()
        if text is not None:
            if colon and brackets.endswith("{"):
                open_objects[-1].keys.add(text.decode("utf-8", "replace"))
            continue
        bracket = token[0].decode()
        if bracket in "{[":
            if bracket == "{":
                open_objects.append(Shape(brackets))
                found.append(open_objects[-1])
            brackets += bracket
        else:
            if brackets.endswith("{"):
                open_objects.pop()
            brackets = brackets[:-1]
    return found
