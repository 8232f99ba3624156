"""The true graph: who called whom, how often, and how often it failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tracemap.model import USER, Kind
from tracemap.simulate.blueprint import Shop
from tracemap.simulate.evaluation import Evaluation

_CONNECTION = {
    "service": "rpc",
    "database": "database",
    "queue": "messaging",
    "external": "external",
}


@dataclass
class Graph:
    """The true edges: calls and errors by downstream and upstream."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors_downstream: Counter[tuple[str, str]] = field(default_factory=Counter)
    errors_upstream: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, evaluation: Evaluation) -> None:
        """Count the spans of one evaluation."""
        for node in evaluation.nodes:
            errors = int(node.error.sum())
            if node.sort.kind in (Kind.CLIENT, Kind.PRODUCER):
                edge = (node.sort.service, node.sort.subject.service)
                self.calls[edge] += len(node.rows)
                self.errors_downstream[edge] += errors
            elif node.sort.kind is Kind.SERVER:
                made_by_user = node.parent < 0
                caller = USER if made_by_user else evaluation.nodes[node.parent].sort.service
                edge = (caller, node.sort.service)
                self.calls[edge] += len(node.rows) if made_by_user else 0
                self.errors_upstream[edge] += errors
            elif node.sort.kind is Kind.CONSUMER:
                edge = (evaluation.nodes[node.linked].sort.subject.service, node.sort.service)
                self.calls[edge] += len(node.rows)
                self.errors_upstream[edge] += errors

    def rows(self, shop: Shop) -> list[dict[str, Any]]:
        """Return one row per edge, sorted."""
        return [
            {
                "downstream": downstream,
                "upstream": upstream,
                "upstream_kind": shop.services[upstream].kind,
                "connection_type": connection_type(shop, downstream, upstream),
                "calls": calls,
                "errors_downstream": self.errors_downstream[downstream, upstream],
                "errors_upstream": self.errors_upstream[downstream, upstream],
            }
            for (downstream, upstream), calls in sorted(self.calls.items())
            if calls
        ]


def connection_type(shop: Shop, downstream: str, upstream: str) -> str:
    """Return how two nodes of the graph are connected, in the words of `model.EDGES`."""
    if downstream in shop.services and shop.services[downstream].kind == "queue":
        return "messaging"
    return _CONNECTION[shop.services[upstream].kind]
