"""What a definition is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """What one number means: in a sentence or two, a formula, an example, and its limits."""

    id: str
    term: str
    meaning: str
    formula: str = ""
    example: str = ""
    limits: str = ""
