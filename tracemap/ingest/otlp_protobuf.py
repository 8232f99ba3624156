"""OTLP protobuf: one bare message, or messages with their length before them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tracemap.ingest.batches import as_batch
from tracemap.ingest.block import Block
from tracemap.ingest.contents import Contents, is_message
from tracemap.ingest.cutting import fields, framed
from tracemap.ingest.doubles import with_doubles
from tracemap.ingest.kernels.layout import RESOURCE_INDEX_SIZE, columns
from tracemap.ingest.kernels.machine import SLACK
from tracemap.ingest.kernels.proto_messages import decode_protobuf
from tracemap.ingest.resources import Resources
from tracemap.ingest.semconv import known_words
from tracemap.model import Batch


def is_otlp_protobuf(contents: Contents) -> bool:
    """Return whether this could be ``TracesData``: its field 1 is a message that starts well."""
    return is_message(contents.head)


def cut_otlp_protobuf(contents: Contents, block_bytes: int) -> Iterator[Block]:
    """Return the blocks of a file."""
    return (framed if contents.framed else fields)(contents, block_bytes)


def protobuf_batch(block: Block, resources: Resources) -> Batch:
    """Decode one block."""
    found = columns(block.data.size - SLACK, SLACK, records=len(block.bounds))
    decode_protobuf(
        block.data,
        block.bounds,
        len(block.bounds),
        found.text,
        found.extra,
        found.spans,
        found.links,
        found.resources,
        found.rejects,
        found.doubles,
        np.full(RESOURCE_INDEX_SIZE, -1, np.int64),
        found.before,
        found.registers,
        known_words(),
    )
    return as_batch(block, with_doubles(found), resources)
