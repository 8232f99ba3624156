"""How requests reach upstream, and what may have been lost on the way: context, spans, records."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from tracemap.analyze.why_missing.pair import Pair, Reason

_UNEVEN = 1.5
"""Sampling rates differ from this ratio on."""


def unlinked_requests(pair: Pair, *, is_reverse: bool) -> Iterator[Reason]:
    """Return how requests reach upstream.

    Where nothing but roots reaches what calls downstream itself, they are no sign of lost context.
    """
    orphans = pair.others("orphan")
    if orphans:
        count, beside = sum(orphans.values()), pair.count("orphan_beside")
        said = {"remote": "in another process", "local": "in the same process", "": "nobody knows"}
        places = ", ".join(f"{n:,} {said[place]}" for place, n in orphans.items())
        text = (
            f"{count:,} requests of {pair.upstream} name a parent that is not in the data (it ran:"
            f" {places}); {beside:,} of them are in traces with spans of {pair.downstream}."
        )
        shown = pair.exemplars("orphan_beside") or pair.exemplars("orphan")
        yield Reason("orphans", count, text, shown)
    by_message = pair.count("root", "message")
    if by_message:
        text = (
            f"{by_message:,} times {pair.upstream} processed messages in traces of their own: links"
            " lead to who sent them, not parents."
        )
        yield Reason("roots", by_message, text, pair.exemplars("root", "message"))
    roots, called = pair.count("root", ""), pair.count("called") + by_message
    if roots:
        others = ", ".join(list(pair.others("called"))[:5])
        why = "who called them passed no trace context."
        if not called and not orphans:
            why = "users enter there" + (
                "." if is_reverse else ", or those who call it pass no trace context."
            )
        text = (
            f"{roots:,} of {roots + called + sum(orphans.values()):,} requests of {pair.upstream}"
            f" begin traces of their own: {why}"
            + (f" The others come from {others}." if others else "")
        )
        yield Reason("roots", roots, text, pair.exemplars("root", ""))


def losses(pair: Pair) -> Iterator[Reason]:
    """Return what may have been lost before it came here."""
    spans = _by_service(pair.quality, pl.col("reason").str.contains("^(in_edge|no_edge_.*)$"))
    unknown = _by_service(pair.quality, pl.col("reason") == "no_sampling_information")
    into = pair.edge_facts.filter(pl.col("upstream").is_in([pair.downstream, pair.upstream]))
    weights = into.group_by("upstream").agg(pl.col("calls_weighted").sum() / pl.col("calls").sum())
    rates = [float(weight) for _, weight in weights.iter_rows()]
    missing = {
        name: unknown.get(name, 0) / spans[name]
        for name in (pair.downstream, pair.upstream)
        if spans.get(name)
    }
    if rates and max(rates) > _UNEVEN * min(rates):
        text = (
            "The two are sampled at different rates (a call stands for"
            f" {' and '.join(f'{rate:.3g}' for rate in sorted(rates))}): traces lose spans between."
        )
        yield Reason("sampling", sum(spans.get(name, 0) for name in missing), text, [])
    elif missing and max(missing.values()) - min(missing.values()) > 0.5:  # noqa: PLR2004 (most)
        text = "One of the two says with which probability its spans were kept, the other does not."
        yield Reason("sampling", sum(unknown.values()), text, [])
    if pair.rejected:
        said = "1 record was" if pair.rejected == 1 else f"{pair.rejected:,} records were"
        text = f"{said} rejected; tracemap info says why."
        yield Reason("rejected", pair.rejected, text, [])


def _by_service(quality: pl.DataFrame, wanted: pl.Expr) -> dict[str, int]:
    rows = quality.filter(wanted).group_by("service").agg(pl.col("spans").sum())
    return dict(rows.iter_rows())
