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
        """Count the spans of one evaluation.

        A message flows from its producer (upstream) to the queue, and from the queue to its
        consumers (downstream); a call is made by downstream.
        """
        for node in evaluation.nodes:
            calls, errors = len(node.rows), int(node.error.sum())
            service, subject = node.sort.service, node.sort.subject.service
            if node.sort.kind is Kind.CLIENT:
                self._count((service, subject), calls=calls, errors_downstream=errors)
            elif node.sort.kind is Kind.PRODUCER:
                self._count((subject, service), calls=calls, errors_upstream=errors)
            elif node.sort.kind is Kind.CONSUMER:
                queue = evaluation.nodes[node.linked].sort.subject.service
                self._count((service, queue), calls=calls, errors_downstream=errors)
            elif node.sort.kind is Kind.SERVER and node.parent < 0:
                self._count((USER, service), calls=calls, errors_upstream=errors)
            elif node.sort.kind is Kind.SERVER:
                caller = evaluation.nodes[node.parent].sort.service
                self._count((caller, service), errors_upstream=errors)

    def _count(
        self,
        edge: tuple[str, str],
        *,
        calls: int = 0,
        errors_downstream: int = 0,
        errors_upstream: int = 0,
    ) -> None:
        self.calls[edge] += calls
        self.errors_downstream[edge] += errors_downstream
        self.errors_upstream[edge] += errors_upstream

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
    if downstream != USER and shop.services[downstream].kind == "queue":
        return "messaging"
    return _CONNECTION[shop.services[upstream].kind]
