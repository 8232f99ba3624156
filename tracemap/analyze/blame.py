"""Attribution: for which service each component that moved counts.

Own time counts for its service. A link (what lies between two services) is not charged to caller or
callee by convention, because a fault in the network of a service shows in the gaps of all edges
that touch it, on either side, and never in its own server spans. It is shared between its two ends
by how consistently the other edges of each end moved too, repeated until the shares settle
(expectation-maximisation of a mixture).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

ROUNDS = 12
"""Rounds of sharing links out; the shares no longer change visibly after about five."""
CLEARLY = 0.6
"""An end of a link with at least this part of the blame has all of it. Of calls of which upstream
recorded nothing it has all unless the caller has this part: nobody else can say why it was late."""
MOVED = 0.5
"""A component has moved when its evidence weighs at least half."""

Row = dict[str, Any]
"""A component: kind, downstream, upstream, operation, excess, half, ratio_low, z, weight, ..."""

LINKS = ("gap", "virtual", "unanswered", "lost")
"""Kinds of components that lie between two services."""
_ENDS = (("downstream", "upstream"), ("upstream",), ("downstream",))
"""A gap is the network of either end, whichever way it is crossed. Calls that were not answered say
something of whom the caller calls, or of whoever calls upstream, and nothing of calls beyond."""
_BY_DOWNSTREAM = ("calls", "share")
"""Kinds that count for the caller; all others count for upstream."""


@dataclass
class Blame:
    """Divides the components that moved between services.

    Attributes:
        moved: Components that moved, columns as `components.COMPONENTS`.
        everything: Those that did not, too.
    """

    moved: pl.DataFrame
    everything: pl.DataFrame
    _shares: dict[str, list[tuple[Row, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = self.moved.to_dicts()
        around, into, out_of = (self._consistency(*ends) for ends in _ENDS)
        certain = [(row, sole(row)) for row in rows if sole(row)]
        links = [row for row in rows if not sole(row)]
        blame, linked = dict.fromkeys(around, 1.0), dict.fromkeys(around, 1.0)
        split: list[tuple[Row, str, float]] = []
        for _ in range(ROUNDS):
            split = []
            for row in links:
                down, up = row["downstream"], row["upstream"]
                if row["kind"] == "gap":
                    ends = {down: around[down] * blame[down], up: around[up] * blame[up]}
                else:
                    ends = {down: out_of[down] * linked[down], up: into[up] * linked[up]}
                whole = sum(ends.values()) or 1.0
                split += [(row, end, part / whole) for end, part in ends.items()]
            # Own time explains gaps (a starved service is slow to answer), not a slow upstream.
            linked = _summed(split, around)
            split += [(row, service, 1.0) for row, service in certain]
            blame = _summed(split, around)
        for row, service, part in _settled(split):
            if part > 0:
                self._shares.setdefault(service, []).append((row, part))

    def _consistency(self, *ends: str) -> dict[str, float]:
        """Return per service the share of its links that moved (0 to 1).

        Args:
            ends: At which end of a link the service is to be.
        """
        links = self.everything.filter(
            pl.col("kind").is_in(LINKS) & (pl.col("baseline_calls") > 0) & (pl.col("calls") > 0)
        ).group_by("downstream", "upstream", "operation")
        # A link may move in its gaps or in calls without an answer: either is enough.
        most = links.agg(pl.col("weight").max())
        touching = pl.concat(most.select(pl.col(end).alias("service"), "weight") for end in ends)
        share = touching.group_by("service").agg(pl.col("weight").mean())
        services = {
            service: 0.0
            for column in ("downstream", "upstream")
            for service in self.everything[column].unique().to_list()
            if service
        }
        return services | dict(share.rows())

    def services(self) -> list[str]:
        """Return the services with any blame, in order."""
        return sorted(self._shares)

    def shares(self, service: str) -> list[tuple[Row, float]]:
        """Return the components that count for `service`, each with the part that does."""
        return self._shares[service]

    def risen_edge(self, service: str) -> tuple[str, str] | None:
        """Return the one edge of `service` that rose, downstream first; None: several did.

        An end with one edge is as good as the edge, unless its other end has but this one too.
        """
        links = self.everything.filter(pl.col("kind").is_in(LINKS))
        touching = (pl.col("downstream") == service) | (pl.col("upstream") == service)
        pairs = (
            links.filter(touching).group_by("downstream", "upstream").agg(pl.col("weight").max())
        )
        risen = pairs.filter(pl.col("weight") >= MOVED)
        if risen.height != 1:
            return None
        edge = risen["downstream"][0], risen["upstream"][0]
        other = edge[0] if edge[1] == service else edge[1]
        beyond = (pl.col("downstream") == other) | (pl.col("upstream") == other)
        others = links.filter(beyond).select("downstream", "upstream").n_unique()
        return edge if pairs.height > 1 or others == 1 else None

    def steepest_edge(self, service: str, least: float) -> tuple[str, str] | None:
        """Return the one edge of several that rose by far the most per call; None: none did.

        What rose by less than `least` of that is the rest of the service getting a little slower.
        """
        touching = (pl.col("downstream") == service) | (pl.col("upstream") == service)
        links = self.everything.filter(touching & pl.col("kind").is_in(["gap", "virtual"]))
        if links.select("downstream", "upstream").n_unique() == 1:
            return None
        risen = (
            links.filter(pl.col("weight") >= MOVED)
            .group_by("downstream", "upstream")
            .agg(rise=(pl.col("now") - pl.col("before")).max())
            .sort("rise", "downstream", "upstream", descending=[True, False, False])
        )
        if risen.is_empty() or (risen["rise"][1:] >= least * risen["rise"][0]).any():
            return None
        return risen["downstream"][0], risen["upstream"][0]


def _summed(split: list[tuple[Row, str, float]], services: Mapping[str, float]) -> dict[str, float]:
    """Return per service what counts for it."""
    blame = dict.fromkeys(services, 1e-6)
    for row, service, part in split:
        blame[service] = blame.get(service, 0.0) + counted(row) * part
    return blame


def _settled(split: list[tuple[Row, str, float]]) -> list[tuple[Row, str, float]]:
    """Return the shares; a link with one clearly likelier end is charged to that end alone.

    One link rises for one reason: what is left with the other end is uncertainty, not a second
    fault. Where neither end is `CLEARLY` the likelier one the shares of a gap stay, and the edge is
    named.
    """
    return [(row, end, _all_or_nothing(row, end, part)) for row, end, part in split]


def _all_or_nothing(row: Row, end: str, part: float) -> float:
    if row["kind"] != "gap" and not sole(row):
        is_upstream = end == row["upstream"]
        return float(part > 1 - CLEARLY if is_upstream else part >= CLEARLY)
    return 1.0 if part >= CLEARLY else 0.0 if part <= 1 - CLEARLY else part


def counted(row: Row) -> float:
    """Return the effect of a component, weighed by its evidence."""
    return float(row["excess"] * row["weight"])


def sole(row: Row) -> str:
    """Return the one service a component counts for; '' where two ends share it."""
    if row["kind"] in LINKS:
        return ""
    return str(row["downstream"] if row["kind"] in _BY_DOWNSTREAM else row["upstream"])
