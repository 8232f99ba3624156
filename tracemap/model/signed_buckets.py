"""Log buckets for times that may be negative: bounds of the difference of two clocks.

Eight buckets per power of two from 0.1 ms on, in both directions; below that everything is bucket
0, as clocks in step differ by that much. A bound is only ever made weaker by its bucket: what was
"at least x" is read back as the lower end, what was "at most x" as the upper one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

NEAR_ZERO_NS = 100_000
"""Below this, a bound is bucket 0."""
_PER_OCTAVE = 8


def buckets(time_ns: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the bucket of each time in ns; negative times have negative buckets."""
    size = np.abs(time_ns.astype(np.float64))
    steps = np.floor(np.log2(np.maximum(size, NEAR_ZERO_NS) / NEAR_ZERO_NS) * _PER_OCTAVE) + 1
    found: NDArray[Any] = np.where(size < NEAR_ZERO_NS, 0, np.sign(time_ns) * steps)
    return found.astype(np.int32)


def lower_ns(bucket: pl.Expr) -> pl.Expr:
    """Return the lower end of each bucket, in ns (Int64)."""
    return _end_ns(bucket, pl.when(bucket > 0).then(bucket - 1).otherwise(-bucket))


def upper_ns(bucket: pl.Expr) -> pl.Expr:
    """Return the upper end of each bucket, in ns (Int64)."""
    return -lower_ns(-bucket)


def _end_ns(bucket: pl.Expr, steps: pl.Expr) -> pl.Expr:
    size = (steps.cast(pl.Float64) / _PER_OCTAVE * np.log(2.0)).exp() * NEAR_ZERO_NS
    return pl.when(bucket > 0).then(size).otherwise(-size).round().cast(pl.Int64)
