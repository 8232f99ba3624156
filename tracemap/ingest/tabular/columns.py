"""Arrow columns laid flat: where text lies in one buffer, where lists start and end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tracemap.ingest.block import padded
from tracemap.ingest.kernels.columnar import (
    ABSENT,
    ARRAY,
    ATTRIBUTE_WIDTH,
    BOOLEAN,
    FIRST,
    INTEGER,
    KEY,
    NULL,
    NUMBER,
    OBJECT,
    SECOND,
    SORT,
    STRING,
    WORDS,
)
from tracemap.ingest.kernels.layout import Bytes, Ints


class Places(NamedTuple):
    """Where pieces of text lie: starts and lengths; no text has length 0."""

    starts: Ints
    lengths: Ints


class Values(NamedTuple):
    """Values of attributes: the sort of each, and what that makes of two numbers."""

    sorts: Ints
    first: Ints
    second: Ints


class Text:
    """One buffer for all text of some columns, behind the words that documents are made of."""

    def __init__(self) -> None:
        self._pieces: list[bytes | memoryview] = [bytes(WORDS)]
        self.size_bytes = len(WORDS)

    def buffer(self) -> Bytes:
        """Return all of it."""
        return padded(*self._pieces)

    def word(self, text: str) -> tuple[int, int]:
        """Add one piece of text; return where it starts, and its length."""
        raw = text.encode()
        start = self.size_bytes
        self._pieces.append(raw)
        self.size_bytes += len(raw)
        return start, len(raw)

    def places(self, column: pa.Array) -> Places:
        """Add a column of text or bytes."""
        if pa.types.is_dictionary(column.type):
            known = self.places(column.dictionary)
            numbers = pc.fill_null(column.indices, 0).to_numpy().astype(np.int64)
            lengths = np.where(valid(column), known.lengths[numbers], 0) if len(known[0]) else None
            if lengths is None:
                return nowhere(len(column))
            return Places(known.starts[numbers], lengths)
        if pa.types.is_null(column.type):
            return nowhere(len(column))
        column = column.cast(pa.large_binary())
        _, offsets_buffer, data = column.buffers()
        if len(column) == 0 or data is None:
            return nowhere(len(column))
        offsets = np.frombuffer(offsets_buffer, np.int64)[column.offset :][: len(column) + 1]
        start, end = int(offsets[0]), int(offsets[-1])
        self._pieces.append(memoryview(data)[start:end])
        starts = offsets[:-1] + (self.size_bytes - start)
        self.size_bytes += end - start
        return Places(starts, np.where(valid(column), np.diff(offsets), 0))


def nowhere(count: int) -> Places:
    """Return the places of so many pieces of text that are not there."""
    return Places(np.zeros(count, np.int64), np.zeros(count, np.int64))


def valid(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which values of a column are there."""
    if column.null_count == 0:
        return np.ones(len(column), np.bool_)
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = pc.is_valid(column).to_numpy(
        zero_copy_only=False
    )
    return found


