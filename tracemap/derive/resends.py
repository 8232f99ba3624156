"""Several server spans below one client span: attempts that have no client spans of their own.

A gRPC client records one span around all of its attempts. Whether these came one after another or
side by side is told by durations alone, because their servers' clocks may differ: attempts in a row
fit into the client's wait one after another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemap.derive.arrays import Bools, Ints, Rows
from tracemap.derive.observations import Observations
from tracemap.derive.spans import Spans

_SLACK_NS, _SLACK_DIVISOR = 1_000_000, 100


@dataclass(frozen=True)
class Resends:
    """Client spans with several server spans below; each array has one item a client span.

    Attributes:
        client: Row of the client span.
        servers: How many servers answered.
        failed: How many of them recorded an error.
        server_ns: Sum of their durations.
        longest_ns: The longest of them.
        in_a_row: All but one failed, and they fit one after another: attempts.
        side_by_side: They do not fit, and one did not fail: a hedge, or a request to many.
    """

    client: Rows
    servers: Ints
    failed: Ints
    server_ns: Ints
    longest_ns: Ints
    in_a_row: Bools
    side_by_side: Bools


def resends(spans: Spans, calls: Observations, client_of: Rows) -> Resends:
    """Return the client spans with several server spans below.

    Args:
        spans: The spans.
        calls: All observed calls.
        client_of: Row of the client span that each entry was called by.
    """
    further = calls.evidence == spans.vocabulary.words["multi_server"]
    clients = np.unique(client_of[calls.server[further]])
    has_several = np.zeros(len(spans), dtype=np.bool_)
    has_several[clients] = True
    servers = calls.server[(calls.server >= 0) & has_several[client_of[calls.server]]]
    servers = servers[client_of[servers] >= 0]
    of = np.searchsorted(clients, client_of[servers])
    took = np.maximum(spans.duration[servers], 0)
    count, failed = (
        np.bincount(of, weights=weights, minlength=clients.size).astype(np.int64)
        for weights in (None, spans.failed[servers])
    )
    server_ns, longest_ns = (np.zeros(clients.size, dtype=np.int64) for _ in range(2))
    np.add.at(server_ns, of, took)
    np.maximum.at(longest_ns, of, took)
    waited = spans.duration[clients]
    fits = server_ns <= waited + np.maximum(_SLACK_NS, waited // _SLACK_DIVISOR)
    return Resends(
        client=clients,
        servers=count,
        failed=failed,
        server_ns=server_ns,
        longest_ns=longest_ns,
        in_a_row=fits & (failed >= count - 1) & (count > 1),
        side_by_side=~fits & (failed < count) & (count > 1) & (waited >= 0),
    )
