"""PAIR_FACTS: what was seen of two services between which somebody expects an edge.

| situation | counted | other |
|---|---|---|
| ``edge`` | calls of downstream that reached upstream | connection type and rule |
| ``reverse`` | calls the other way round | connection type and rule |
| ``downstream``, ``upstream`` | spans of that service | |
| ``together`` | traces with spans of both | |
| ``serves`` | entries of downstream | |
| ``calls`` | calls of downstream | kind and name of whom it reached |
| ``answered`` | calls of downstream that another service answered | name they give, service |
| ``called`` | entries of upstream with a caller | that caller |
| ``root`` | entries of upstream without a parent | ``message``: it consumes; else '' |
| ``orphan`` | entries of upstream whose parent is missing | remote, local, or '' |
| ``orphan_beside`` | those of them in traces with spans of downstream | |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from tracemap.derive.arrays import Bools, Rows
from tracemap.derive.derived import Derived, derived
from tracemap.derive.spans import KNOWN_LOCAL, KNOWN_REMOTE, REMOTE_MASK, spans
from tracemap.derive.tree import Above
from tracemap.model import PAIR_FACTS, Kind, TraceBucket
from tracemap.model.ids import trace_id

SHOWN = 3
"""Traces named as examples."""
_TRACE = ["trace_high", "trace_low"]
_KEY = ["situation", "other"]


def pair_facts(bucket: TraceBucket, downstream: str, upstream: str) -> pl.DataFrame:
    """Return what the traces of `bucket` show of two services, as `model.PAIR_FACTS`.

    Traces in which neither recorded a span are left out.
    """
    wanted = bucket.resources.filter(pl.col("service").is_in([downstream, upstream]))
    traces = bucket.spans.join(wanted, on="resource_id", how="semi").select(_TRACE).unique()
    theirs = bucket.spans.join(traces, on=_TRACE, how="semi")
    linked = bucket.linked_spans.join(traces, on=_TRACE, how="semi")
    part = TraceBucket(theirs, bucket.operations, bucket.resources, linked)
    if theirs.is_empty():
        return PAIR_FACTS.empty()
    found = derived(spans(part), part)
    seen = [
        _counted(found, situation, rows, other)
        for situation, rows, other in _situations(found, downstream, upstream)
        if rows.size
    ]
    return PAIR_FACTS.conform(pl.concat([PAIR_FACTS.empty(), *seen])).sort(_KEY)


def merge_pairs(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return facts of disjoint traces added up, as `model.PAIR_FACTS`."""
    rows = pl.concat([PAIR_FACTS.empty(), *parts])
    examples = pl.col("exemplars").explode().drop_nulls().unique().sort().head(SHOWN)
    summed = rows.group_by(_KEY).agg(
        pl.col("count").sum(), pl.col("first_ns").min(), pl.col("last_ns").max(), examples
    )
    return PAIR_FACTS.conform(summed).sort(_KEY)


def _situations(
    found: Derived, downstream: str, upstream: str
) -> Iterator[tuple[str, Rows, pl.Series | None]]:
    """Yield each situation with the rows of the spans that show it, and whom each is about."""
    ours, calls = found.spans, found.calls
    texts = ours.vocabulary.texts
    code_a, code_b = _code(texts, downstream), _code(texts, upstream)
    a, b = ours.service == code_a, ours.service == code_b
    for situation, one, other in (("edge", code_a, code_b), ("reverse", code_b, code_a)):
        made = np.flatnonzero((calls.downstream == one) & (calls.upstream == other))
        rules = texts.gather(calls.connection_type[made]) + " " + texts.gather(calls.evidence[made])
        yield situation, calls.row[made], rules
    yield "downstream", np.flatnonzero(a), None
    yield "upstream", np.flatnonzero(b), None
    with_a = np.zeros(ours.offsets.size - 1, dtype=np.bool_)
    with_a[ours.trace[a]] = True
    with_b = np.zeros_like(with_a)
    with_b[ours.trace[b]] = True
    yield "together", ours.offsets[:-1][with_a & with_b], None
    yield "serves", np.flatnonzero(a & found.roles.entry), None
    reached = np.flatnonzero(a & found.roles.call)
    kinds, names = found.upstreams.kind[reached], found.upstreams.name[reached]
    yield "calls", reached, texts.gather(kinds) + " " + texts.gather(names)
    service = ours.vocabulary.words["service"]
    elsewhere = (ours.peer[reached] != 0) & (ours.peer[reached] != names) & (kinds == service)
    named = texts.gather(ours.peer[reached][elsewhere]) + " "
    yield "answered", reached[elsewhere], named + texts.gather(names[elsewhere])
    yield from _entries(found, b & found.roles.entry, with_a)


def _entries(
    found: Derived, entry: Bools, with_a: Bools
) -> Iterator[tuple[str, Rows, pl.Series | None]]:
    """Yield how the entries of upstream were reached."""
    ours, tree, client = found.spans, found.tree, found.roles.client
    called = np.flatnonzero(entry & (tree.parent >= 0))
    caller = np.where(client[called] >= 0, client[called], tree.parent[called])
    yield "called", called, ours.vocabulary.texts.gather(ours.service[caller])
    root = np.flatnonzero(entry & (tree.above == Above.ROOT))
    consumed = ours.kind[root] == Kind.CONSUMER
    yield "root", root, pl.Series(np.where(consumed, "message", ""), dtype=pl.String)
    orphan = entry & (tree.above == Above.ORPHAN)
    flags = ours.flags & REMOTE_MASK
    places = {"remote": flags == KNOWN_REMOTE, "local": flags == KNOWN_LOCAL}
    places[""] = ~places["remote"] & ~places["local"]
    for place, holds in places.items():
        rows = np.flatnonzero(orphan & holds)
        yield "orphan", rows, pl.repeat(place, rows.size, dtype=pl.String, eager=True)
    yield "orphan_beside", np.flatnonzero(orphan & with_a[ours.trace]), None


def _code(texts: pl.Series, name: str) -> int:
    """Return the code of a text; -1: it is not in the vocabulary."""
    at = texts.search_sorted(name)
    return at if at < len(texts) and texts[at] == name else -1


def _counted(found: Derived, situation: str, rows: Rows, other: pl.Series | None) -> pl.DataFrame:
    ours = found.spans
    first = ours.offsets[:-1][ours.trace[rows]]
    frame = pl.DataFrame(
        {
            "other": other if other is not None else pl.repeat("", rows.size, eager=True),
            "start_ns": ours.start[rows],
            "high": ours.trace_high[first],
            "low": ours.trace_low[first],
        }
    )
    examples = pl.struct("high", "low").unique().sort().head(SHOWN)
    summed = frame.group_by("other").agg(
        count=pl.len().cast(pl.Int64),
        first_ns=pl.col("start_ns").min(),
        last_ns=pl.col("start_ns").max(),
        ids=examples,
    )
    ids = [
        [trace_id(each["high"], each["low"]) for each in listed]
        for listed in summed["ids"].to_list()
    ]
    return PAIR_FACTS.conform(
        summed.with_columns(
            pl.lit(situation).alias("situation"),
            pl.Series("exemplars", ids, dtype=pl.List(pl.String)),
        )
    )
