"""Simulate a shop for some minutes, with faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tracemap.model import MINUTE_NS, SECOND_NS, Batch, iso
from tracemap.simulate.arrivals import arrivals
from tracemap.simulate.batches import batch
from tracemap.simulate.blueprint import Entry, OperationKey, Shop
from tracemap.simulate.bulk import Encoder, otlp_json, otlp_protobuf
from tracemap.simulate.compression import opened
from tracemap.simulate.draws import Draws, Integers
from tracemap.simulate.evaluation import Evaluation
from tracemap.simulate.fault import Fault, Place
from tracemap.simulate.flat import FLAT, Catalogue, flat_spans
from tracemap.simulate.graph import Graph
from tracemap.simulate.truth import Effect

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
REQUESTS_PER_PART = 8_000


@dataclass(frozen=True)
class _Play:
    """The requests of one entry in one stretch of time."""

    entry: Entry
    draws: Draws
    evaluation: Evaluation


@dataclass(frozen=True)
class Simulated:
    """What a shop recorded. Nothing is computed before it is asked for; parts are not kept.

    Attributes:
        shop: The system.
        minutes: How long.
        start_ns: Start of the run, ns since the epoch.
        faults: What went wrong.
        seed: Seed of everything random.
        load: Times the usual rates.
    """

    shop: Shop
    minutes: float
    start_ns: int
    faults: tuple[Fault, ...]
    seed: int
    load: float

    @cached_property
    def catalogue(self) -> Catalogue:
        """What the ids in the spans stand for; complete once the spans were made."""
        return Catalogue(self.shop)

    @cached_property
    def spans(self) -> pl.DataFrame:
        """All spans, columns as `FLAT`, in no order that means anything."""
        return pl.concat([pl.DataFrame(schema=FLAT), *self.parts()])

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield the spans of one stretch of time after another, columns as `FLAT`.

        A stretch has some hundred thousand spans; traces are whole.
        """
        for part in range(self._parts):
            frames = [
                flat_spans(play.evaluation, play.draws, self.catalogue, self.start_ns)
                for play in self._plays(part)
            ]
            yield pl.concat([pl.DataFrame(schema=FLAT), *frames])

    @cached_property
    def truth(self) -> dict[str, Any]:
        """What a report must find, ready for JSON: edges, and what each fault did.

        Each fault is judged against the same run without it, other faults staying.
        """
        graph, spans, traces = Graph(), 0, 0
        effects = [Effect(fault) for fault in self.faults]
        requests: dict[OperationKey, int] = {entry.key: 0 for entry in self.shop.entries}
        for part in range(self._parts):
            for play in self._plays(part):
                nodes = play.evaluation.nodes
                graph.add(play.evaluation)
                requests[play.entry.key] += play.draws.size
                spans += sum(len(node.rows) for node in nodes)
                traces += sum(len(node.rows) for node in nodes if node.parent < 0)
                for number, effect in enumerate(effects):
                    others = self.faults[:number] + self.faults[number + 1 :]
                    sound = self._evaluation(play.entry, part, others, play.draws)
                    effect.add(play.entry.key, play.evaluation, sound)
        return {
            "schema_version": 1,
            "shop": self.shop.name,
            "seed": self.seed,
            "window": {
                "start": iso(self.start_ns),
                "end": iso(self.start_ns + round(self.minutes * MINUTE_NS)),
            },
            "spans": spans,
            "traces": traces,
            "requests": [{**key._asdict(), "requests": n} for key, n in sorted(requests.items())],
            "edges": graph.rows(self.shop),
            "faults": [effect.row(self.start_ns) for effect in effects],
        }

    def batches(self, *, attributes: bool = False) -> Iterator[Batch]:
        """Yield the spans as a reader would, without a file in between.

        Args:
            attributes: Fill the column ``attributes`` too; nothing derived needs it.
        """
        for spans in self.parts():
            yield batch(spans, self.catalogue, attributes=attributes)

    def write_otlp_json(self, path: Path) -> int:
        """Write OTLP/JSON lines as a Collector would; gzip if the name ends in ``.gz``.

        Returns:
            How many spans were written.
        """
        return self._write(path, otlp_json)

    def write_otlp_protobuf(self, path: Path) -> int:
        """Write length-prefixed OTLP protobuf as a Collector would; gzip if it ends in ``.gz``.

        Returns:
            How many spans were written.
        """
        return self._write(path, otlp_protobuf)

    def _write(self, path: Path, encode: Encoder) -> int:
        written = 0
        with opened(path) as file:
            for spans in self.parts():
                file.write(encode(spans, self.catalogue).data)
                written += spans.height
        return written

    @property
    def _part_ns(self) -> int:
        per_minute = sum(entry.per_minute for entry in self.shop.entries) * self.load
        return max(SECOND_NS, round(REQUESTS_PER_PART / per_minute * MINUTE_NS))

    @property
    def _parts(self) -> int:
        return -(-round(self.minutes * MINUTE_NS) // self._part_ns)

    def _plays(self, part: int) -> Iterator[_Play]:
        for entry in self.shop.entries:
            arrivals_ns = self._arrivals_ns(entry, part)
            draws = Draws(self.seed, part, len(arrivals_ns))
            yield _Play(entry, draws, self._evaluation(entry, part, self.faults, draws))

    def _evaluation(
        self, entry: Entry, part: int, faults: Sequence[Fault], draws: Draws
    ) -> Evaluation:
        evaluation = Evaluation(self.shop, draws, self._arrivals_ns(entry, part), faults)
        evaluation.play(entry.key)
        return evaluation

    def _arrivals_ns(self, entry: Entry, part: int) -> Integers:
        end_ns = round(self.minutes * MINUTE_NS)
        return arrivals(
            self.seed,
            part,
            str(entry.key),
            per_minute=entry.per_minute * self.load,
            start_ns=self.start_ns,
            from_ns=part * self._part_ns,
            to_ns=min(end_ns, (part + 1) * self._part_ns),
        )


def run(
    shop: Shop,
    *,
    minutes: float,
    faults: Sequence[Fault] = (),
    seed: int = 0,
    load: float = 1.0,
    start: datetime = START,
) -> Simulated:
    """Return a simulated run of `shop`; equal arguments give equal spans, byte for byte.

    Two runs that differ in `faults` only are the same requests with the same luck.

    Args:
        shop: The system.
        minutes: How long.
        faults: What goes wrong, composed in this order.
        seed: Seed of everything random.
        load: Times the usual rates.
        start: Start of the run; sets the time of day.

    Raises:
        ValueError: If a fault concerns nothing in the shop (a name was mistyped).

    Example:
        >>> from tracemap.simulate import shop
        >>> simulated = run(shop(), minutes=1, seed=7)
        >>> simulated.truth["spans"] == simulated.spans.height
        True
    """
    for fault in faults:
        if not any(fault.touches(place) for place in _places(shop)):
            raise ValueError(f"{fault} concerns nothing in {shop.name}")
    start_ns = round(start.timestamp()) * SECOND_NS
    return Simulated(shop, minutes, start_ns, tuple(faults), seed, load)


def _places(shop: Shop) -> Iterator[Place]:
    yield from (Place("", "", *key) for key in shop.operations)
    yield from (Place(*downstream, *call.key) for downstream, call in shop.calls())
