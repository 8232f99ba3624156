"""What a fault is: a change of one quantity, at some places, for some minutes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from enum import Enum
from typing import ClassVar, Literal, NamedTuple, Self

import numpy as np

from tracemap.model import MINUTE_NS
from tracemap.simulate.draws import Integers, Mask

Cause = Literal["self", "wire", "calls", "error", "load"]
RENEWED = 1_000
"""Instances of a service's next version are numbered from here on."""


class Quantity(Enum):
    """What the evaluation asks faults about."""

    OWN_NS = "median own time"
    GAP_NS = "median time on the network, both directions"
    TIMES = "calls one after the other"
    PROBABILITY = "millionths of requests that make the call"
    ERROR_RATIO = "millionths of executions that fail"
    ARRIVALS = "requests that arrive"


class Place(NamedTuple):
    """Where a quantity is asked for: a call, or (with downstream empty) an operation."""

    downstream: str
    downstream_operation: str
    service: str
    operation: str


@dataclass(frozen=True, kw_only=True)
class Fault(ABC):
    """A change of one quantity in requests that start within ``[start_minute, end_minute)``.

    The first hour, unless said otherwise.

    Attributes:
        start_minute: Minutes from the start of the run.
        end_minute: Minutes from the start of the run.
    """

    quantity: ClassVar[Quantity]
    cause: ClassVar[Cause]

    start_minute: float = 0.0
    end_minute: float = 60.0

    def active(self, at_ns: Integers) -> Mask:
        """Return which requests it applies to, by the time they arrive."""
        start_ns, end_ns = self.window_ns
        return (at_ns >= start_ns) & (at_ns < end_ns)

    def during(self, start_minute: float, end_minute: float) -> Self:
        """Return the same fault in another window."""
        return replace(self, start_minute=start_minute, end_minute=end_minute)

    @property
    def window_ns(self) -> tuple[int, int]:
        """Start and end, in ns from the start of the run."""
        return round(self.start_minute * MINUTE_NS), round(self.end_minute * MINUTE_NS)

    @property
    @abstractmethod
    def origin(self) -> tuple[str, str]:
        """Service and operation (or ``''``) that are to blame."""

    @property
    def edge(self) -> tuple[str, str] | None:
        """Downstream and upstream, when it is one edge that is to blame."""
        return None

    @abstractmethod
    def touches(self, place: Place) -> bool:
        """Return whether the fault concerns this place."""

    @abstractmethod
    def changed(self, values: Integers) -> Integers:
        """Return the quantity under the fault."""

    def changed_at(self, values: Integers, at_ns: Integers) -> Integers:
        """Return the quantity under the fault, by the time the requests arrive."""
        del at_ns
        return self.changed(values)

    def chosen(self, replica: Integers) -> Mask:
        """Return which executions it concerns, by the number of the instance."""
        return np.ones(len(replica), dtype=np.bool_)

    def chosen_calls(self, place: Place, replica: Integers, upstream_replica: Integers) -> Mask:
        """Return which calls it concerns, by the numbers of the instances at both ends."""
        del place, upstream_replica
        return np.ones(len(replica), dtype=np.bool_)
