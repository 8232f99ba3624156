"""The store: spans, facts and findings in one DuckDB file. The only place with SQL."""

from __future__ import annotations

from tracemap.store.append import Appended
from tracemap.store.connection import InUseError, OutdatedError
from tracemap.store.database import Store
from tracemap.store.pruning import Pruned
from tracemap.store.schema import SCHEMA_VERSION, schema_markdown

__all__ = [
    "SCHEMA_VERSION",
    "Appended",
    "InUseError",
    "OutdatedError",
    "Pruned",
    "Store",
    "schema_markdown",
]
