"""The engine: runs `derive` over a store."""

from __future__ import annotations

from tracemap.engine.local import update, window_facts, window_tables

__all__ = ["update", "window_facts", "window_tables"]
