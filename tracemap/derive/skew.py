"""SKEW_FACTS: between which times the clocks of two hosts can differ.

Methods: docs/methods.md#clock-skew. A server works while its client waits, so what has to be added
to the server's clock brings its span inside the client's: at least client start - server start, at
most client end - server end. Each call between two hosts gives these two bounds; over many calls,
in both directions, they close in on the truth. No time is corrected by it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from tracemap.derive.cells import Grid
from tracemap.derive.derived import Derived
from tracemap.derive.grouping import grouped
from tracemap.model import SKEW_FACTS, signed_buckets

_BOUNDS = ("least", "most")


def skew_facts(derived: Derived, grid: Grid) -> pl.DataFrame:
    """Return the bounds of each pair of hosts, as `model.SKEW_FACTS`, sorted by key.

    Counted are calls with both durations known whose server is not the longer one: a server that
    outlives its client was not waited for, and its end says nothing. Hosts are in the order of
    their names; a call in the other direction gives the same bounds with the signs turned.
    """
    spans, client = derived.spans, derived.roles.client
    waited = derived.steps.tiling.paired & (spans.duration >= 0)
    waited &= (spans.duration[client] >= spans.duration) & (spans.host[client] != spans.host)
    server = np.flatnonzero(waited)
    caller = client[server]
    least = spans.start[caller] - spans.start[server]
    most = least + spans.duration[caller] - spans.duration[server]
    turned = spans.host[server] < spans.host[caller]  # codes are in the order of the texts
    first, second = np.where(turned, -most, least), np.where(turned, -least, most)
    hosts = np.sort(np.stack((spans.host[caller], spans.host[server])), axis=0)
    cells = grid.of_trace[spans.trace[server]]
    summed = grouped(
        {
            "cell": np.tile(cells, 2),
            "host": np.tile(hosts[0], 2),
            "other_host": np.tile(hosts[1], 2),
            "bound": np.repeat(np.arange(2, dtype=np.int32), server.size),
            "bucket": np.concatenate(
                (signed_buckets.buckets(first), signed_buckets.buckets(second))
            ),
        },
        {},
    )
    return SKEW_FACTS.conform(
        summed.with_columns(
            grid.decoded("cell"),
            *spans.vocabulary.decoded("host", "other_host"),
            pl.lit(pl.Series(_BOUNDS)).gather(pl.col("bound")).alias("bound"),
            count=pl.col("rows"),
        )
    )
