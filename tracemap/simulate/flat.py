"""From the places of a call tree to one flat table of spans."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tracemap.model import Kind
from tracemap.simulate.blueprint import Shop
from tracemap.simulate.description import Description, description, resource
from tracemap.simulate.draws import Draws
from tracemap.simulate.evaluation import Evaluation
from tracemap.simulate.places import Sort, SpanNode

FLAT = pl.Schema(
    {
        "trace_high": pl.UInt64(),
        "trace_low": pl.UInt64(),
        "span_id": pl.UInt64(),
        "parent_id": pl.UInt64(),  # 0: none
        "start_ns": pl.Int64(),  # since the epoch
        "duration_ns": pl.Int64(),
        "description_id": pl.Int32(),  # row of Catalogue.descriptions
        "resource_id": pl.Int32(),  # row of Catalogue.resources
        "linked_high": pl.UInt64(),  # trace and span linked; 0: no link
        "linked_low": pl.UInt64(),
        "linked_span": pl.UInt64(),
    }
)
"""Columns of simulated spans."""


@dataclass
class Catalogue:
    """What the ids in a flat table stand for; it grows as new sorts of spans appear.

    Attributes:
        descriptions: What spans say of themselves.
        resources: Attributes of each instance of each service.
    """

    shop: Shop
    descriptions: list[Description] = field(default_factory=list)
    resources: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    _known: dict[tuple[Sort, bool], int] = field(default_factory=dict)
    _first_instance: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for service in self.shop.services.values():
            if service.kind == "service":
                self._first_instance[service.name] = len(self.resources)
                self.resources += [
                    resource(self.shop, service, replica) for replica in range(service.replicas)
                ]

    def description_id(self, sort: Sort, *, failed: bool) -> int:
        """Return the row of what such spans say."""
        key = (sort, failed)
        if key not in self._known:
            self._known[key] = len(self.descriptions)
            self.descriptions.append(description(self.shop, sort, failed=failed))
        return self._known[key]

    def resource_id(self, service: str) -> int:
        """Return the row of the first instance of a service; the others follow."""
        return self._first_instance[service]


def flat_spans(
    evaluation: Evaluation, draws: Draws, catalogue: Catalogue, start_ns: int
) -> pl.DataFrame:
    """Return the spans of an evaluation, columns as `FLAT`, place by place."""
    frames = [
        _place(evaluation, node, draws, catalogue, start_ns)
        for node in evaluation.nodes
        if len(node.rows)
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=FLAT)


def _place(
    evaluation: Evaluation, node: SpanNode, draws: Draws, catalogue: Catalogue, start_ns: int
) -> pl.DataFrame:
    rows = node.rows
    nothing = np.zeros(len(rows), dtype=np.uint64)
    parent = evaluation.nodes[node.parent] if node.parent >= 0 else None
    linked = evaluation.nodes[node.linked] if node.linked >= 0 else None
    described = np.where(
        node.error,
        catalogue.description_id(node.sort, failed=True),
        catalogue.description_id(node.sort, failed=False),
    )
    return pl.DataFrame(
        {
            "trace_high": draws.ids(f"{node.trace}/high")[rows],
            "trace_low": draws.ids(f"{node.trace}/low")[rows],
            "span_id": draws.ids(f"{node.path}/id")[rows],
            "parent_id": draws.ids(f"{parent.path}/id")[rows] if parent else nothing,
            "start_ns": node.start_ns + start_ns,
            "duration_ns": node.duration_ns,
            "description_id": described,
            "resource_id": catalogue.resource_id(node.sort.service) + node.replica,
            "linked_high": draws.ids(f"{linked.trace}/high")[rows] if linked else nothing,
            "linked_low": draws.ids(f"{linked.trace}/low")[rows] if linked else nothing,
            "linked_span": draws.ids(f"{linked.path}/id")[rows] if linked else nothing,
        },
        schema=FLAT,
    )


def is_remote_parent(kind: Kind) -> bool:
    """Return whether a parent of such a span is in another process."""
    return kind in (Kind.SERVER, Kind.CONSUMER)
