"""How many spans one stands for, by attributes, where the trace state does not say it."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.ingest.doubles import unmarked
from tracemap.ingest.kernels.layout import SAMPLER_TYPE, SAMPLING, Ints
from tracemap.ingest.kernels.strings import BODY_MASK, RANK_SHIFT
from tracemap.ingest.semconv import ATTRIBUTES
from tracemap.ingest.texts import Texts
from tracemap.model import Quality

WEIGHT_MAX = 10_000.0
"""A larger value is taken for something else of this name, such as the sample rate of a sound."""
_JAEGER = ATTRIBUTES["sampling"].index("sampler.param")
_PROBABILISTIC = "probabilistic"


def note_weights(rows: Ints, texts: Texts, quality: Ints, weights: NDArray[np.float64]) -> None:
    """Fill `weights` from attributes, and clear ``NO_SAMPLING_INFORMATION`` of these spans.

    A rate of 1 or more is how many spans one stands for (Honeycomb); below 1 it is the share of
    traces that were kept (Datadog; Jaeger, there of a ``probabilistic`` sampler only).

    Args:
        rows: One row a span, as the decoders give them.
        texts: What the rows refer to.
        quality: What is odd about each span.
        weights: As the trace state says them.
    """
    unsaid = quality & int(Quality.NO_SAMPLING_INFORMATION)
    found = np.flatnonzero((rows[:, SAMPLING] != 0) & (unsaid != 0))
    if not found.size:
        return
    references = rows[found, SAMPLING]
    written = texts.gather(references & BODY_MASK).to_pylist()
    rates = pl.Series(map(unmarked, written), dtype=pl.String).cast(pl.Float64, strict=False)
    sampler = pl.Series(texts.gather(rows[found, SAMPLER_TYPE] & BODY_MASK).to_pylist())
    valid = rates.is_between(1.0 / WEIGHT_MAX, WEIGHT_MAX).fill_null(value=False).to_numpy()
    probabilistic = (sampler == _PROBABILISTIC).to_numpy()
    valid &= (references >> RANK_SHIFT != _JAEGER) | probabilistic
    rate = rates.to_numpy()[valid]
    spans = found[valid]
    weights[spans] = np.where(rate < 1.0, 1.0 / rate, rate)
    quality[spans] &= ~int(Quality.NO_SAMPLING_INFORMATION)
