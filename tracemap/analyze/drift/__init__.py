"""Finding ``drift``: what became of each edge between two windows; "not observed" is not "gone"."""

from __future__ import annotations

from tracemap.analyze.drift.finding import by_importance, drift
from tracemap.analyze.drift.words import ORDER

__all__ = ["ORDER", "by_importance", "drift"]
