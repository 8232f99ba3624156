"""Sums by key over rows of integers: what a group-by does, for keys that are all small integers.

A table of facts has six to ten key columns. Comparing codes in one hash table is several times
faster here than a general group-by, which first writes every row's key into one string of bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.derive.arrays import Codes, Ids, Ints, Rows, kernel
from tracemap.derive.hashing import mix


def numbered(keys: Mapping[str, NDArray[Any]]) -> tuple[Rows, pl.DataFrame]:
    """Return the number of each row's key, and the distinct keys in the order of their numbers.

    Args:
        keys: Columns that make the key; their values fit 32 bits.

    Returns:
        A number for each row, and a frame of columns `keys` (Int32) sorted by them.
    """
    group, first, table = _grouped(keys)
    distinct = pl.DataFrame({name: table[first, at] for at, name in enumerate(keys)})
    order = distinct.select(pl.arg_sort_by(*keys)).to_series().to_numpy()
    number = np.empty(first.size, dtype=np.int32)
    number[order] = np.arange(first.size, dtype=np.int32)
    return number[group], distinct[order]


def first_of_each(keys: Mapping[str, NDArray[Any]]) -> Rows:
    """Return one row of each distinct key, in the order in which they come."""
    return _grouped(keys)[1]


def is_strictly_sorted(keys: Mapping[str, NDArray[Any]]) -> bool:
    """Return whether rows come by key, each key once: then there is nothing to sum."""
    return _is_rising(_side_by_side(keys))


def _side_by_side(keys: Mapping[str, NDArray[Any]]) -> Codes:
    table = np.empty((len(next(iter(keys.values()))), len(keys)), dtype=np.int32)
    for at, values in enumerate(keys.values()):
        table[:, at] = values
    return table


def _grouped(keys: Mapping[str, NDArray[Any]]) -> tuple[Rows, Rows, Codes]:
    table = _side_by_side(keys)
    return *_groups(table), table


def grouped(
    keys: Mapping[str, NDArray[Any]],
    sums: Mapping[str, NDArray[Any]],
    *,
    smallest: Sequence[str] = (),
    largest: Sequence[str] = (),
) -> pl.DataFrame:
    """Return one row for each distinct key, sorted by key in the order of `keys`.

    Args:
        keys: Columns that make the key; their values fit 32 bits.
        sums: Columns to add up: integers, truth values, or floats.
        smallest: Names of `sums` of which the smallest is wanted instead.
        largest: Names of `sums` of which the largest is wanted instead.

    Returns:
        Columns `keys` (Int32), ``rows`` (how many have this key) and `sums` (Int64 or Float64).
    """
    group, first, table = _grouped(keys)
    columns: dict[str, Any] = {name: table[first, at] for at, name in enumerate(keys)}
    columns["rows"] = np.bincount(group, minlength=first.size)
    for name, values in sums.items():
        if values.dtype == np.float64:
            found = np.bincount(group, weights=values, minlength=first.size)
            columns[name] = found.astype(np.float64)  # integers where there is no row
        elif name in smallest:
            columns[name] = _smallest(group, values, first.size)
        elif name in largest:
            columns[name] = -_smallest(group, -values, first.size)
        else:
            columns[name] = _sums(group, values.astype(np.int64), first.size)
    return pl.DataFrame(columns).sort(*keys)


@kernel
def _is_rising(table: Codes) -> bool:
    for row in range(1, table.shape[0]):
        column = 0
        while column < table.shape[1] and table[row, column] == table[row - 1, column]:
            column += 1
        if column == table.shape[1] or table[row, column] < table[row - 1, column]:
            return False
    return True


@kernel
def _groups(table: Codes) -> tuple[Rows, Rows]:
    """Return the group of each row of `table`, and the first row of each group."""
    total, width = table.shape
    bits = 10
    mask = np.uint64((1 << bits) - 1)
    slots = np.full(1 << bits, -1, dtype=np.int32)
    hashes = np.empty(1 << (bits - 1), dtype=np.uint64)
    group = np.empty(total, dtype=np.int32)
    first = np.empty(1 << (bits - 1), dtype=np.int32)
    count = 0
    for row in range(total):
        key = np.uint64(0)
        for column in range(width):
            key = mix(key, np.uint64(np.uint32(table[row, column])))
        slot = key & mask
        while slots[slot] >= 0:
            other = slots[slot]
            if hashes[other] == key and _is_equal(table, row, first[other]):
                break
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            if 2 * (count + 1) > slots.size:  # half full: twice the slots
                bits += 1
                mask = np.uint64((1 << bits) - 1)
                hashes, first = _doubled(hashes, first)
                slots = _refilled(hashes[:count], bits)
                slot = key & mask
                while slots[slot] >= 0:
                    slot = (slot + np.uint64(1)) & mask
            slots[slot] = count
            hashes[count] = key
            first[count] = row
            count += 1
        group[row] = slots[slot]
    return group, first[:count].copy()


@kernel
def _doubled(hashes: Ids, first: Rows) -> tuple[Ids, Rows]:
    more_hashes = np.empty(2 * hashes.size, dtype=np.uint64)
    more_first = np.empty(2 * first.size, dtype=np.int32)
    for group in range(hashes.size):
        more_hashes[group], more_first[group] = hashes[group], first[group]
    return more_hashes, more_first


@kernel
def _is_equal(table: Codes, row: int, other: int) -> bool:
    for column in range(table.shape[1]):  # noqa: SIM110  kernels know no generators
        if table[row, column] != table[other, column]:
            return False
    return True


@kernel
def _refilled(hashes: Ids, bits: int) -> Rows:
    """Return ``2**bits`` slots that hold the groups known so far."""
    slots = np.full(1 << bits, -1, dtype=np.int32)
    mask = np.uint64((1 << bits) - 1)
    for group in range(hashes.size):
        slot = hashes[group] & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = group
    return slots


@kernel
def _sums(group: Rows, values: Ints, count: int) -> Ints:
    sums = np.zeros(count, dtype=np.int64)
    for row in range(group.size):
        sums[group[row]] += values[row]
    return sums


@kernel
def _smallest(group: Rows, values: Ints, count: int) -> Ints:
    found = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
    for row in range(group.size):
        found[group[row]] = min(found[group[row]], values[row])
    return found
