"""Random numbers that are the same on every machine, with and without a fault.

Every quantity of every place in a call tree has a stream of its own, named by text, so adding a
call or a fault changes no other draw. Values come from raw 64-bit integers through tables of
quantiles in whole millionths: no floating-point function of the processor is in the way.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from zlib import crc32

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]

MICROSECOND_NS = 1_000
_MILLION = 1_000_000
_TABLE_BITS = 12
_FRACTION_BITS = 20


class Draws:
    """Streams of one seed and one stretch of time, each `size` long and remembered.

    Args:
        seed: Seed of the whole run.
        part: Number of the stretch of time.
        size: Requests in it.
    """

    def __init__(self, seed: int, part: int, size: int) -> None:
        self.size = size
        self._seed = seed
        self._part = part
        self._known: dict[str, Words] = {}

    def words(self, name: str) -> Words:
        """Return the raw 64-bit words of one stream."""
        if name not in self._known:
            self._known[name] = _generator(self._seed, self._part, name).random_raw(self.size)
        return self._known[name]

    def ids(self, name: str) -> Words:
        """Return random ids, none of them 0."""
        return np.maximum(self.words(name), np.uint64(1))

    def log_normal(self, name: str, sigma: float, rows: Integers) -> Integers:
        """Return log-normal factors with median 1, in millionths."""
        return _from_table(_log_normal_table(sigma), self.words(name)[rows])

    def uniform(self, name: str, rows: Integers) -> Integers:
        """Return whole numbers from 0 to 999,999, each as likely."""
        high = self.words(name)[rows] >> np.uint64(32)
        return (high * np.uint64(_MILLION) >> np.uint64(32)).astype(np.int64)

    def exponential(self, name: str, rows: Integers) -> Integers:
        """Return exponential factors with mean 1, in millionths."""
        return _from_table(_exponential_table(), self.words(name)[rows])

    def choice(self, name: str, options: int, rows: Integers) -> Integers:
        """Return whole numbers from 0 to `options` - 1, each as likely."""
        high = self.words(name)[rows] >> np.uint64(32)
        return (high * np.uint64(options) >> np.uint64(32)).astype(np.int64)


def exponential(seed: int, part: int, name: str, size: int) -> Integers:
    """Return waiting times with mean 1, in millionths."""
    return _from_table(_exponential_table(), _generator(seed, part, name).random_raw(size))


def scaled(value_ns: Integers, millionths: Integers) -> Integers:
    """Return `value_ns` times a factor in millionths, in whole microseconds (as most SDKs time)."""
    return value_ns * millionths // (_MILLION * MICROSECOND_NS) * MICROSECOND_NS


def _generator(seed: int, part: int, name: str) -> np.random.PCG64:
    """Return the stream of a name; numpy promises its bits for ever (NEP 19)."""
    return np.random.PCG64(np.random.SeedSequence((seed, part, crc32(name.encode()))))


def _from_table(table: Integers, words: Words) -> Integers:
    place = (words >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)
    shift = np.uint64(64 - _TABLE_BITS - _FRACTION_BITS)
    fraction = ((words >> shift) & np.uint64((1 << _FRACTION_BITS) - 1)).astype(np.int64)
    low = table[place]
    return low + ((table[place + 1] - low) * fraction >> _FRACTION_BITS)


def _levels() -> list[float]:
    """Return the probabilities of the table's points; the ends stand for the tails."""
    points = 1 << _TABLE_BITS
    inner = [point / points for point in range(1, points)]
    return [1 / (16 * points), *inner, 1 - 1 / (16 * points)]


@lru_cache(maxsize=64)
def _log_normal_table(sigma: float) -> Integers:
    normal = NormalDist()
    factors = [math.exp(sigma * normal.inv_cdf(level)) for level in _levels()]
    return np.array([round(factor * _MILLION) for factor in factors], dtype=np.int64)


@lru_cache(maxsize=1)
def _exponential_table() -> Integers:
    waits = [-math.log1p(-level) for level in _levels()]
    return np.array([round(wait * _MILLION) for wait in waits], dtype=np.int64)
