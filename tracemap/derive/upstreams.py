"""Whom each call reached: the service of the entry below it, or what its own attributes name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemap.derive.arrays import Rows
from tracemap.derive.roles import Roles
from tracemap.derive.spans import Peer, Spans
from tracemap.model import UNKNOWN, Kind


@dataclass(frozen=True)
class Upstreams:
    """For each span that is a call: whom it reached; for any other span the values mean nothing.

    Attributes:
        name: Text code of the service, queue, database ... or of `model.UNKNOWN`.
        kind: Text code of service, database, queue, external or unknown.
    """

    name: Rows
    kind: Rows


def upstreams(spans: Spans, roles: Roles) -> Upstreams:
    """Return whom each call reached.

    The entry below decides before any attribute: it is what answered. A message reached the queue
    that the producer names, else the one its consumer names, else the consumer's service.
    """
    words = spans.vocabulary.words
    kinds = np.zeros(len(Peer), dtype=np.int32)
    for member in Peer:
        kinds[member] = words["unknown" if member == Peer.NONE else member.name.lower()]
    said = (spans.peer_kind != Peer.NONE) & (spans.peer != 0)
    name = np.where(said, spans.peer, words[UNKNOWN]).astype(np.int32)
    kind = np.where(said, kinds[spans.peer_kind], words["unknown"]).astype(np.int32)

    calls = np.flatnonzero(roles.call & (roles.first_entry >= 0))
    entries = roles.first_entry[calls]
    consumed = spans.kind[entries] == Kind.CONSUMER
    queue = queue_names(spans)
    queues = np.where(queue[calls] != 0, queue[calls], queue[entries])
    by_queue = consumed & (queues != 0)
    name[calls] = np.where(by_queue, queues, spans.service[entries])
    kind[calls] = np.where(by_queue, words["queue"], words["service"])
    return Upstreams(name, kind)


def queue_names(spans: Spans) -> Rows:
    """Return the text code of the queue each span names; 0: none."""
    return np.where(spans.peer_kind == Peer.QUEUE, spans.peer, 0).astype(np.int32)
