"""Texts as small integers, so that kernels and group-bys never touch a string."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import xxhash

from tracemap.derive.arrays import Ids, Rows
from tracemap.model import UNKNOWN, UNKNOWN_CALLER, USER

WORDS = (
    "", USER, UNKNOWN, UNKNOWN_CALLER,
    "service", "database", "queue", "external", "faas", "genai", "user",
    "rpc", "messaging", "link",
    "paired", "multi_server", "parent_only", "root", "peer", "unknown",
    "parent", "destination", "orphan",
)  # fmt: skip
"""Texts that derive itself writes into facts; always in the vocabulary."""


@dataclass(frozen=True)
class Vocabulary:
    """All texts of a bucket, sorted; the code of a text is its position, ``''`` is 0.

    Codes hold within one bucket only. What must agree between buckets and machines uses `hashes`.
    """

    texts: pl.Series
    words: dict[str, int] = field(repr=False)

    @classmethod
    def of(cls, columns: Iterable[pl.Series]) -> Vocabulary:
        """Return the vocabulary of `columns` (String, null counts as ``''``) and of `WORDS`."""
        parts = [pl.Series(WORDS, dtype=pl.String), *(c.rename("") for c in columns)]
        texts = pl.concat(parts).fill_null("").unique().sort().rename("text")
        positions = texts.search_sorted(pl.Series(WORDS, dtype=pl.String))
        return cls(texts, dict(zip(WORDS, positions.to_list(), strict=True)))

    def codes(self, column: pl.Series) -> Rows:
        """Return the code of each text in `column`; all of them must be in the vocabulary."""
        categories = pl.Enum(self.texts)
        physical = column.fill_null("").cast(categories).to_physical()
        return np.array(physical, dtype=np.int32)

    def code(self, text: str) -> int:
        """Return the code of `text`; -1, which nothing has, where it is not in the vocabulary."""
        at = int(self.texts.search_sorted(text))
        return at if at < len(self.texts) and self.texts[at] == text else -1

    def decoded(self, *columns: str) -> list[pl.Expr]:
        """Return `columns` of codes as the texts they stand for, under the same names."""
        texts = pl.lit(self.texts)
        return [texts.gather(pl.col(name)).alias(name) for name in columns]

    def hashes(self) -> Ids:
        """Return a 64-bit hash of each text: the same on every machine and in every run."""
        digest = xxhash.xxh3_64_intdigest
        return np.fromiter(
            (digest(text.encode()) for text in self.texts.to_list()),
            dtype=np.uint64,
            count=len(self.texts),
        )
