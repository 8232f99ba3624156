"""Which traces or spans are recorded.

::

    HeadSampling        each trace with the same probability, and its spans say so (weights)
    TailSampling        every slow or failed trace and a share of the others (no weights)
    ServiceSampling     each service decides by itself, so traces have holes (no weights)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from zlib import crc32

import numpy as np
import polars as pl

from tracemap.simulate.draws import Mask, Words
from tracemap.simulate.flat import Catalogue
from tracemap.simulate.tracestate import rejection_threshold, tracestate

_TRACE = ["trace_high", "trace_low"]
_MILLION = 1_000_000
_RANDOM_BITS = np.uint64((1 << 56) - 1)


class Sampling(Protocol):
    """Decides what is recorded."""

    def kept(self, spans: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
        """Return the spans that are recorded (columns as `flat.FLAT`), given whole traces."""
        ...


@dataclass(frozen=True)
class HeadSampling:
    """Consistent probability sampling: the last 56 bits of the trace id decide for everybody.

    Spans carry ``ot=th:...`` in their trace state, so each stands for 1 / probability.

    Attributes:
        probability: How likely a trace is kept, more than 0.
    """

    probability: float

    def kept(self, spans: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
        """Return the spans of kept traces, with their trace state."""
        threshold = np.uint64(rejection_threshold(self.probability))
        random = spans["trace_low"].to_numpy() & _RANDOM_BITS
        left = spans.filter(random >= threshold)
        state = tracestate(self.probability)
        known = left["description_id"].unique().sort().to_list()
        stated = [catalogue.with_tracestate(one, state) for one in known]
        return left.with_columns(pl.col("description_id").replace(known, stated))


@dataclass(frozen=True)
class TailSampling:
    """What a tail sampler keeps: slow traces, failed traces, and a share of the rest.

    Attributes:
        slow_ms: A trace is slow if its root span takes this long.
        share: How much of the rest is kept.
    """

    slow_ms: float
    share: float = 0.0

    def kept(self, spans: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
        """Return the spans of kept traces."""
        failed = pl.Series([one.failed for one in catalogue.descriptions], dtype=pl.Boolean)
        slow_ns = round(self.slow_ms * _MILLION)
        is_root = pl.col("parent_id") == 0
        judged = spans.with_columns(
            notable=failed.gather(spans["description_id"])
            | (is_root & (pl.col("duration_ns") >= slow_ns)),
            lucky=pl.Series(_lucky(spans["trace_low"].to_numpy(), "tail", self.share)),
        )
        return judged.filter(pl.col("notable").any().over(_TRACE) | pl.col("lucky")).drop(
            "notable", "lucky"
        )


@dataclass(frozen=True)
class ServiceSampling:
    """Inconsistent sampling: each service keeps or drops its own spans of a trace.

    Attributes:
        shares: How much each service keeps; services not named keep all.
    """

    shares: Mapping[str, float] = field(default_factory=dict)

    def kept(self, spans: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
        """Return the spans that their services keep."""
        names = [dict(attributes)["service.name"] for attributes in catalogue.resources]
        service = pl.Series(names).gather(spans["resource_id"])
        trace = spans["trace_low"].to_numpy()
        kept = np.ones(spans.height, dtype=np.bool_)
        for name, share in self.shares.items():
            kept &= (service != name).to_numpy() | _lucky(trace, name, share)
        return spans.filter(kept)


def _lucky(trace: Words, name: str, share: float) -> Mask:
    """Return which traces are kept with a probability, independently for each name."""
    mixed = trace ^ np.uint64(crc32(name.encode()) * 0x9E3779B97F4A7C15 & (1 << 64) - 1)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(32)) * np.uint64(_MILLION) >> np.uint64(32) < round(share * _MILLION)
