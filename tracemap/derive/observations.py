"""One row per observed call between two nodes, before it is summed into EDGE_FACTS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tracemap.derive.spans import UNKNOWN_DURATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tracemap.derive.spans import Spans

NOBODY = -1
"""Row of a side that recorded no span."""

CODES = (
    "downstream", "downstream_operation", "upstream", "upstream_operation", "upstream_kind",
    "downstream_kind", "connection_type", "protocol", "evidence",
)  # fmt: skip
"""Columns that are text codes; together they say which edge."""


def observations(
    spans: Spans,
    *,
    client: NDArray[Any],
    server: NDArray[Any],
    waited: NDArray[np.bool_] | None = None,
    **codes: NDArray[np.int32] | int,
) -> pl.DataFrame:
    """Return observed calls as a frame.

    Args:
        spans: The spans.
        client: Row of the span on the downstream side (the consumer of a message, too), or `NOBODY`.
        server: Row of the span on the upstream side, or `NOBODY`. One of the two is a row.
        waited: Whether the client span's duration is what downstream waited; None: wherever there
            is a client.
        codes: Text codes for each of `CODES`; a word for all rows may be given as one number.

    Returns:
        Columns `CODES` (Int32), ``trace``, ``client``, ``server`` (Int32), ``weight``,
        ``failed_downstream``, ``failed_upstream``, ``client_ns``, ``server_ns`` (-1: unknown),
        ``start_ns`` (of the client, else of the server).
    """
    has_client, has_server = client >= 0, server >= 0
    either = np.where(has_client, client, server)
    waits = has_client if waited is None else waited
    columns: dict[str, Any] = {
        name: np.broadcast_to(np.asarray(codes[name], dtype=np.int32), either.shape)
        for name in CODES
    }
    columns |= {
        "trace": spans.trace[either],
        "client": client.astype(np.int32),
        "server": server.astype(np.int32),
        "weight": spans.weight[either],
        "failed_downstream": has_client & spans.failed[client],
        "failed_upstream": has_server & spans.failed[server],
        "client_ns": np.where(waits, spans.duration[client], UNKNOWN_DURATION),
        "server_ns": np.where(has_server, spans.duration[server], UNKNOWN_DURATION),
        "start_ns": spans.start[either],
    }
    return pl.DataFrame(columns)
