"""What a table is made of: columns with type, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True)
class Column:
    """One column: its name, type, unit and meaning."""

    name: str
    dtype: pl.DataType
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One table: its name, meaning, columns, and the columns that identify a row."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = field(default=())

    @property
    def schema(self) -> pl.Schema:
        """Column names and types, in order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """Return the table with no rows."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return `frame` with exactly this table's columns, order and types.

        Raises:
            polars.exceptions.ColumnNotFoundError: If a column is missing.
        """
        schema = self.schema
        if frame.schema == schema and frame.columns == schema.names():
            return frame
        return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def column(name: str, dtype: type[pl.DataType] | pl.DataType, unit: str, meaning: str) -> Column:
    """Return a column; `dtype` may be given as a class."""
    return Column(name, dtype() if isinstance(dtype, type) else dtype, unit, meaning)
