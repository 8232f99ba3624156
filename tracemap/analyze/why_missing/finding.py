"""Finding ``why_missing``: why no edge joins two services, or that one does.

`REASONS` lists what can be said, in the order in which it is looked for; what is seen of the pair
decides, and several may hold at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from tracemap.analyze.why_missing.calls import (
    answered,
    answered_by,
    calls_of_downstream,
    is_called_otherwise,
)
from tracemap.analyze.why_missing.context import losses, unlinked_requests
from tracemap.analyze.why_missing.likeness import ALIKE, likeness
from tracemap.analyze.why_missing.pair import REASONS, Pair, Reason
from tracemap.analyze.why_missing.ways import other_ways
from tracemap.model import UNKNOWN, USER, WHY_MISSING

_CERTAIN = ("edge_exists", "named_only")


def why_missing(pair: Pair) -> pl.DataFrame:
    """Return why no edge joins the two, likeliest first; if one does, that alone.

    Returns:
        As `model.WHY_MISSING`, in the order of `REASONS`; never empty.
    """
    found = list(_existing(pair))
    if not any(each.reason in _CERTAIN for each in found):
        unseen = list(_not_seen(pair))
        found += unseen
        found += _places(pair)
        found += other_ways(pair)
        if not unseen:
            found += _times(pair, by_queue=any(each.reason == "through_queue" for each in found))
        found += calls_of_downstream(pair)
        found += answered_by(pair)
        is_reverse = any(each.reason == "reverse_edge" for each in found)
        found += unlinked_requests(pair, is_reverse=is_reverse)
        found += losses(pair)
    if not found:
        text = (
            f"{pair.downstream} and {pair.upstream} are recorded, and nothing hints at a call"
            " between them."
        )
        found.append(Reason("no_sign", pair.count("together"), text, pair.exemplars("together")))
    order = list(REASONS)
    found.sort(key=lambda each: (order.index(each.reason), -each.spans, each.text))
    return pl.DataFrame(found, schema=WHY_MISSING.schema, orient="row")


def _existing(pair: Pair) -> Iterator[Reason]:
    rules = pair.others("edge")
    links = sum(count for rule, count in rules.items() if rule.startswith("link "))
    calls = sum(rules.values()) - links
    said = ", ".join(f"{rule.partition(' ')[2]} {count:,}" for rule, count in rules.items())
    arrow = f"{pair.downstream} -> {pair.upstream}"
    if calls and all(rule.endswith(" peer") or rule.startswith("link ") for rule in rules):
        text = (
            f"The edge {arrow} is there ({said}), by the name its callers give: no span of"
            f" {pair.upstream} is below them. Trace context is not passed on, or those spans were"
            " not kept."
        )
        reason = "named_only" if pair.upstream in pair.known else "edge_exists"
        yield Reason(reason, calls, text, pair.exemplars("edge"))
    elif calls:
        text = f"The edge {arrow} is there: {calls:,} calls ({said})."
        yield Reason("edge_exists", calls, text, pair.exemplars("edge"))
    elif links:
        text = f"{links:,} links join spans of the two; a link outside messaging is no call."
        yield Reason("link_only", links, text, pair.exemplars("edge"))


def _not_seen(pair: Pair) -> Iterator[Reason]:
    for name in (pair.downstream, pair.upstream):
        if name in pair.known:
            continue
        near = [each for each in _nodes(pair) if likeness(name, each) >= ALIKE]
        virtual = pair.edge_facts.filter(
            (pl.col("upstream") == name) | (pl.col("downstream") == name)
        )
        calls = int(virtual["calls"].sum())
        called = name == pair.upstream and (is_called_otherwise(pair) or any(answered(pair)))
        hint = f" There are: {', '.join(near[:5])}." if near and not called else ""
        if calls:
            text = f"No span of {name} is stored; it is known only by name, from {calls:,} calls."
        elif called:
            text = f"No span of {name} is stored; calls name something like it."
        else:
            text = f"No span of {name} is stored, and no call names it."
        yield Reason("not_seen", calls, text + hint, [])


def _nodes(pair: Pair) -> list[str]:
    """Return the names there are: of services, and of upstreams that calls name."""
    nodes = set(pair.known).union(pair.edge_facts["upstream"], pair.edge_facts["downstream"])
    return sorted(nodes - {USER, UNKNOWN})


def _places(pair: Pair) -> Iterator[Reason]:
    """Return the environments of the two, if they have none in common."""
    places = [
        {
            (row["service_namespace"], row["environment"]) if by_namespace else row["environment"]
            for row in pair.services.iter_rows(named=True)
            if row["service"] == name and row["environment"]
        }
        for by_namespace, name in ((False, pair.downstream), (False, pair.upstream))
    ]
    if all(places) and not places[0] & places[1]:
        said = [", ".join(sorted(map(str, each))) for each in places]
        text = (
            f"{pair.downstream} is in {said[0]}, {pair.upstream} in {said[1]}: look for the service"
            " of the same environment."
        )
        yield Reason("environments", 0, text, [])


def _times(pair: Pair, *, by_queue: bool) -> Iterator[Reason]:
    """Return that the two never met; messages are processed in traces of their own."""
    if pair.count("together"):
        return
    rows = pair.facts.filter(pl.col("situation").is_in(["downstream", "upstream"]))
    apart = pl.col("first_ns").max() > pl.col("last_ns").min()
    if rows.select(apart).item():
        text = f"Spans of {pair.downstream} and of {pair.upstream} do not overlap in time."
        yield Reason("other_time", 0, text, [])
    by_queue = by_queue or pair.count("root", "message") == pair.count("root") > 0
    if pair.count("downstream") and pair.count("upstream") and not by_queue:
        text = (
            f"{pair.count('downstream'):,} spans of {pair.downstream} and"
            f" {pair.count('upstream'):,} of {pair.upstream}, but no trace has both: the two serve"
            " different requests, or the trace context is not passed on, or each keeps other"
            " traces."
        )
        shown = [*pair.exemplars("downstream")[:1], *pair.exemplars("upstream")[:1]]
        yield Reason("never_together", 0, text, shown)
