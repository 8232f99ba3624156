"""Catalog: who owns which service, and what it says it depends on, from files people keep."""

from __future__ import annotations

from tracemap.catalog.entities import Catalog, Declaration, Dependency, Entity
from tracemap.catalog.reading import load

__all__ = ["Catalog", "Declaration", "Dependency", "Entity", "load"]
