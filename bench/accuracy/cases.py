"""What a case is: facts of two windows, and what a report on them should name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tracemap.model import Facts, Window

Edge = tuple[str, str]
"""Downstream and upstream."""


@dataclass(frozen=True)
class Culprit:
    """Something that went wrong and should be named.

    Attributes:
        service: The service to blame.
        edge: The edge to blame, where it is one; naming either is right.
        is_error: Whether it made requests fail rather than take longer.
        excess_ms: Milliseconds it added to the mean user request; None: not known.
    """

    service: str
    edge: Edge | None = None
    is_error: bool = False
    excess_ms: float | None = None

    def is_named_by(self, origin: dict[str, Any]) -> bool:
        """Return whether a row of `model.ORIGINS` names it."""
        named = origin["edge_downstream"], origin["edge_upstream"]
        return origin["service"] == self.service or (self.edge is not None and named == self.edge)


@dataclass(frozen=True)
class Case:
    """Facts of two windows, and what should be named.

    Attributes:
        group: The set it belongs to.
        name: What it is, for people.
        facts: Facts of both windows, cut into cells.
        incident: The window to explain.
        baseline: The window to compare with.
        culprits: What should be named; none: a control, in which nobody should be.
        latency: Histograms on the stored grid, to look for spikes in; None: not looked for.
        seconds: How long making the facts took.
    """

    group: str
    name: str
    facts: Facts
    incident: Window
    baseline: Window
    culprits: tuple[Culprit, ...] = ()
    latency: pl.DataFrame | None = None
    seconds: float = 0.0


@dataclass
class Outcome:
    """How one case went.

    Attributes:
        group, name: As in `Case`.
        ranks: For each culprit the rank at which it was named, other culprits not counted; 0:
            not named.
        edges: For each culprit that is an edge, whether the edge itself was named.
        off: For each culprit named whose milliseconds are known, by which share they were off.
        named: Services named, likeliest first.
        latency_named: How many of them for latency: cause neither ``error`` nor ``mix``.
        spikes: Units that spiked; None: not looked for.
        seconds: Facts and findings.
    """

    group: str
    name: str
    ranks: list[int] = field(default_factory=list)
    edges: list[bool] = field(default_factory=list)
    off: list[float] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    latency_named: int = 0
    spikes: int | None = None
    seconds: float = 0.0
