"""When requests arrive: Poisson, at a rate with a mild daily shape."""

from __future__ import annotations

import math

import numpy as np

from tracemap.model import HOUR_NS, MINUTE_NS
from tracemap.simulate.draws import Draws, Integers, exponential, scaled

DAY_NS = 24 * HOUR_NS
SWING = 0.15
"""Busiest and quietest minute of a day differ from its mean by this share."""
BUSIEST_NS = 14 * HOUR_NS
LONGEST_WAIT_NS = 30 * DAY_NS
_MILLION = 1_000_000


def arrivals(
    seed: int, part: int, name: str, *, per_minute: float, start_ns: int, from_ns: int, to_ns: int
) -> Integers:
    """Return sorted arrival times within ``[from_ns, to_ns)``, in ns from the start of the run.

    Args:
        seed: Seed of the run.
        part: Number of this stretch of time.
        name: Name of the stream.
        per_minute: Mean rate over a day.
        start_ns: Start of the run, ns since the epoch: sets the time of day.
        from_ns: Start of the stretch, from the start of the run.
        to_ns: Its end.
    """
    peak = per_minute * (1 + SWING)
    expected = peak * (to_ns - from_ns) / MINUTE_NS
    size = math.ceil(expected + 8 * math.sqrt(expected) + 20)
    waits = exponential(seed, part, f"{name}/waits", size)
    mean_wait_ns = min(round(MINUTE_NS / peak), LONGEST_WAIT_NS)
    step = 1 if mean_wait_ns < MINUTE_NS else 1_000_000  # keeps rare arrivals within 64 bits
    times = from_ns + np.cumsum(scaled(np.full(size, mean_wait_ns // step), waits)) * step
    times = times[times < to_ns]
    draws = Draws(seed, part, len(times))
    kept = draws.uniform(f"{name}/kept", np.arange(len(times))) < _share_of_peak(times + start_ns)
    return times[kept]


def _share_of_peak(times_ns: Integers) -> Integers:
    """Return the rate at these times in millionths of the peak rate, constant within a minute."""
    minutes = np.arange(DAY_NS // MINUTE_NS)
    angles = [2 * math.pi * (minute * MINUTE_NS - BUSIEST_NS) / DAY_NS for minute in minutes]
    shape = [round((1 + SWING * math.cos(angle)) / (1 + SWING) * _MILLION) for angle in angles]
    return np.array(shape, dtype=np.int64)[times_ns % DAY_NS // MINUTE_NS]
