"""Play a whole run: entry by entry, one stretch of time after another, as often as asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tracemap.model import MINUTE_NS, SECOND_NS
from tracemap.simulate.arrivals import arrivals
from tracemap.simulate.blueprint import Entry, Shop
from tracemap.simulate.draws import Draws, Integers
from tracemap.simulate.evaluation import Evaluation
from tracemap.simulate.fault import Fault
from tracemap.simulate.load import Load
from tracemap.simulate.trouble import Surge

REQUESTS_PER_PART = 8_000
LOAD_ROUNDS = 4
"""Plays that only measure how long the queues are."""


@dataclass(frozen=True)
class Play:
    """The requests of one entry in one stretch of time.

    Attributes:
        entry: The entry.
        draws: Its random streams.
        evaluation: What happened.
        requests: How many there were.
    """

    entry: Entry
    draws: Draws
    evaluation: Evaluation
    requests: int


@dataclass(frozen=True)
class _Requests:
    """Requests of an entry: the usual ones, then those that only come in a surge."""

    draws: Draws
    arrivals_ns: Integers
    usual: int
    surges: tuple[tuple[Surge, Integers], ...]

    def rows(self, faults: Sequence[Fault]) -> Integers:
        """Return the requests that arrive with these faults."""
        extra = [rows for surge, rows in self.surges if surge in faults]
        return np.concatenate([np.arange(self.usual), *extra])


@dataclass(frozen=True)
class Playing:
    """A run that can be played with other faults, or with another shop in place of its own.

    The same requests with the same luck come every time.

    Attributes:
        shop: The system.
        faults: All that may go wrong.
        minutes: How long.
        start_ns: Start of the run, ns since the epoch.
        seed: Seed of everything random.
        rate: Times the usual rates.
    """

    shop: Shop
    faults: tuple[Fault, ...]
    minutes: float
    start_ns: int
    seed: int
    rate: float
    _requests: dict[tuple[Entry, int], _Requests] = field(default_factory=dict)

    @property
    def parts(self) -> int:
        """How many stretches of time there are."""
        return -(-round(self.minutes * MINUTE_NS) // self._part_ns)

    def plays(self, part: int, faults: Sequence[Fault], shop: Shop | None = None) -> Iterator[Play]:
        """Yield one play per entry.

        Args:
            part: Number of the stretch of time.
            faults: Which of the run's faults there are.
            shop: Another system with the same entries; None: the run's own.
        """
        shop = shop or self.shop
        load = Load()
        if any(service.slots is not None for service in shop.services.values()):
            for _ in range(LOAD_ROUNDS):
                round_ = list(self._round(part, faults, shop, load))
                executions = [one for play in round_ for one in play.evaluation.executions.values()]
                load = Load.of(shop, executions, load)
        yield from self._round(part, faults, shop, load)

    def _round(self, part: int, faults: Sequence[Fault], shop: Shop, load: Load) -> Iterator[Play]:
        for entry in shop.entries:
            requests = self._arriving(entry, part)
            rows = requests.rows(faults)
            evaluation = Evaluation(shop, requests.draws, requests.arrivals_ns, faults, load)
            evaluation.play(entry.key, rows)
            yield Play(entry, requests.draws, evaluation, len(rows))

    def _arriving(self, entry: Entry, part: int) -> _Requests:
        if self._requests and next(iter(self._requests))[1] != part:
            self._requests.clear()  # one stretch of time in memory is enough
        if (entry, part) not in self._requests:
            self._requests[entry, part] = self._drawn(entry, part)
        return self._requests[entry, part]

    def _drawn(self, entry: Entry, part: int) -> _Requests:
        times = [self._arrivals_ns(entry, part, str(entry.key), 1.0)]
        surges = []
        for number, fault in enumerate(self.faults):
            if isinstance(fault, Surge) and fault.origin == entry.key:
                name = f"{entry.key}/surge {number}"
                more = self._arrivals_ns(entry, part, name, fault.factor - 1)
                more = more[fault.active(more)]
                first = sum(map(len, times))
                surges.append((fault, np.arange(first, first + len(more))))
                times.append(more)
        arrivals_ns = np.concatenate(times)
        draws = Draws(self.seed, part, len(arrivals_ns))
        return _Requests(draws, arrivals_ns, len(times[0]), tuple(surges))

    @property
    def _part_ns(self) -> int:
        per_minute = sum(entry.per_minute for entry in self.shop.entries) * self.rate
        return max(SECOND_NS, round(REQUESTS_PER_PART / per_minute * MINUTE_NS))

    def _arrivals_ns(self, entry: Entry, part: int, name: str, factor: float) -> Integers:
        end_ns = round(self.minutes * MINUTE_NS)
        return arrivals(
            self.seed,
            part,
            name,
            per_minute=entry.per_minute * self.rate * factor,
            start_ns=self.start_ns,
            from_ns=part * self._part_ns,
            to_ns=min(end_ns, (part + 1) * self._part_ns),
        )
