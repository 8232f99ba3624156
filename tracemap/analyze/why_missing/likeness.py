"""How alike two names of services are: `cart`, `cart-service` and `cart.shop.svc:7070` are one."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

ALIKE = 0.6
"""Names are alike from this ratio of common letters on (`difflib`); words in common count 1."""
_COMMON = frozenset(
    {"service", "svc", "server", "api", "com", "local", "cluster", "internal", "unknown"}
)


def likeness(one: str, other: str) -> float:
    """Return how alike two names are, 0-1: 1 where all words of one are words of the other."""
    ours, theirs = _words(one), _words(other)
    if not ours or not theirs:
        return 0.0
    if ours <= theirs or theirs <= ours:
        return 1.0
    return SequenceMatcher(None, "".join(sorted(ours)), "".join(sorted(theirs))).ratio()


def _words(name: str) -> set[str]:
    """Return the words of a name; those that many names have only if there are no others."""
    words = set(re.findall("[a-z0-9]+", name.lower()))
    return words - _COMMON or words
