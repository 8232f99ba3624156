"""One item per observed call between two nodes, before calls are summed into EDGE_FACTS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracemap.derive.arrays import Bools, Codes, Ints, Rows
from tracemap.derive.spans import UNKNOWN_DURATION, Spans

NOBODY = -1
"""Row of a side that recorded no span."""

CODES = (
    "downstream", "downstream_operation", "upstream", "upstream_operation", "upstream_kind",
    "downstream_kind", "connection_type", "protocol", "evidence",
)  # fmt: skip
"""Fields that are text codes; together they say which edge."""


@dataclass(frozen=True)
class Observations:
    """Observed calls; every field has one item a call.

    Attributes:
        client: Row of the span on the downstream side (also a consumer of messages), or `NOBODY`.
        server: Row of the span on the upstream side, or `NOBODY`. One of the two is a row.
        waited: Whether the client span's duration is what downstream waited.
        failed_downstream, failed_upstream: Whether that side recorded an error.
    """

    downstream: Codes
    downstream_operation: Codes
    upstream: Codes
    upstream_operation: Codes
    upstream_kind: Codes
    downstream_kind: Codes
    connection_type: Codes
    protocol: Codes
    evidence: Codes
    client: Rows
    server: Rows
    waited: Bools
    failed_downstream: Bools
    failed_upstream: Bools

    @property
    def row(self) -> Rows:
        """The client's row, else the server's."""
        return np.where(self.client >= 0, self.client, self.server)

    def where(self, kept: Bools) -> Observations:
        """Return the calls for which `kept` holds."""
        return Observations(**{item.name: getattr(self, item.name)[kept] for item in fields(self)})

    def client_ns(self, spans: Spans) -> Ints:
        """Return what downstream waited for each call, or `UNKNOWN_DURATION`."""
        return np.where(self.waited, spans.duration[self.client], UNKNOWN_DURATION)

    def server_ns(self, spans: Spans) -> Ints:
        """Return what upstream took for each call, or `UNKNOWN_DURATION`."""
        return np.where(self.server >= 0, spans.duration[self.server], UNKNOWN_DURATION)


def observations(
    spans: Spans,
    *,
    client: Rows | None = None,
    server: Rows | None = None,
    **others: NDArray[Any] | int,
) -> Observations:
    """Return observed calls.

    Args:
        spans: The spans.
        client: As in `Observations`; None: no call has one.
        server: As in `Observations`; None: no call has one.
        others: The other fields; a value for all calls may be given as one number. By default
            downstream waited wherever there is a client, and each side failed as its span did.
    """
    some = client if client is not None else server
    size = 0 if some is None else some.size
    nobody = np.full(size, NOBODY, dtype=np.int32)
    client = nobody if client is None else client
    server = nobody if server is None else server
    given: dict[str, Any] = {
        "client": client,
        "server": server,
        "waited": client >= 0,
        "failed_downstream": (client >= 0) & spans.failed[client],
        "failed_upstream": (server >= 0) & spans.failed[server],
        **others,
    }
    return Observations(**{name: np.broadcast_to(values, size) for name, values in given.items()})


def concatenated(parts: Iterable[Observations]) -> Observations:
    """Return all calls of `parts`."""
    listed = list(parts)
    return Observations(
        **{
            item.name: np.concatenate([getattr(part, item.name) for part in listed])
            for item in fields(Observations)
        }
    )
