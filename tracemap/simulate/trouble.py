"""More faults: by a change, in bursts, on single instances, by load.

::

    Deploy          a new version, half of the instances at a time, perhaps slower          self
    ErrorBurst      an operation fails in short bursts                                      error
    Outlier         one instance fails and is left out for a while, again and again          error
    SlowPod         time on the network of all calls into and out of one instance           wire
    Surge           more requests of one entry; what has `slots` lets them wait             load
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracemap.model import MINUTE_NS, SECOND_NS
from tracemap.simulate.draws import Integers, Mask
from tracemap.simulate.fault import RENEWED, Fault, Place, Quantity
from tracemap.simulate.faults import Failing, Slower, SlowNetwork


@dataclass(frozen=True, kw_only=True)
class Deploy(Slower):
    """A new version of a service: instances 0, 2, ... at the start, the others a step later.

    Instances of the new version are new ones, with ids of their own and the new
    ``service.version``; their own time is `factor` times the old plus `add_ms`. When the window
    ends, the old version is back.

    Attributes:
        version: ``service.version`` of the new instances.
        step_minutes: How long half of the instances are old and half are new.
    """

    version: str
    step_minutes: float = 1.0

    def chosen(self, replica: Integers) -> Mask:
        """Return the executions on instances of the new version."""
        return np.asarray(replica >= RENEWED)

    def renewed(self, replica: Integers, at_ns: Integers) -> Mask:
        """Return which instances are of the new version, by the time requests arrive."""
        step_ns = round(self.step_minutes * MINUTE_NS)
        first_half = np.asarray(replica % 2 == 0)
        renewed: Mask = self.active(at_ns) & (self.active(at_ns - step_ns) | first_half)
        return renewed


@dataclass(frozen=True, kw_only=True)
class ErrorBurst(Failing):
    """An operation fails in bursts: for some seconds, again and again.

    Attributes:
        burst_seconds: How long a burst is.
        every_seconds: From the start of one burst to that of the next.
    """

    burst_seconds: float = 5.0
    every_seconds: float = 30.0

    def active(self, at_ns: Integers) -> Mask:
        """Return which requests arrive during a burst."""
        since_ns = (at_ns - self.window_ns[0]) % round(self.every_seconds * SECOND_NS)
        return super().active(at_ns) & (since_ns < round(self.burst_seconds * SECOND_NS))


@dataclass(frozen=True, kw_only=True)
class Outlier(Failing):
    """One instance fails; a load balancer leaves it out for a while, then tries it again.

    Attributes:
        noticed_seconds: How long it gets calls until it is left out.
        ejected_seconds: How long it gets none; others take its calls. 0: it is never left out.
    """

    noticed_seconds: float = 6.0
    ejected_seconds: float = 18.0

    def gone(self, at_ns: Integers) -> Mask:
        """Return which requests arrive while the instance is left out."""
        noticed_ns, ejected_ns = (
            round(seconds * SECOND_NS) for seconds in (self.noticed_seconds, self.ejected_seconds)
        )
        turn_ns = (at_ns - self.window_ns[0]) % (noticed_ns + ejected_ns)
        return self.active(at_ns) & (turn_ns >= noticed_ns)


@dataclass(frozen=True, kw_only=True)
class SlowPod(SlowNetwork):
    """More time on the network of every call into and out of one instance.

    Attributes:
        service: Whose instance.
        add_ms: Added to the median of each call, both directions together.
        instance: Its number, from 0.
    """

    instance: int

    def chosen_calls(self, place: Place, replica: Integers, upstream_replica: Integers) -> Mask:
        """Return the calls with the instance at one end."""
        chosen = np.zeros(len(replica), dtype=np.bool_)
        if place.downstream == self.service:
            chosen |= replica == self.instance
        if place.service == self.service:
            chosen |= upstream_replica == self.instance
        return chosen


@dataclass(frozen=True, kw_only=True)
class Surge(Fault):
    """More requests of one entry. By itself it slows nothing: what has no `slots` never waits.

    Attributes:
        service: Whose entry.
        operation: Which entry.
        factor: Times the usual rate, more than 1.
    """

    quantity = Quantity.ARRIVALS
    cause = "load"

    service: str
    operation: str
    factor: float

    @property
    def origin(self) -> tuple[str, str]:
        """The entry with more requests."""
        return self.service, self.operation

    def touches(self, place: Place) -> bool:
        """Return whether it is the entry."""
        return place == Place("", "", self.service, self.operation)

    def changed(self, values: Integers) -> Integers:
        """Return the requests as they are: more of them come, none changes."""
        return values
