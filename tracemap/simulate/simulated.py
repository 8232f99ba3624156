"""Simulate a shop for some minutes, with faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tracemap.model import SECOND_NS, Batch
from tracemap.simulate.batches import batch
from tracemap.simulate.blueprint import Shop
from tracemap.simulate.bulk import Encoder, otlp_json, otlp_protobuf
from tracemap.simulate.compression import opened
from tracemap.simulate.fault import Fault, Place
from tracemap.simulate.flat import FLAT, Catalogue, flat_spans
from tracemap.simulate.playing import Playing
from tracemap.simulate.sampling import Sampling
from tracemap.simulate.trouble import Deploy
from tracemap.simulate.truth import truth

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


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
        sampling: Which traces or spans are recorded; None: all.
    """

    shop: Shop
    minutes: float
    start_ns: int
    faults: tuple[Fault, ...]
    seed: int
    load: float
    sampling: Sampling | None = None

    @cached_property
    def catalogue(self) -> Catalogue:
        """What the ids in the spans stand for; complete once the spans were made."""
        deploys = [fault for fault in self.faults if isinstance(fault, Deploy)]
        return Catalogue(self.shop, versions={one.service: one.version for one in deploys})

    @cached_property
    def spans(self) -> pl.DataFrame:
        """All spans, columns as `FLAT`, in no order that means anything."""
        return pl.concat([pl.DataFrame(schema=FLAT), *self.parts()])

    def parts(self) -> Iterator[pl.DataFrame]:
        """Yield the spans of one stretch of time after another, columns as `FLAT`.

        A stretch has some hundred thousand spans; traces are whole.
        """
        for part in range(self._playing.parts):
            frames = [
                flat_spans(play.evaluation, play.draws, self.catalogue, self.start_ns)
                for play in self._playing.plays(part, self.faults)
            ]
            spans = pl.concat([pl.DataFrame(schema=FLAT), *frames])
            yield spans if self.sampling is None else self.sampling.kept(spans, self.catalogue)

    @cached_property
    def truth(self) -> dict[str, Any]:
        """What a report must find, ready for JSON: edges, and what each fault did.

        Each fault is judged against the same run without it, other faults staying. Sampling
        changes none of it: the truth is of all that happened.
        """
        return truth(self._playing)

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

    @cached_property
    def _playing(self) -> Playing:
        return Playing(
            self.shop, self.faults, minutes=self.minutes, start_ns=self.start_ns,
            seed=self.seed, rate=self.load,
        )  # fmt: skip


def run(
    shop: Shop,
    *,
    minutes: float,
    faults: Sequence[Fault] = (),
    seed: int = 0,
    load: float = 1.0,
    start: datetime = START,
    sampling: Sampling | None = None,
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
        sampling: Which traces or spans are recorded; None: all.

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
    return Simulated(shop, minutes, start_ns, tuple(faults), seed, load, sampling)


def _places(shop: Shop) -> Iterator[Place]:
    yield from (Place("", "", *key) for key in shop.operations)
    yield from (Place(*downstream, *call.key) for downstream, call in shop.calls())
