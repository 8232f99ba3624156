"""Who consumes messages, and so which requests somebody waits for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

Operation = tuple[str, str]
"""Service and operation."""


def consumers(edge_facts: pl.DataFrame) -> frozenset[Operation]:
    """Return the services and operations that consume messages.

    Args:
        edge_facts: As `model.EDGE_FACTS`.
    """
    rows = edge_facts.filter(
        (pl.col("connection_type") == "messaging") & (pl.col("downstream_kind") == "service")
    ).select("downstream", "downstream_operation")
    return frozenset(rows.unique().iter_rows())


def waited(roots: Iterable[Operation], consumed: Collection[Operation]) -> NDArray[np.bool_]:
    """Return which root operations somebody waits for: those that consume no messages.

    Where all roots consume messages, all count: then the traces are about the consumers.

    Args:
        roots: Service and operation of each root.
        consumed: As `consumers` returns them.
    """
    found = np.array([root not in consumed for root in roots], dtype=np.bool_)
    return found if found.any() else np.ones_like(found)
