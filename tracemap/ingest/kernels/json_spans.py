"""OTLP/JSON documents into rows: whatever producers wrote, one pass, no recursion."""

from __future__ import annotations