def words(column: pa.Array) -> pl.Series:
    """Return a column of text or bytes for polars; what is no UTF-8 becomes U+FFFD.

    Neither Parquet nor Arrow checks that text is UTF-8, and polars may crash where it is not.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    raw = pl.Series(column.cast(pa.large_binary()), dtype=pl.Binary)
    try:
        return raw.cast(pl.String)
    except pl.exceptions.ComputeError:
        mended = [None if each is None else each.decode(errors="replace") for each in raw]
        return pl.Series(mended, dtype=pl.String)


def whole(column: pa.Array | None, count: int) -> Ints:
    """Return a column of whole numbers; 0 where there is none; unsigned ones wrap."""
    if column is None or pa.types.is_null(column.type):
        return np.zeros(count, np.int64)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    numbers = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(numbers).astype(np.int64)


def unlisted(column: pa.Array) -> tuple[Ints, pa.Array]:
    """Return where each list of a column starts in the values of all, one more, and those."""
    offsets = column.offsets.to_numpy().astype(np.int64)
    start, end = int(offsets[0]), int(offsets[-1])
    lengths = np.where(valid(column), np.diff(offsets), 0)
    if lengths.sum() != end - start:  # lists that are null but hold something
        column = pc.filter(column, pc.is_valid(column)) if len(column) else column
        values = column.flatten()
    else:
        values = column.values.slice(start, end - start)
    return np.concatenate(([0], np.cumsum(lengths))), values


class Attributes:
    """The attributes of spans, resources and events: one table, in lists behind one another."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._parts: list[Ints] = []
        self._count = 0

    def table(self) -> Ints:
        """Return all of them."""
        if len(self._parts) == 1:
            return self._parts[0]
        return np.concatenate([np.zeros((0, ATTRIBUTE_WIDTH), np.int64), *self._parts])

    def add(self, keys: Places, values: Values) -> int:
        """Add attributes; return the number of the first."""
        first = self._count
        table = np.empty((len(values.sorts), ATTRIBUTE_WIDTH), np.int64)
        for place, column in enumerate((*keys, *values)):
            table[:, place] = column
        self._parts.append(table)
        self._count += len(table)
        return first

    def interleaved(
        self, offsets: Ints, listed: list[tuple[Places, Values]], named: dict[str, Values]
    ) -> tuple[Ints, Ints]:
        """Add lists of attributes, each followed by one attribute of each name.

        Args:
            offsets: Where each list starts in those listed, and where the last one ends.
            listed: Keys and values of the listed ones; at most one pair.
            named: One value for each list, by key.

        Returns:
            Where each list starts in the table, and where it ends.
        """
        named = {key: values for key, values in named.items() if values.sorts.any()}
        if listed and not named:
            first = self.add(*listed[0])
            return first + offsets[:-1], first + offsets[1:]
        count = len(offsets) - 1
        width = len(named)
        starts = offsets[:-1] + width * np.arange(count, dtype=np.int64)
        lengths = np.diff(offsets)
        total = int(offsets[-1]) + width * count
        table = np.zeros((total, ATTRIBUTE_WIDTH), np.int64)
        if listed and len(listed[0][1].sorts):
            keys, values = listed[0]
            owners = np.repeat(np.arange(count, dtype=np.int64), lengths)
            rows = np.arange(int(offsets[-1]), dtype=np.int64) + width * owners
            table[rows] = np.stack([*keys, *values], axis=1)
        for place, (name, values) in enumerate(named.items()):
            rows = starts + lengths + place
            table[rows, KEY], table[rows, KEY + 1] = self._text.word(name) if name else (0, 0)
            table[rows, SORT], table[rows, FIRST], table[rows, SECOND] = values
        first = self._count
        self._parts.append(table)
        self._count += total
        starts += first
        return starts, starts + lengths + width


def texts(text: Text, column: pa.Array, *, empty_is_absent: bool = True) -> Values:
    """Return a column of text as values; null is absent."""
    places = text.places(column)
    there = places.lengths > 0 if empty_is_absent else valid(column)
    return Values(np.where(there, STRING, ABSENT).astype(np.int64), *places)


def objects(text: Text, column: pa.Array) -> Values:
    """Return a column of text as objects whose members are the attributes."""
    places = text.places(column)
    return Values(np.where(places.lengths > 0, OBJECT, ABSENT).astype(np.int64), *places)


def scalars(text: Text, column: pa.Array) -> Values:
    """Return a column of text, numbers or booleans as values; null is absent."""
    count = len(column)
    there = valid(column)
    kind = column.type
    none = np.zeros(count, np.int64)
    if pa.types.is_integer(kind):
        return Values(np.where(there, INTEGER, ABSENT), whole(column, count), none)
    if pa.types.is_boolean(kind):
        return Values(np.where(there, BOOLEAN, ABSENT), whole(column, count), none)
    if pa.types.is_floating(kind):
        places = text.places(column.cast(pa.string()))
        finite = pc.fill_null(pc.is_finite(column), fill_value=False).to_numpy(zero_copy_only=False)
        return Values(np.where(there, np.where(finite, NUMBER, STRING), ABSENT), *places)
    if pa.types.is_null(kind):
        return Values(none, none, none)
    return texts(text, column, empty_is_absent=False)


def lists(offsets: Ints, first: int, known: Values | None = None) -> Values:
    """Return lists of values that were added as attributes from number `first` on.

    Args:
        offsets: Where each list starts among them.
        first: Number of the first element.
        known: Values of which those that are no list are kept.
    """
    sorts = np.full(len(offsets) - 1, ARRAY, np.int64)
    found = Values(sorts, first + offsets[:-1], first + offsets[1:])
    if known is None:
        return found
    kept = known.sorts != NULL
    return Values(*(np.where(kept, one, other) for one, other in zip(known, found, strict=True)))
