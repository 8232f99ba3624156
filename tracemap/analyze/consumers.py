"""Who consumes messages: work that nobody waits for."""

from __future__ import annotations

import polars as pl


def consumers(edge_facts: pl.DataFrame) -> frozenset[tuple[str, str]]:
    """Return the services and operations that consume messages.

    Args:
        edge_facts: As `model.EDGE_FACTS`.
    """
    rows = edge_facts.filter(
        (pl.col("connection_type") == "messaging") & (pl.col("downstream_kind") == "service")
    ).select("downstream", "downstream_operation")
    return frozenset(rows.unique().iter_rows())
