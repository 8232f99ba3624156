"""From the places of a call tree to one flat table of spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from tracemap.model import Kind
from tracemap.simulate.blueprint import Shop
from tracemap.simulate.description import Description, description, resource
from tracemap.simulate.draws import Draws, Integers
from tracemap.simulate.evaluation import Evaluation
from tracemap.simulate.fault import RENEWED
from tracemap.simulate.places import Outcome, Sort, SpanNode

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
    versions: Mapping[str, str] = field(default_factory=dict)
    """Next version of services that get one during the run."""
    _known: dict[tuple[Sort, Outcome], int] = field(default_factory=dict)
    _first_instance: dict[str, int] = field(default_factory=dict)
    _first_renewed: dict[str, int] = field(default_factory=dict)
    _stated: dict[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for service in self.shop.services.values():
            if service.kind == "service":
                self._first_instance[service.name] = len(self.resources)
                self.resources += [
                    resource(self.shop, service, replica) for replica in range(service.replicas)
                ]
        for name, version in self.versions.items():
            service = self.shop.services[name]
            self._first_renewed[name] = len(self.resources)
            self.resources += [
                resource(self.shop, service, replica, version=version)
                for replica in range(service.replicas)
            ]

    def description_id(self, sort: Sort, outcome: Outcome) -> int:
        """Return the row of what spans say that end so."""
        key = (sort, outcome)
        if key not in self._known:
            self._known[key] = len(self.descriptions)
            self.descriptions.append(description(self.shop, sort, outcome))
        return self._known[key]

    def with_tracestate(self, description_id: int, tracestate: str) -> int:
        """Return the row of the same description with a trace state."""
        key = (description_id, tracestate)
        if key not in self._stated:
            self._stated[key] = len(self.descriptions)
            one = self.descriptions[description_id]
            self.descriptions.append(replace(one, tracestate=tracestate))
        return self._stated[key]

    def resource_ids(self, service: str, replica: Integers) -> Integers:
        """Return the rows of instances by their numbers, of either version."""
        first, renewed = self._first_instance[service], self._first_renewed.get(service, 0)
        return np.where(replica >= RENEWED, renewed + replica - RENEWED, first + replica)

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
    outcomes = node.outcomes
    described = np.zeros(len(rows), dtype=np.int64)
    for outcome in sorted({Outcome.OK, Outcome.FAILED, *map(Outcome, np.unique(outcomes))}):
        described[outcomes == outcome] = catalogue.description_id(node.sort, outcome)
    return pl.DataFrame(
        {
            "trace_high": draws.ids(f"{node.trace}/high")[rows],
            "trace_low": draws.ids(f"{node.trace}/low")[rows],
            "span_id": draws.ids(f"{node.path}/id")[rows],
            "parent_id": draws.ids(f"{parent.path}/id")[rows] if parent else nothing,
            "start_ns": node.start_ns + start_ns,
            "duration_ns": node.duration_ns,
            "description_id": described,
            "resource_id": catalogue.resource_ids(node.sort.service, node.replica),
            "linked_high": draws.ids(f"{linked.trace}/high")[rows] if linked else nothing,
            "linked_low": draws.ids(f"{linked.trace}/low")[rows] if linked else nothing,
            "linked_span": draws.ids(f"{linked.path}/id")[rows] if linked else nothing,
        },
        schema=FLAT,
    )


def is_remote_parent(kind: Kind) -> bool:
    """Return whether a parent of such a span is in another process."""
    return kind in (Kind.SERVER, Kind.CONSUMER)
