from __future__ import annotations

import numpy as np

from tracemap.model import HOUR_NS, MINUTE_NS
from tracemap.simulate.arrivals import arrivals


def _hour(start_hour: int, per_minute: float = 200) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return arrivals(
        1, 0, "x", per_minute=per_minute, start_ns=start_hour * HOUR_NS, from_ns=0, to_ns=HOUR_NS
    )


def test_arrivals_are_sorted_and_within_their_stretch() -> None:
    """A part of a run holds the requests of its own time only."""
    times = arrivals(1, 3, "x", per_minute=500, start_ns=0, from_ns=MINUTE_NS, to_ns=3 * MINUTE_NS)

    assert np.all(np.diff(times) >= 0)
    assert times[0] >= MINUTE_NS
    assert times[-1] < 3 * MINUTE_NS


def test_counts_per_minute_spread_as_a_poisson_process_does() -> None:
    """Variance equals mean, apart from luck."""
    counts = np.bincount(_hour(8) // MINUTE_NS)

    assert abs(counts.mean() - 200) < 8
    assert 0.5 < counts.var() / counts.mean() < 1.7


def test_afternoons_are_busier_than_nights() -> None:
    """The rate has a mild daily shape: 15 % up at 14 h, 15 % down at 2 h."""
    assert len(_hour(14)) / len(_hour(2)) > 1.2


def test_a_rate_of_almost_nothing_gives_no_request() -> None:
    """Nothing breaks when an entry is hardly used."""
    assert len(_hour(8, per_minute=0.0001)) == 0
