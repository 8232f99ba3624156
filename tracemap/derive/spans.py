"""The spans of a bucket as plain arrays, sorted by trace and start: what the kernels work on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from tracemap.derive.arrays import Bools, Bytes, Ids, Ints, Rows, Weights
from tracemap.derive.marks import marks
from tracemap.derive.peers import peers
from tracemap.derive.recorders import is_proxy
from tracemap.derive.vocabulary import Vocabulary
from tracemap.model import Kind, Quality, Status, TraceBucket

UNKNOWN_DURATION = -1
"""Duration of a span without an end, or with an end before its start."""

REMOTE_MASK, KNOWN_LOCAL, KNOWN_REMOTE = 0x300, 0x100, 0x300
"""Bits of OTLP's flags that say where the parent ran, and their values where that is known."""

SORTED_BY = ("trace_high", "trace_low", "start_ns", "span_id")
"""The order of rows in `Spans`."""

_NEEDED = (
    *SORTED_BY, "parent_id", "duration_ns", "operation_id", "resource_id", "status_code", "flags",
    "weight", "quality",
)  # fmt: skip


INSTANCES = 1023
"""Instances are told apart by a hash up to this: few enough for counts per instance to stay small,
and two of ten share one in one case of twenty."""


class Message(IntEnum):
    """What a span does with a message (`messaging_operation`)."""

    NONE = 0
    SEND = 1
    RECEIVE = 2
    PROCESS = 3
    SETTLE = 4
    CREATE = 5


class Peer(IntEnum):
    """What a span says about whom it talks to: the higher, the more it decides."""

    NONE = 0
    SERVICE = 1
    EXTERNAL = 2
    DATABASE = 3
    QUEUE = 4
    FAAS = 5
    GENAI = 6


class Resolution(IntEnum):
    """How a peer was found to be a service of this export."""

    NONE = 0
    NAME = 1
    HOST = 2


@dataclass(frozen=True)
class Spans:
    """Spans sorted by trace id, start and span id; every array but `offsets` has one item a span.

    Attributes:
        vocabulary: What the text codes mean.
        offsets: Where each trace begins, and the number of spans at the end.
        trace: Number of the trace, from 0.
        duration: ns, or `UNKNOWN_DURATION`.
        service, version, operation, protocol, peer: Text codes.
        clock: Number of the clock the span was recorded with: equal only on one host.
        host: Text code of the host; of its service in brackets where no host is named.
        instance: Hash of the instance that recorded the span, 1 to `INSTANCES`; 0: not named.
        quality: Bits of `model.Quality`, those of its resource included.
        proxy: Whether a proxy recorded the span (`tracemap.derive.recorders`).
        peer_kind: As `Peer`, after resolving.
        resolution: As `Resolution`.
        message: As `Message`.
        marks: Bits of `marks.Mark`: what an error says about itself.
    """

    vocabulary: Vocabulary
    offsets: Ints
    trace: Rows
    trace_high: Ids
    trace_low: Ids
    span_id: Ids
    parent_id: Ids
    start: Ints
    duration: Ints
    negative: Bools
    status: Bytes
    marks: Bytes
    flags: NDArray[np.uint16]
    weight: Weights
    kind: Bytes
    message: Bytes
    quality: NDArray[np.uint32]
    service: Rows
    version: Rows
    clock: Rows
    host: Rows
    instance: Rows
    proxy: Bools
    operation: Rows
    protocol: Rows
    peer: Rows
    peer_kind: Bytes
    resolution: Bytes

    def __len__(self) -> int:
        """Return the number of spans."""
        return len(self.span_id)

    def of_traces(self, kept: Bools) -> Spans:
        """Return the spans of those traces for which `kept` holds."""
        rows = kept[self.trace]
        lengths = np.diff(self.offsets)[kept]
        whole = {"vocabulary", "offsets", "trace"}
        arrays: dict[str, Any] = {
            item.name: getattr(self, item.name)[rows]
            for item in fields(self)
            if item.name not in whole
        }
        numbers = np.arange(lengths.size, dtype=np.int32)
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        return replace(self, offsets=offsets, trace=np.repeat(numbers, lengths), **arrays)

    @property
    def failed(self) -> Bools:
        """Whether each span has status ERROR."""
        failed: Bools = self.status == np.uint8(Status.ERROR)
        return failed


