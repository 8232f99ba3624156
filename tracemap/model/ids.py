"""Ids as people write them: 64-bit numbers as 16 hex digits, most significant first."""

from __future__ import annotations

import polars as pl


def hex_id(column: str) -> pl.Expr:
    """Return a column of 64-bit ids as 16 hex digits each; null stays null."""
    return pl.col(column).map_batches(
        lambda ids: pl.Series(
            [None if number is None else f"{number:016x}" for number in ids.to_list()],
            dtype=pl.String,
        ),
        return_dtype=pl.String,
    )


def trace_id(high: int, low: int) -> str:
    """Return a trace id of two 64-bit halves as 32 hex digits."""
    return f"{high:016x}{low:016x}"
