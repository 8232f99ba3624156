"""EDGE_FACTS: observed calls summed per cell, edge, operations and rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.derive.observations import CODES
from tracemap.model import EDGE_FACTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tracemap.derive.vocabulary import Vocabulary

HAS_GAP = (pl.col("server_ns") >= 0) & (pl.col("client_ns") >= pl.col("server_ns"))
"""Both durations are known, and the client's is not the shorter one."""


def edge_facts(
    observed: pl.DataFrame, cell: NDArray[np.int64], vocabulary: Vocabulary
) -> pl.DataFrame:
    """Return `observed` calls summed, as `model.EDGE_FACTS`.

    Args:
        observed: As `observations`.
        cell: Start of the cell of each trace.
        vocabulary: What the codes mean.
    """
    client, server = pl.col("client_ns"), pl.col("server_ns")
    summed = (
        observed.with_columns(window_start_ns=pl.lit(pl.Series(cell)).gather("trace"))
        .group_by("window_start_ns", *CODES)
        .agg(
            calls=pl.len(),
            calls_weighted=pl.col("weight").sum(),
            errors_downstream=pl.col("failed_downstream").sum(),
            errors_upstream=pl.col("failed_upstream").sum(),
            client_calls=(client >= 0).sum(),
            client_ns=client.clip(0).sum(),
            server_calls=(server >= 0).sum(),
            server_ns=server.clip(0).sum(),
            gap_calls=HAS_GAP.sum(),
            gap_ns=(client - server).filter(HAS_GAP).sum(),
            first_ns=pl.col("start_ns").min(),
            last_ns=pl.col("start_ns").max(),
        )
    )
    return EDGE_FACTS.conform(summed.with_columns(vocabulary.decoded(*CODES)))
