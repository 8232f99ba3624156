"""Span ids that client and server share (Zipkin, B3), told apart.

A B3 server may go on with the client's span id: two records, one id. OpenTelemetry has one id a
span, so the server's half gets an id of its own, whose parent is the client's half. Whatever the
server did inside names the shared id as its parent; it goes with the half of its own service
(Zipkin's ``SpanNode``). Trace ids of 64 and 128 bits for the same trace become the longer one
(``Trace``).

Only records of one block of a file can be compared. A list of traces is cut between traces, so
there it makes no difference; in a flat list of spans longer than a block, a span that stands far
away from its parent with a shared id stays with the client's half.
"""

from __future__ import annotations

import json

import numpy as np
import polars as pl

from tracemap.ingest.block import Block
from tracemap.ingest.kernels.layout import (
    FLAGS,
    KIND,
    PARENT_ID,
    QUALITY,
    RESOURCE,
    RESOURCE_TEXT,
    SPAN_ID,
    SPANS,
    TRACE_HIGH,
    TRACE_LOW,
    Columns,
    Ints,
)
from tracemap.ingest.texts import Texts
from tracemap.model import Kind, Quality

SHARED = 0x8000
"""Bit of a span's flags, which OTLP does not use, that says: the id is the client's."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_KEY = ("trace", "id")


def with_shared_ids_told_apart(block: Block, columns: Columns) -> None:
    """Give server halves ids of their own, and their children to them."""
    rows = columns.spans[: columns.registers[SPANS]]
    if not len(rows):
        return
    _lengthen_trace_ids(rows)
    frame = pl.DataFrame(
        {
            "row": np.arange(len(rows)),
            "trace": rows[:, TRACE_LOW],
            "id": rows[:, SPAN_ID],
            "parent": rows[:, PARENT_ID],
            "kind": rows[:, KIND],
            "shared": rows[:, FLAGS] & SHARED != 0,
            "service": _services(block, columns, rows),
        }
    )
    rows[:, FLAGS] &= ~SHARED
    clients = frame.filter(pl.col("kind") == Kind.CLIENT, ~pl.col("shared")).select(_KEY).unique()
    servers = pl.col("kind") == Kind.SERVER
    halves = pl.concat(
        [
            frame.filter("shared"),
            frame.filter(servers, ~pl.col("shared")).join(clients, on=_KEY, how="semi"),
        ]
    )
    if not halves.height:
        return
    children = frame.join(
        halves.select("trace", "id", "service").unique(),
        left_on=("trace", "parent", "service"),
        right_on=("trace", "id", "service"),
        how="semi",
    )["row"].to_numpy()
    own = halves["row"].to_numpy()
    rows[children, PARENT_ID] = _own_id(rows[children, PARENT_ID], rows[children, TRACE_LOW])
    rows[own, PARENT_ID] = rows[own, SPAN_ID]
    rows[own, SPAN_ID] = _own_id(rows[own, SPAN_ID], rows[own, TRACE_LOW])
    rows[own, QUALITY] |= int(Quality.SHARED_RESOLVED)


def _lengthen_trace_ids(rows: Ints) -> None:
    """Give the high half of a trace id to the spans of the same trace that lack it."""
    short = rows[:, TRACE_HIGH] == 0
    if short.all() or not short.any():
        return
    known = pl.DataFrame({"low": rows[~short, TRACE_LOW], "high": rows[~short, TRACE_HIGH]})
    wanted = pl.DataFrame({"low": rows[short, TRACE_LOW]})
    found = wanted.join(known.unique("low"), on="low", how="left", maintain_order="left")
    rows[short, TRACE_HIGH] = found["high"].fill_null(0).to_numpy()


def _own_id(ids: Ints, traces: Ints) -> Ints:
    """Return another id for each, always the same for the same one; never 0."""
    mixed = (ids.view(np.uint64) ^ np.uint64(1)) * _FACTOR
    mixed ^= (mixed >> np.uint64(32)) ^ (traces.view(np.uint64) << np.uint64(1))
    made: Ints = np.maximum(mixed, np.uint64(1)).view(np.int64)
    return made


def _services(block: Block, columns: Columns, rows: Ints) -> Ints:
    """Return a number for the service of each row, the same for the same name."""
    used, numbers = np.unique(rows[:, RESOURCE], return_inverse=True)
    references = np.where(used < 0, 0, columns.resources[used, RESOURCE_TEXT])
    texts = Texts(block.data, columns.extra).gather(references).to_pylist()
    names = [json.loads(each).get("service.name", "") if each else "" for each in texts]
    return np.array([names.index(name) for name in names], np.int64)[numbers]
