"""What is known of two services, and what can be said of why no edge joins them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

REASONS = {
    "edge_exists": "there is an edge: spans of both were joined",
    "named_only": "there is an edge, but only by name: no span of upstream is below the calls",
    "reverse_edge": "one calls the other, but the other way round",
    "link_only": "spans of the two are joined by links alone, which are no calls",
    "not_seen": "no span of it is stored",
    "environments": "the two are in different environments or namespaces",
    "through_queue": "messages go from one to the other through a queue",
    "through_service": "one calls the other through other services",
    "other_window": "there is an edge at another time",
    "other_time": "the two were never recorded at the same time",
    "no_client_span": "downstream recorded no call at all",
    "answered_by": "downstream calls it by name, but another service's spans are below these calls",
    "other_name": "downstream calls something that is probably upstream under another name",
    "unnamed_calls": "downstream makes calls that name nobody",
    "orphans": "spans of upstream name a parent that is not in the data",
    "roots": "requests of upstream begin traces of their own: users enter, or context is lost",
    "never_together": "no trace has spans of both",
    "sampling": "the two are sampled differently, or nobody knows how",
    "rejected": "records were rejected: spans may be among them",
    "no_sign": "both are recorded in full, and nothing hints at a call",
}
"""What can be said, with the meaning, in the order in which it is looked for."""


class Reason(NamedTuple):
    """One row of `model.WHY_MISSING`."""

    reason: str
    spans: int
    text: str
    exemplars: list[str]


@dataclass(frozen=True)
class Pair:
    """What is known of two services.

    Attributes:
        downstream, upstream: Their names, as nodes of the graph.
        facts: As `model.PAIR_FACTS`, of the window.
        edge_facts: As `model.EDGE_FACTS`, of all times.
        services: Columns service, service_name, service_namespace, environment: all that there are.
        quality: Columns service, reason, spans.
        rejected: Records that could not be taken; files of other kinds are none.
    """

    downstream: str
    upstream: str
    facts: pl.DataFrame
    edge_facts: pl.DataFrame
    services: pl.DataFrame
    quality: pl.DataFrame
    rejected: int = 0

    @property
    def known(self) -> set[str]:
        """Names of the services that recorded spans."""
        return set(self.services["service"])

    def count(self, situation: str, other: str | None = None) -> int:
        """Return how often a situation was seen, whoever it was about if that is not said."""
        return int(self._rows(situation, other)["count"].sum())

    def exemplars(self, situation: str, other: str | None = None) -> list[str]:
        """Return up to three traces that show it."""
        ids = self._rows(situation, other)["exemplars"].explode().drop_nulls()
        return sorted(set(ids))[:3]

    def others(self, situation: str) -> dict[str, int]:
        """Return whom a situation was about, with counts, the most frequent first."""
        rows = self._rows(situation, None).sort("count", "other", descending=[True, False])
        return dict(rows.select("other", "count").iter_rows())

    def _rows(self, situation: str, other: str | None) -> pl.DataFrame:
        rows = self.facts.filter(pl.col("situation") == situation)
        return rows if other is None else rows.filter(pl.col("other") == other)
