"""OTLP/JSON: lines, documents, or messages with their length before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from tracemap.ingest.batches import as_batch
from tracemap.ingest.block import Block, padded
from tracemap.ingest.contents import Contents
from tracemap.ingest.cutting import are_lines, documents, framed, lines
from tracemap.ingest.kernels.bounds import span_id_count
from tracemap.ingest.kernels.json_documents import decode_json
from tracemap.ingest.kernels.layout import RESOURCE_INDEX_SIZE, Columns, columns
from tracemap.ingest.kernels.machine import SLACK
from tracemap.ingest.resources import Resources
from tracemap.ingest.semconv import known_words
from tracemap.model import Batch

_MARK = re.compile(
    rb'"(?:resource|scope|instrumentationLibrary)(?:Spans|Logs|Metrics)"\s*:'
    rb'|"(?:resource|scope|instrumentation_library)_(?:spans|logs|metrics)"\s*:'
    rb'|"batches"\s*:'
)
Settle: TypeAlias = Callable[[Block, Columns], None]

_ASCII_END = 128
_LARGE_BYTES = 1 << 26


def is_otlp_json(contents: Contents) -> bool:
    """Return whether this is JSON that names something only OTLP has."""
    head = contents.head
    return head[:1] in (b"{", b"[") and _MARK.search(head) is not None


def cut_otlp_json(contents: Contents, block_bytes: int) -> Iterator[Block]:
    """Return the blocks of a file."""
    if contents.framed:
        return framed(contents, block_bytes)
    if are_lines(contents.head):
        return lines(contents, block_bytes)
    return documents(contents, block_bytes)


def json_batch(block: Block, resources: Resources, settle: Settle | None = None) -> Batch:
    """Decode one block; `settle` changes what was decoded before it becomes a batch."""
    block = as_utf8(block)
    size = block.data.size - SLACK
    spans_max = span_id_count(block.data, size) if size > _LARGE_BYTES else None
    found = columns(size, SLACK, records=len(block.bounds), spans_max=spans_max)
    decode_json(
        block.data,
        block.bounds,
        len(block.bounds),
        found.text,
        found.extra,
        found.spans,
        found.links,
        found.resources,
        found.rejects,
        np.full(RESOURCE_INDEX_SIZE, -1, np.int64),
        found.before,
        found.registers,
        known_words(),
    )
    if settle is not None:
        settle(block, found)
    return as_batch(block, found, resources)


def as_utf8(block: Block) -> Block:
    """Return the block with U+FFFD in place of bytes that are no UTF-8, as JSON has to be."""
    size = block.data.size
    if int(block.data.max()) < _ASCII_END:
        return block
    whole = pa.Array.from_buffers(
        pa.large_string(), 1, [None, pa.py_buffer(np.array([0, size])), pa.py_buffer(block.data)]
    )
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        found = [bytes(block.data[start:end]) for start, end in block.bounds.tolist()]
        records = [record.decode("utf-8", "replace").encode() for record in found]
        ends = np.cumsum([len(record) + 1 for record in records], dtype=np.int64)
        starts = np.concatenate(([0], ends[:-1]))
        block.mended = np.array([one != other for one, other in zip(found, records, strict=True)])
        block.data = padded(b"\n".join([*records, b""]))
        block.bounds = np.ascontiguousarray(np.stack([starts, ends - 1], axis=1))
    return block
