"""Faults as data. Each changes one quantity of some places for some minutes.

::

    Slower          own time of a service, operation or instance (a database is one too)    self
    SlowEdge        time on the network of one edge                                         wire
    SlowNetwork     time on the network of all calls into and out of one service            wire
    MoreCalls       calls one after the other where there was one (N+1)                     calls
    ColdCache       how often a call behind a cache is made                                 calls
    Failing         how often an operation or instance fails                                error

`trouble` has those of changes, bursts, single pods and load. Faults compose: they apply in the
order given. A new sort of fault is a new small class, as long as it changes a `Quantity`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemap.model import MINUTE_NS
from tracemap.simulate.draws import Integers, Mask
from tracemap.simulate.fault import Fault, Place, Quantity


@dataclass(frozen=True, kw_only=True)
class Slower(Fault):
    """More own time: the median becomes ``median * factor + add_ms``.

    Attributes:
        service: Whose own time; may be a database.
        operation: Which operation; empty: all.
        instance: Number of the instance, from 0; None: all.
        add_ms: Added to the median.
        factor: Times the median.
    """

    quantity = Quantity.OWN_NS
    cause = "self"

    service: str
    operation: str = ""
    instance: int | None = None
    add_ms: float = 0.0
    factor: float = 1.0

    @property
    def origin(self) -> tuple[str, str]:
        """The service that is slower."""
        return self.service, self.operation

    def touches(self, place: Place) -> bool:
        """Return whether it is this service and operation."""
        return place.service == self.service and self.operation in ("", place.operation)

    def changed(self, values: Integers) -> Integers:
        """Return the longer median."""
        return _times(values, self.factor) + _nanoseconds(self.add_ms)

    def chosen(self, replica: Integers) -> Mask:
        """Return the executions on the slow instance."""
        return super().chosen(replica) if self.instance is None else replica == self.instance


@dataclass(frozen=True, kw_only=True)
class SlowEdge(Fault):
    """More time on the network between two services.

    Attributes:
        downstream: Who calls.
        upstream: Who is called.
        add_ms: Added to the median, both directions together.
    """

    quantity = Quantity.GAP_NS
    cause = "wire"

    downstream: str
    upstream: str
    add_ms: float

    @property
    def origin(self) -> tuple[str, str]:
        """The upstream end of the edge."""
        return self.upstream, ""

    @property
    def edge(self) -> tuple[str, str]:
        """The edge."""
        return self.downstream, self.upstream

    def touches(self, place: Place) -> bool:
        """Return whether it is a call over the edge."""
        return (place.downstream, place.service) == self.edge

    def changed(self, values: Integers) -> Integers:
        """Return the longer median."""
        return values + _nanoseconds(self.add_ms)


@dataclass(frozen=True, kw_only=True)
class SlowNetwork(Fault):
    """More time on the network of every call into and out of a service.

    Attributes:
        service: Whose network.
        add_ms: Added to the median of each call, both directions together.
    """

    quantity = Quantity.GAP_NS
    cause = "wire"

    service: str
    add_ms: float

    @property
    def origin(self) -> tuple[str, str]:
        """The service with the slow network."""
        return self.service, ""

    def touches(self, place: Place) -> bool:
        """Return whether the service is either end of the call."""
        return self.service in (place.downstream, place.service)

    def changed(self, values: Integers) -> Integers:
        """Return the longer median."""
        return values + _nanoseconds(self.add_ms)


@dataclass(frozen=True, kw_only=True)
class _CallFault(Fault):
    """A change of the calls one operation makes to another service.

    Attributes:
        downstream: Who calls.
        upstream: Who is called.
        downstream_operation: In which operation; empty: any.
        upstream_operation: Which operation; empty: any.
    """

    cause = "calls"

    downstream: str
    upstream: str
    downstream_operation: str = ""
    upstream_operation: str = ""

    @property
    def origin(self) -> tuple[str, str]:
        """Who makes the calls."""
        return self.downstream, self.downstream_operation

    @property
    def edge(self) -> tuple[str, str]:
        """The edge with more calls."""
        return self.downstream, self.upstream

    def touches(self, place: Place) -> bool:
        """Return whether it is such a call."""
        return (
            (place.downstream, place.service) == self.edge
            and self.downstream_operation in ("", place.downstream_operation)
            and self.upstream_operation in ("", place.operation)
        )


@dataclass(frozen=True, kw_only=True)
class MoreCalls(_CallFault):
    """Calls one after the other where there was one (N+1).

    Attributes:
        times: How many.
    """

    quantity = Quantity.TIMES

    times: int

    def changed(self, values: Integers) -> Integers:
        """Return the larger count."""
        return values * self.times


@dataclass(frozen=True, kw_only=True)
class ColdCache(_CallFault):
    """A call behind a cache is made more often.

    Attributes:
        probability: How often it is made now.
        warm_minutes: How long the cache takes to fill: what the fault adds shrinks evenly to
            nothing. 0: it stays cold as long as the fault lasts.
    """

    quantity = Quantity.PROBABILITY

    probability: float
    warm_minutes: float = 0.0

    def changed(self, values: Integers) -> Integers:
        """Return the new probability, the cache still empty."""
        return np.full_like(values, round(self.probability * 1_000_000))

    def changed_at(self, values: Integers, at_ns: Integers) -> Integers:
        """Return the new probability, less the warmer the cache is."""
        cold = self.changed(values)
        warm_ns = round(self.warm_minutes * MINUTE_NS)
        if not warm_ns:
            return cold
        left_ns = np.clip(warm_ns - (at_ns - self.window_ns[0]), 0, warm_ns)
        return values + (cold - values) * (left_ns // 1_000) // (warm_ns // 1_000)


@dataclass(frozen=True, kw_only=True)
class Failing(Fault):
    """An operation fails more often.

    Attributes:
        service: Whose operations.
        operation: Which one; empty: all.
        instance: Number of the instance, from 0; None: all.
        ratio: How often it fails now.
    """

    quantity = Quantity.ERROR_RATIO
    cause = "error"

    service: str
    operation: str = ""
    instance: int | None = None
    ratio: float

    @property
    def origin(self) -> tuple[str, str]:
        """The service that fails."""
        return self.service, self.operation

    def touches(self, place: Place) -> bool:
        """Return whether it is this service and operation."""
        return place.service == self.service and self.operation in ("", place.operation)

    def changed(self, values: Integers) -> Integers:
        """Return the new ratio."""
        return np.full_like(values, round(self.ratio * 1_000_000))

    def chosen(self, replica: Integers) -> Mask:
        """Return the executions on the failing instance."""
        return super().chosen(replica) if self.instance is None else replica == self.instance


def _times(values: Integers, factor: float) -> Integers:
    return values * round(factor * 1000) // 1000


def _nanoseconds(milliseconds: float) -> int:
    return round(milliseconds * 1_000_000)
