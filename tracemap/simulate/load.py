"""Queueing: how long requests wait for a slot, by how busy an instance is.

An approximation by cells of time. Within a cell of `CELL_NS` the mean wait is Sakasegawa's for
M/M/c, ``S * u**(sqrt(2(c + 1)) - 1) / (c * (1 - u))`` with c slots, mean work S and utilisation u
up to 0.95, and each wait is exponential with that mean. Work beyond what the slots can do is
carried to the next cell, and everybody waits behind it. Slots are held for an operation's own
time, not while it waits for its upstreams. A stretch of time begins with empty queues.

H. Sakasegawa, "An approximation formula Lq = a * rho**b / (1 - rho)", 1977.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from tracemap.model import SECOND_NS
from tracemap.simulate.blueprint import Service, Shop
from tracemap.simulate.draws import MICROSECOND_NS, Integers, scaled
from tracemap.simulate.fault import RENEWED
from tracemap.simulate.places import Execution

CELL_NS = 2 * SECOND_NS
LONGEST_BACKLOG_NS = 10 * SECOND_NS
"""Requests that would wait longer are taken to be turned away before they cost anything."""
_STEPS = 1_000
_MOST_STEPS = 950
_MILLION = 1_000_000


@dataclass(frozen=True)
class _Queues:
    """Waits of one service: one row an instance, one column a cell."""

    first_cell: int
    mean_ns: Integers
    backlog_ns: Integers


@dataclass(frozen=True)
class Load:
    """How long requests wait in each queue; nobody waits in those that are not known."""

    queues: Mapping[str, _Queues] = field(default_factory=dict)

    @classmethod
    def of(cls, shop: Shop, executions: Sequence[Execution], before: Load) -> Load:
        """Return the queues that these executions make, halfway from what was assumed before.

        Waits change what is done (deadlines, retries), which changes waits: some rounds of playing
        and measuring, each halfway, settle on what fits together.
        """
        queues = {}
        for service in shop.services.values():
            own = [one for one in executions if one.key.service == service.name and len(one.rows)]
            if service.slots is None or not own:
                continue
            new = _queues(service, service.slots, own)
            old = before.queues.get(service.name)
            queues[service.name] = new if old is None else _halfway(old, new)
        return cls(queues)

    def wait_ns(self, service: str, replica: Integers, at_ns: Integers, luck: Integers) -> Integers:
        """Return how long each execution waits for a slot.

        Args:
            service: Whose.
            replica: On which instance.
            at_ns: When it arrives.
            luck: Exponential factors with mean 1, in millionths.
        """
        queues = self.queues.get(service)
        if queues is None:
            return np.zeros(len(replica), dtype=np.int64)
        row = _row(replica, len(queues.mean_ns) // 2)
        cell = np.clip(at_ns // CELL_NS - queues.first_cell, 0, queues.mean_ns.shape[1] - 1)
        return queues.backlog_ns[row, cell] + scaled(queues.mean_ns[row, cell], luck)


def _queues(service: Service, slots: int, executions: Iterable[Execution]) -> _Queues:
    replica = np.concatenate([one.replica for one in executions])
    start_ns = np.concatenate([one.start_ns for one in executions])
    work_ns = np.concatenate([one.own_ns - one.wait_ns for one in executions])
    first_cell = int(start_ns.min() // CELL_NS)
    cells = int(start_ns.max() // CELL_NS) - first_cell + 1
    shape = (2 * service.replicas, cells)
    at = _row(replica, service.replicas) * cells + start_ns // CELL_NS - first_cell
    count = np.bincount(at, minlength=shape[0] * cells).reshape(shape)
    # whole microseconds stay exact in the float64 that bincount sums in
    micros = np.bincount(at, work_ns // MICROSECOND_NS, minlength=shape[0] * cells)
    busy_ns = np.rint(micros).astype(np.int64).reshape(shape) * MICROSECOND_NS
    steps = np.minimum(busy_ns * _STEPS // (slots * CELL_NS), _MOST_STEPS)
    mean_ns = scaled(busy_ns // np.maximum(count, 1), _table(slots)[steps])
    return _Queues(first_cell, mean_ns, _backlog(busy_ns, slots))


def _backlog(busy_ns: Integers, slots: int) -> Integers:
    """Return the work that waits at the start of each cell, as time to get through it."""
    backlog_ns = np.zeros_like(busy_ns)
    for cell in range(1, busy_ns.shape[1]):
        over_ns = busy_ns[:, cell - 1] // slots - CELL_NS
        left_ns = np.clip(backlog_ns[:, cell - 1] + over_ns, 0, LONGEST_BACKLOG_NS)
        backlog_ns[:, cell] = left_ns // MICROSECOND_NS * MICROSECOND_NS
    return backlog_ns


def _halfway(old: _Queues, new: _Queues) -> _Queues:
    first = min(old.first_cell, new.first_cell)
    last = max(one.first_cell + one.mean_ns.shape[1] for one in (old, new))
    return _Queues(
        first,
        _middle(_over(old, old.mean_ns, first, last), _over(new, new.mean_ns, first, last)),
        _middle(_over(old, old.backlog_ns, first, last), _over(new, new.backlog_ns, first, last)),
    )


def _over(queues: _Queues, values: Integers, first: int, last: int) -> Integers:
    whole = np.zeros((len(values), last - first), dtype=np.int64)
    at = queues.first_cell - first
    whole[:, at : at + values.shape[1]] = values
    return whole


def _middle(one: Integers, other: Integers) -> Integers:
    return (one + other) // (2 * MICROSECOND_NS) * MICROSECOND_NS


def _row(replica: Integers, replicas: int) -> Integers:
    """Return the row of each instance; those of the next version come after the others."""
    return np.where(replica >= RENEWED, replica - RENEWED + replicas, replica)


@lru_cache(maxsize=32)
def _table(slots: int) -> Integers:
    """Return the mean wait in millionths of the mean work, by utilisation in thousandths."""
    power = math.sqrt(2 * (slots + 1)) - 1
    waits = [
        (step / _STEPS) ** power / (slots * (1 - step / _STEPS)) for step in range(_MOST_STEPS + 1)
    ]
    return np.array([round(wait * _MILLION) for wait in waits], dtype=np.int64)
