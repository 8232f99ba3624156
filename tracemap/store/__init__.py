"""Store: spans, facts and findings in one DuckDB file; the only place with SQL."""

from __future__ import annotations
