"""Adding up facts of disjoint traces."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tracemap.derive.arrays import Codes
from tracemap.derive.exemplars import rechosen
from tracemap.derive.grouping import first_of_each, grouped, is_strictly_sorted
from tracemap.derive.patterns import rechosen_patterns
from tracemap.model import FACTS, Facts, Table

_SMALLEST, _LARGEST = ("first_ns",), ("last_ns",)


def merge(facts: Facts) -> Facts:
    """Return `facts` with rows of equal keys summed: one row a key, sorted by key.

    ``first_ns`` and ``last_ns`` become the smallest and the largest. Sums are exact; those of
    ``calls_weighted``, the one float, do not depend on the order of the parts either. Exemplars are
    chosen again, see `tracemap.derive.exemplars.rechosen` and
    `tracemap.derive.patterns.rechosen_patterns`.
    """
    merged = {name: _summed(FACTS[name], facts[name]) for name in FACTS if FACTS[name].key}
    chosen = {
        "exemplars": rechosen(facts["exemplars"]),
        "pattern_exemplars": rechosen_patterns(facts["pattern_exemplars"]),
    }
    return Facts(merged | chosen)


def _summed(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    coded, decoded = _coded(rows, table.key)
    if is_strictly_sorted(coded):
        return rows
    numbers = [name for name in table.schema if name not in table.key]
    if not all(table.schema[name].is_numeric() for name in numbers):  # paths: equal rows
        return rows[first_of_each(coded)].sort(table.key)
    floats = [name for name in numbers if table.schema[name].is_float()]
    if floats:  # the last bit of their sum depends on the order of adding
        rows = rows.sort(floats)
        coded, decoded = _coded(rows, table.key)
    sums = {name: rows[name].to_numpy() for name in numbers}
    summed = grouped(coded, sums, smallest=_SMALLEST, largest=_LARGEST)
    return table.conform(summed.with_columns(decoded))


def _coded(
    rows: pl.DataFrame, key: tuple[str, ...]
) -> tuple[dict[str, NDArray[Any]], list[pl.Expr]]:
    """Return the columns of the key as small integers in their order, and how to get them back."""
    coded: dict[str, NDArray[Any]] = {}
    decoded: list[pl.Expr] = []
    for name in key:
        if rows.schema[name] in (pl.String, pl.Int64, pl.UInt64):
            values = rows[name].unique().sort()
            coded[name] = _positions(rows[name], values)
            decoded.append(pl.lit(values).gather(pl.col(name)).alias(name))
        else:
            coded[name] = rows[name].to_numpy()
    return coded, decoded


def _positions(column: pl.Series, values: pl.Series) -> Codes:
    """Return where each value of `column` is in `values`, which are sorted and distinct."""
    if column.dtype == pl.String:
        return column.cast(pl.Enum(values)).to_physical().cast(pl.Int32).to_numpy()
    return np.searchsorted(values.to_numpy(), column.to_numpy()).astype(np.int32)
