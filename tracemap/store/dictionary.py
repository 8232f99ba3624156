"""Ids for the distinct rows of `operations` and `resources`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tracemap.store.tables import insert, read

if TYPE_CHECKING:
    from tracemap.model import Table
    from tracemap.store.tables import Connection

_SEEDS = {"content_high": 1, "content_low": 2}


class Dictionary:
    """Gives every distinct row of one table a number, the same in every file.

    Rows are known by 128 bits of hash, so that a million distinct span names cost 20 MB and a batch
    one join of integers. The hashes live in memory only; they are made anew by the next process.

    Args:
        connection: Where the table is; rows not seen before are added to it.
        table: `OPERATIONS` or `RESOURCES`; its key is the id, the other columns the content.
    """

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        (self._id,) = table.key
        self._content = [name for name in table.schema if name != self._id]
        stored = read(connection, f"SELECT * FROM {table.name} ORDER BY {self._id}")  # noqa: S608
        self._known = self._hashed(table.conform(stored))

    def store_ids(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return columns ``local`` and ``stored``: the id of each row in the batch and here.

        Rows not seen before are inserted, numbered in the order they come.
        """
        hashed = self._hashed(rows)
        found = hashed.join(
            self._known, on=list(_SEEDS), how="left", maintain_order="left", suffix="_stored"
        )
        stored = f"{self._id}_stored"
        new = found.filter(pl.col(stored).is_null()).unique(
            list(_SEEDS), keep="first", maintain_order=True
        )
        if new.height:
            numbers = pl.int_range(self._known.height, self._known.height + new.height)
            added = new.select(*_SEEDS, local=self._id).with_columns(
                numbers.cast(pl.Int32).alias(self._id)
            )
            self._insert(rows, added)
            self._known = pl.concat([self._known, added.select(self._known.columns)])
            return self.store_ids(rows)
        return found.select(local=self._id, stored=stored)

    def content_order(self, ids: pl.Series) -> pl.Series:
        """Return a number per id that depends on the row's content, not on when it came."""
        return self._known["content_high"].gather(ids)

    def __len__(self) -> int:
        """Return how many rows the table has."""
        return self._known.height

    def _hashed(self, rows: pl.DataFrame) -> pl.DataFrame:
        content = rows.select(self._content)
        hashes = {name: content.hash_rows(seed=seed) for name, seed in _SEEDS.items()}
        return rows.select(self._id).with_columns(**hashes)

    def _insert(self, rows: pl.DataFrame, added: pl.DataFrame) -> None:
        content = rows.rename({self._id: "local"})
        numbered = added.select("local", self._id).join(
            content, on="local", how="left", maintain_order="left"
        )
        insert(self._connection, self._table.name, numbered.drop("local"))
