"""Hashes of hashes that are the same on every machine and in every run."""

from __future__ import annotations

import numpy as np

from tracemap.derive.arrays import Ids, kernel


@kernel
def mix(one: np.uint64, other: np.uint64) -> np.uint64:
    """Return a hash of two 64-bit hashes, order mattering (finaliser of splitmix64)."""
    mixed = one * np.uint64(0x9E3779B97F4A7C15) + other
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@kernel
def _mix_into(one: Ids, other: Ids, mixed: Ids) -> None:
    for at in range(one.size):
        mixed[at] = mix(one[at], other[at])


def mixed(one: Ids, other: Ids) -> Ids:
    """Return `mix` of each pair of items."""
    result = np.empty_like(one)
    _mix_into(one, other, result)
    return result
