"""Spans laid flat, decoded: written as OTLP/JSON by one kernel, then read like any other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tracemap.ingest.block import Block
from tracemap.ingest.kernels.columnar import (
    ARRAY,
    ATTRIBUTES,
    ATTRIBUTES_END,
    EVENTS,
    EVENTS_END,
    FIRST,
    KEY_LENGTH,
    NAME_LENGTH,
    OBJECT,
    RESOURCE,
    SCOPE_LENGTH,
    SECOND,
    SORT,
    STATE_LENGTH,
)
from tracemap.ingest.kernels.columnar_spans import write_spans
from tracemap.ingest.kernels.layout import REGISTERS, TEXT, Ints
from tracemap.ingest.kernels.machine import SLACK
from tracemap.ingest.otlp_json import json_batch
from tracemap.ingest.resources import Resources
from tracemap.ingest.tabular.columns import Text
from tracemap.model import Batch

# No more is ever written of anything: a byte is six if it is escaped, and the words around it.
_ESCAPED_BYTES = 6
_SPAN_BYTES, _ATTRIBUTE_BYTES, _LIST_BYTES, _LINK_BYTES = 700, 80, 60, 160
_MEMBER_BYTES = 24


@dataclass
class FlatSpans:
    """Spans as the kernel takes them (`kernels.columnar`).

    Attributes:
        text: What all of them refer to.
        spans: One row a span.
        resources: One row a resource.
        attributes: One row an attribute.
        events: One row an event.
        links: One row a link.
        raw: Ids are bytes, not text.
    """

    text: Text
    spans: Ints
    resources: Ints
    attributes: Ints
    events: Ints = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    links: Ints = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    raw: bool = False


def _bytes_max(flat: FlatSpans) -> int:
    """Return how many bytes the documents have at most."""
    attributes = flat.attributes
    sizes = _ATTRIBUTE_BYTES + _ESCAPED_BYTES * attributes[:, KEY_LENGTH]
    sort = attributes[:, SORT]
    factor = np.where(sort == OBJECT, _MEMBER_BYTES, _ESCAPED_BYTES)
    sizes += np.where(sort == ARRAY, 0, factor * attributes[:, SECOND])
    ends = np.concatenate(([0], np.cumsum(sizes)))
    is_list = sort == ARRAY
    inside = ends[attributes[is_list, SECOND]] - ends[attributes[is_list, FIRST]]
    sizes[is_list] += inside
    ends = np.concatenate(([0], np.cumsum(sizes)))

    def listed(first: Ints, end: Ints) -> Ints:
        made: Ints = ends[end] - ends[first] + _LIST_BYTES
        return made

    spans = flat.spans
    of_resource = listed(flat.resources[:, 0], flat.resources[:, 1])
    of_events = np.concatenate(
        ([0], np.cumsum(_LIST_BYTES + listed(flat.events[:, 2], flat.events[:, 3])))
    )
    own = spans[:, [NAME_LENGTH, SCOPE_LENGTH, STATE_LENGTH]].sum(axis=1)
    total = _SPAN_BYTES * len(spans) + _ESCAPED_BYTES * int(own.sum())
    total += int(listed(spans[:, ATTRIBUTES], spans[:, ATTRIBUTES_END]).sum())
    total += int((of_events[spans[:, EVENTS_END]] - of_events[spans[:, EVENTS]]).sum())
    return total + int(of_resource[spans[:, RESOURCE]].sum()) + _LINK_BYTES * len(flat.links)


def span_block(flat: FlatSpans, first: int) -> Block:
    """Return flat spans as a block of OTLP/JSON documents, one a record.

    Args:
        flat: The spans; their records are numbered from 0 on.
        first: Number in the file of the first record, from 1.
    """
    data = flat.text.buffer()
    text = np.empty(_bytes_max(flat) + SLACK, np.uint8)
    extra = np.empty(data.size + SLACK, np.uint8)
    bounds = np.empty((len(flat.spans) + 1, 2), np.int64)
    state = np.zeros(REGISTERS, np.int64)
    records = write_spans(
        data,
        np.ascontiguousarray(flat.spans),
        len(flat.spans),
        np.ascontiguousarray(flat.resources),
        flat.attributes,
        np.ascontiguousarray(flat.events),
        np.ascontiguousarray(flat.links),
        flat.raw,
        text,
        extra,
        bounds,
        state,
    )
    end = int(state[TEXT])
    text[end : end + SLACK] = 0
    # One copy of what was used: the rest of the room was never touched.
    return Block(text[: end + SLACK], bounds[:records].copy(), first)


def span_batch(flat: FlatSpans, first: int, resources: Resources) -> Batch:
    """Decode flat spans."""
    if not len(flat.spans):
        return Batch()
    return json_batch(span_block(flat, first), resources)
