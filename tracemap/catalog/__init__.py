"""Catalog: who owns which service, and what it says it depends on, from files people keep."""

from __future__ import annotations

from tracemap.catalog.entities import Catalog, Declaration, Entity
from tracemap.catalog.reading import load

__all__ = ["Catalog", "Declaration", "Entity", "load"]
