"""Tables of `tracemap why-missing`: what was seen of two services, and why no edge joins them."""

from __future__ import annotations

import polars as pl

from tracemap.model.columns import EXEMPLAR_IDS
from tracemap.model.table import Table, column

PAIR_FACTS = Table(
    "pair_facts",
    "What was seen of two services, counted by situation; facts of disjoint traces add up.",
    (
        column("situation", pl.String, "", "what is counted (`derive.why_missing`)"),
        column("other", pl.String, "", "whom it is about: upstream, caller, or rule; ''"),
        column("count", pl.Int64, "", "spans, calls or traces"),
        column("first_ns", pl.Int64, "ns since the epoch", "the first of them (min)"),
        column("last_ns", pl.Int64, "ns since the epoch", "the last of them (max)"),
        EXEMPLAR_IDS,
    ),
    key=("situation", "other"),
)

WHY_MISSING = Table(
    "why_missing",
    "Why no edge joins downstream and upstream, the likeliest reason first.",
    (
        column("reason", pl.String, "", "one of docs/commands.md#why-missing"),
        column("count", pl.Int64, "", "spans, calls or traces that show it"),
        column("text", pl.String, "", "in a sentence"),
        EXEMPLAR_IDS,
    ),
    key=("reason", "text"),
)
