"""Everything a simulation run depends on: the system, its random draws, the faults, the queues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tracemap.simulate.blueprint import OperationKey, Shop
from tracemap.simulate.draws import Draws, Integers, Mask
from tracemap.simulate.fault import RENEWED, Fault, Place, Quantity
from tracemap.simulate.load import Load
from tracemap.simulate.trouble import Deploy, Outlier


@dataclass
class Caller:
    """Where a call is made from: the place, its span, and the requests that get there."""

    path: str
    key: OperationKey
    trace: str
    node: int
    rows: Integers
    replica: Integers

    def of(self, chosen: Integers) -> Caller:
        """Return the same place with some of its requests only."""
        return replace(self, rows=self.rows[chosen], replica=self.replica[chosen])


@dataclass(frozen=True)
class Circumstances:
    """Everything a play depends on.

    Attributes:
        shop: The system.
        draws: Random streams, as long as there are requests.
        arrivals_ns: When each request arrives.
        faults: What goes wrong.
        load: How long what has `slots` lets requests wait.
    """

    shop: Shop
    draws: Draws
    arrivals_ns: Integers
    faults: Sequence[Fault]
    load: Load = field(default_factory=Load)

    def active(self, fault: Fault, rows: Integers) -> Mask:
        """Return which of these requests arrive while the fault lasts."""
        return fault.active(self.arrivals_ns[rows])

    def replica(self, path: str, service: str, rows: Integers) -> Integers:
        """Return which instance of a service serves each request at this place."""
        number = self.draws.choice(f"{path}/replica", self.shop.services[service].replicas, rows)
        for fault in self.faults:
            if isinstance(fault, Deploy) and fault.service == service:
                renewed = fault.renewed(number, self.arrivals_ns[rows]) & (number < RENEWED)
                number = np.where(renewed, number + RENEWED, number)
            if isinstance(fault, Outlier) and fault.service == service:
                gone = (number == fault.instance) & fault.gone(self.arrivals_ns[rows])
                others = self.shop.services[service].replicas
                other = (number + 1 + rows % max(others - 1, 1)) % others
                number = np.where(gone, other, number)
        return number

    def of_operation(
        self, quantity: Quantity, place: Place, value: int, rows: Integers, replica: Integers
    ) -> Integers:
        """Return a quantity of an operation, per execution."""
        values = np.full(len(rows), value, dtype=np.int64)
        for fault in self._faults(quantity, place):
            struck = self.active(fault, rows) & fault.chosen(replica)
            values = np.where(struck, self._changed(fault, values, rows), values)
        return values

    def of_call(
        self,
        quantity: Quantity,
        place: Place,
        value: int,
        caller: Caller,
        upstream_replica: Integers | None = None,
    ) -> Integers:
        """Return a quantity of a call, per execution of the operation that makes it."""
        rows = caller.rows
        values = np.full(len(rows), value, dtype=np.int64)
        for fault in self._faults(quantity, place):
            struck = self.active(fault, rows)
            if upstream_replica is not None:
                struck &= fault.chosen_calls(place, caller.replica, upstream_replica)
            values = np.where(struck, self._changed(fault, values, rows), values)
        return values

    def _faults(self, quantity: Quantity, place: Place) -> list[Fault]:
        return [one for one in self.faults if one.quantity is quantity and one.touches(place)]

    def _changed(self, fault: Fault, values: Integers, rows: Integers) -> Integers:
        return fault.changed_at(values, self.arrivals_ns[rows])