def spans(bucket: TraceBucket) -> Spans:
    """Return the spans of `bucket` as arrays, in an order that does not depend on the order given.

    Duplicates must have been removed; a span id that comes twice in a trace is kept twice.
    """
    marked = pl.lit(pl.Series(marks(bucket.spans))).alias("marks")
    rows = bucket.spans.select(*_NEEDED, marked).sort(SORTED_BY)
    vocabulary = Vocabulary.of(
        [
            bucket.resources["service"],
            bucket.resources["service_version"],
            _hosts(bucket.resources),
            *(bucket.operations[name] for name in ("operation", "protocol", "peer_name")),
        ]
    )
    offsets = _offsets(rows)
    resources = _of_resources(rows["resource_id"], bucket.resources, vocabulary)
    duration = _array(rows["duration_ns"].fill_null(UNKNOWN_DURATION), np.int64)
    return Spans(
        vocabulary=vocabulary,
        offsets=offsets,
        trace=np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets)),
        trace_high=_array(rows["trace_high"], np.uint64),
        trace_low=_array(rows["trace_low"], np.uint64),
        span_id=_array(rows["span_id"], np.uint64),
        parent_id=_array(rows["parent_id"], np.uint64),
        start=_array(rows["start_ns"], np.int64),
        duration=np.maximum(duration, UNKNOWN_DURATION),
        negative=_array(rows["duration_ns"].lt(0).fill_null(value=False), np.bool_),
        status=_array(rows["status_code"], np.uint8),
        marks=_array(rows["marks"], np.uint8),
        flags=_array(rows["flags"], np.uint16),
        weight=_weights(rows, offsets),
        quality=_array(rows["quality"], np.uint32) | resources.pop("quality"),
        **resources,
        **_of_operations(rows["operation_id"], bucket, vocabulary),
    )


def _weights(rows: pl.DataFrame, offsets: Ints) -> Weights:
    """Return how many spans each one stands for.

    What is decided where a trace begins holds for all of it: a span that says nothing of sampling
    stands for as many as the first root of its trace that does. Jaeger's clients and Datadog's
    agent write it on the root alone.
    """
    weight = _array(rows["weight"].fill_null(1.0), np.float64)
    said = (_array(rows["quality"], np.uint32) & np.uint32(Quality.NO_SAMPLING_INFORMATION)) == 0
    roots = np.flatnonzero(said & (weight > 1.0) & (_array(rows["parent_id"], np.uint64) == 0))
    if not roots.size or said.all():
        return weight
    traces, first = np.unique(np.searchsorted(offsets, roots, side="right") - 1, return_index=True)
    of_trace = np.ones(len(offsets) - 1)
    of_trace[traces] = weight[roots[first]]
    inherited: Weights = np.where(said, weight, np.repeat(of_trace, np.diff(offsets)))
    return inherited


def linked_columns(
    linked: pl.DataFrame, bucket: TraceBucket, vocabulary: Vocabulary
) -> dict[str, Any]:
    """Return kind, message, peer, peer_kind, service and operation of linked spans."""
    operations = _of_operations(linked["linked_operation_id"], bucket, vocabulary)
    resources = _of_resources(linked["linked_resource_id"], bucket.resources, vocabulary)
    wanted = ("kind", "message", "peer", "peer_kind", "operation")
    return {name: operations[name] for name in wanted} | {"service": resources["service"]}


def _of_resources(
    ids: pl.Series, resources: pl.DataFrame, vocabulary: Vocabulary
) -> dict[str, Any]:
    """Return what each span has from its resource: who recorded it, where, by which clock."""
    clock = (
        pl.when(pl.col("host").fill_null("") == "")
        .then(pl.format("resource {}", "resource_id"))
        .otherwise(pl.format("host {}", "host"))
    )
    clocks = resources.select(clock=clock.rank("dense"))["clock"]
    look = _Lookup(ids, resources["resource_id"])
    return {
        "service": look(vocabulary.codes(resources["service"])),
        "version": look(vocabulary.codes(resources["service_version"])),
        "clock": look(_array(clocks, np.int32)),
        "host": look(vocabulary.codes(_hosts(resources))),
        "instance": look(_instances(resources)),
        "quality": look(_array(resources["quality"], np.uint32)),
        "proxy": look(_array(is_proxy(resources), np.bool_)),
    }


def _hosts(resources: pl.DataFrame) -> pl.Series:
    """Return the name of each resource's host; its service in brackets where none is named."""
    nameless = pl.col("host").fill_null("") == ""
    named = pl.when(nameless).then(pl.format("({})", "service")).otherwise("host")
    return resources.select(host=named)["host"]


def _instances(resources: pl.DataFrame) -> Rows:
    """Return a number for the instance of each resource: the same on every machine; 0: none."""
    named = resources["instance"].fill_null("").to_list()
    digest = xxhash.xxh3_64_intdigest
    hashes = [digest(name.encode()) % INSTANCES + 1 if name else 0 for name in named]
    return np.array(hashes, dtype=np.int32)


def _of_operations(ids: pl.Series, bucket: TraceBucket, vocabulary: Vocabulary) -> dict[str, Any]:
    """Return what each span has from its operation: kind, texts and peer."""
    operations = bucket.operations
    asked = peers(operations, bucket.resources)
    vocabulary_codes = {
        "operation": operations["operation"],
        "protocol": operations["protocol"],
        "peer": asked["peer_name"],
    }
    look = _Lookup(ids, operations["operation_id"])
    columns = {name: look(vocabulary.codes(texts)) for name, texts in vocabulary_codes.items()}
    # A span without a kind that names whom it calls is the calling side.
    calls = (pl.col("kind") == int(Kind.UNSPECIFIED)) & (pl.col("peer_kind") != "")
    kind = operations.select(pl.when(calls).then(int(Kind.CLIENT)).otherwise("kind")).to_series()
    return {
        **columns,
        "kind": look(_array(kind, np.uint8)),
        "message": look(_numbers(operations["messaging_operation"], Message)),
        "peer_kind": look(_numbers(asked["peer_kind"], Peer)),
        "resolution": look(_numbers(asked["resolution"], Resolution)),
    }


class _Lookup:
    """Takes values of a small table by id: ids are dense, so an array does."""

    def __init__(self, ids: pl.Series, table_ids: pl.Series) -> None:
        known = table_ids.to_numpy()
        position = np.zeros(int(known.max(initial=-1)) + 1, dtype=np.int32)
        position[known] = np.arange(known.size, dtype=np.int32)
        self._positions = position[ids.to_numpy()]

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        taken: NDArray[Any] = values[self._positions]
        return taken


def _numbers(texts: pl.Series, names: type[IntEnum]) -> Bytes:
    """Return the number of each text in an enumeration by lower-case name; other texts are 0."""
    numbers = {name.lower(): int(member) for name, member in names.__members__.items()}
    return _array(
        texts.replace_strict(numbers, default=0, return_dtype=pl.UInt8).fill_null(0), np.uint8
    )


def _offsets(rows: pl.DataFrame) -> Ints:
    """Return where each trace begins in sorted rows, and the number of rows at the end."""
    if rows.is_empty():
        return np.zeros(1, dtype=np.int64)
    high, low = rows["trace_high"].to_numpy(), rows["trace_low"].to_numpy()
    new = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    inner = np.flatnonzero(new) + 1
    return np.concatenate(([0], inner, [len(rows)])).astype(np.int64)


def _array(series: pl.Series, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a writable copy: numba compiles a second version for read-only arrays."""
    return np.array(series.to_numpy(), dtype=dtype)
