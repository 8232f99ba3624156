"""Finding ``why_missing``: why no edge joins two services, or that one does.

`REASONS` lists what can be said, in the order in which it is looked for; what is seen of the pair
decides, and several may hold at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from tracemap.analyze.likeness import ALIKE, likeness
from tracemap.analyze.ways import call_graph, shortest_way
from tracemap.model import UNKNOWN, USER, WHY_MISSING

REASONS = {
    "edge_exists": "there is an edge: spans of both were joined",
    "named_only": "there is an edge, but only by name: no span of upstream is below the calls",
    "reverse_edge": "one calls the other, but the other way round",
    "link_only": "spans of the two are joined by links alone, which are no calls",
    "not_seen": "no span of it is stored",
    "environments": "the two are in different environments or namespaces",
    "through_queue": "messages go from one to the other through a queue",
    "through_service": "one calls the other through other services",
    "other_window": "there is an edge at another time",
    "other_time": "the two were never recorded at the same time",
    "no_client_span": "downstream recorded no call at all",
    "answered_by": "downstream calls it by name, but another service's spans are below these calls",
    "other_name": "downstream calls something that is probably upstream under another name",
    "unnamed_calls": "downstream makes calls that name nobody",
    "orphans": "spans of upstream name a parent that is not in the data",
    "roots": "requests of upstream begin traces of their own: users enter, or context is lost",
    "never_together": "no trace has spans of both",
    "sampling": "the two are sampled differently, or nobody knows how",
    "rejected": "records were rejected: spans may be among them",
    "no_sign": "both are recorded in full, and nothing hints at a call",
}
"""What can be said, with the meaning."""
_CERTAIN = ("edge_exists", "named_only")
_UNEVEN = 1.5


@dataclass(frozen=True)
class Pair:
    """What is known of two services.

    Attributes:
        downstream, upstream: Their names, as nodes of the graph.
        facts: As `model.PAIR_FACTS`, of the window.
        edge_facts: As `model.EDGE_FACTS`, of all times.
        services: Columns service, service_name, service_namespace, environment: all that there are.
        quality: Columns service, reason, spans.
        rejected: Records that could not be taken; files of other kinds are none.
    """

    downstream: str
    upstream: str
    facts: pl.DataFrame
    edge_facts: pl.DataFrame
    services: pl.DataFrame
    quality: pl.DataFrame
    rejected: int = 0

    @property
    def known(self) -> set[str]:
        """Names of the services that recorded spans."""
        return set(self.services["service"])

    def count(self, situation: str, other: str | None = None) -> int:
        """Return how often a situation was seen, whoever it was about if that is not said."""
        return int(self._rows(situation, other)["count"].sum())

    def exemplars(self, situation: str, other: str | None = None) -> list[str]:
        """Return up to three traces that show it."""
        ids = self._rows(situation, other)["exemplars"].explode().drop_nulls()
        return sorted(set(ids))[:3]

    def others(self, situation: str) -> dict[str, int]:
        """Return whom a situation was about, with counts, the most frequent first."""
        rows = self._rows(situation, None).sort("count", "other", descending=[True, False])
        return dict(rows.select("other", "count").iter_rows())

    def _rows(self, situation: str, other: str | None) -> pl.DataFrame:
        rows = self.facts.filter(pl.col("situation") == situation)
        return rows if other is None else rows.filter(pl.col("other") == other)


class _Reason(NamedTuple):
    reason: str
    spans: int
    text: str
    exemplars: list[str]


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
        found += _other_ways(pair)
        if not unseen:
            found += _times(pair, by_queue=any(each.reason == "through_queue" for each in found))
        found += _calls(pair)
        found += _answered_by(pair)
        is_reverse = any(each.reason == "reverse_edge" for each in found)
        found += _requests(pair, is_reverse=is_reverse)
        found += _losses(pair)
    if not found:
        text = (
            f"{pair.downstream} and {pair.upstream} are recorded, and nothing hints at a call"
            " between them."
        )
        found.append(_Reason("no_sign", pair.count("together"), text, pair.exemplars("together")))
    order = list(REASONS)
    found.sort(key=lambda each: (order.index(each.reason), -each.spans, each.text))
    return pl.DataFrame(found, schema=WHY_MISSING.schema, orient="row")


def _existing(pair: Pair) -> Iterator[_Reason]:
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
        yield _Reason(reason, calls, text, pair.exemplars("edge"))
    elif calls:
        text = f"The edge {arrow} is there: {calls:,} calls ({said})."
        yield _Reason("edge_exists", calls, text, pair.exemplars("edge"))
    elif links:
        text = f"{links:,} links join spans of the two; a link outside messaging is no call."
        yield _Reason("link_only", links, text, pair.exemplars("edge"))


def _not_seen(pair: Pair) -> Iterator[_Reason]:
    for name in (pair.downstream, pair.upstream):
        if name in pair.known:
            continue
        near = [each for each in _nodes(pair) if likeness(name, each) >= ALIKE]
        virtual = pair.edge_facts.filter(
            (pl.col("upstream") == name) | (pl.col("downstream") == name)
        )
        calls = int(virtual["calls"].sum())
        called = name == pair.upstream and (_called_otherwise(pair) or any(_answered(pair)))
        hint = f" There are: {', '.join(near[:5])}." if near and not called else ""
        if calls:
            text = f"No span of {name} is stored; it is known only by name, from {calls:,} calls."
        elif called:
            text = f"No span of {name} is stored; calls name something like it."
        else:
            text = f"No span of {name} is stored, and no call names it."
        yield _Reason("not_seen", calls, text + hint, [])


def _nodes(pair: Pair) -> list[str]:
    """Return the names there are: of services, and of upstreams that calls name."""
    nodes = set(pair.known).union(pair.edge_facts["upstream"], pair.edge_facts["downstream"])
    return sorted(nodes - {USER, UNKNOWN})


def _places(pair: Pair) -> Iterator[_Reason]:
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
        yield _Reason("environments", 0, text, [])


def _other_ways(pair: Pair) -> Iterator[_Reason]:
    """Return how else one reaches the other: a queue, other services, the other way round."""
    calls = pair.edge_facts.filter(pl.col("connection_type") != "link")
    graph = call_graph(calls)
    way = shortest_way(graph, pair.downstream, pair.upstream)
    if way and len(way) > 2:  # noqa: PLR2004 (more than the two ends)
        queues = set(calls.filter(pl.col("downstream_kind") == "queue")["downstream"])
        reason = "through_queue" if queues & set(way[1:-1]) else "through_service"
        least = min(graph[one][other] for one, other in pairwise(way))
        yield _Reason(
            reason, least, f"The way is {' -> '.join(way)}, at least {least:,} calls.", []
        )
    yield from _reverse(
        pair, [] if way else shortest_way(graph, pair.upstream, pair.downstream), graph
    )
    elsewhen = calls.filter(
        (pl.col("downstream") == pair.downstream) & (pl.col("upstream") == pair.upstream)
    )
    if not elsewhen.is_empty():
        count = int(elsewhen["calls"].sum())
        text = (
            f"The edge is there outside the window: {count:,} calls. Ask without --from and --to."
        )
        yield _Reason("other_window", count, text, [])


def _reverse(
    pair: Pair, way: list[str], graph: Mapping[str, Mapping[str, int]]
) -> Iterator[_Reason]:
    """Return that upstream calls downstream, directly or by `way`."""
    reverse = pair.count("reverse")
    arrow = f"{pair.upstream} -> {pair.downstream}"
    text = ""
    if reverse:
        text = f"The edge is the other way round: {arrow}, {reverse:,} calls."
    elif way:
        reverse = min(graph[one][other] for one, other in pairwise(way))
        through = ", ".join(way[1:-1])
        text = f"{arrow} is the way of the calls" + (f", through {through}" if through else "")
        text += f", at least {reverse:,} calls: asked the other way round."
    if text:
        text += " downstream is who waits, upstream who provides."
        yield _Reason("reverse_edge", reverse, text, pair.exemplars("reverse"))


def _times(pair: Pair, *, by_queue: bool) -> Iterator[_Reason]:
    """Return that the two never met; messages are processed in traces of their own."""
    if pair.count("together"):
        return
    rows = pair.facts.filter(pl.col("situation").is_in(["downstream", "upstream"]))
    apart = pl.col("first_ns").max() > pl.col("last_ns").min()
    if rows.select(apart).item():
        text = f"Spans of {pair.downstream} and of {pair.upstream} do not overlap in time."
        yield _Reason("other_time", 0, text, [])
    by_queue = by_queue or pair.count("root", "message") == pair.count("root") > 0
    if pair.count("downstream") and pair.count("upstream") and not by_queue:
        text = (
            f"{pair.count('downstream'):,} spans of {pair.downstream} and"
            f" {pair.count('upstream'):,} of {pair.upstream}, but no trace has both: the two serve"
            " different requests, or the trace context is not passed on, or each keeps other"
            " traces."
        )
        shown = [*pair.exemplars("downstream")[:1], *pair.exemplars("upstream")[:1]]
        yield _Reason("never_together", 0, text, shown)


def _calls(pair: Pair) -> Iterator[_Reason]:
    """Return what the calls of downstream say: there are none, or they reached somebody else."""
    calls, serves = pair.others("calls"), pair.count("serves")
    if serves and not calls:
        text = (
            f"{pair.downstream} served {serves:,} requests and recorded no call: its clients are"
            " not instrumented."
        )
        yield _Reason("no_client_span", serves, text, pair.exemplars("serves"))
    for other, count in calls.items():
        kind, _, name = other.partition(" ")
        shown = pair.exemplars("calls", other)
        if kind == "unknown":
            text = f"{count:,} calls of {pair.downstream} name nobody: they may be the ones."
            yield _Reason("unnamed_calls", count, text, shown)
        elif _is_other_name(pair, name):
            what = f"{pair.downstream} calls {name} ({kind}, {count:,} calls), which records no"
            what += f" spans and is probably {pair.upstream}: "
            infrastructure = kind in {"database", "queue"}
            text = what + (
                "ask for it by that name."
                if infrastructure
                else "set service.peer.name on these calls."
            )
            yield _Reason("other_name", count, text, shown)


def _answered(pair: Pair) -> Iterator[tuple[str, str, str, int]]:
    """Return what downstream calls that is probably upstream, but another service's spans answer.

    Each with its key in the facts, its name, that service, and the calls.
    """
    for other, count in pair.others("answered").items():
        name, _, service = other.rpartition(" ")
        if service != pair.upstream and likeness(name, pair.upstream) >= ALIKE:
            yield other, name, service, count


def _is_other_name(pair: Pair, name: str) -> bool:
    """Return whether a name that downstream calls is probably upstream's, which recorded none."""
    return name not in pair.known and likeness(name, pair.upstream) >= ALIKE


def _called_otherwise(pair: Pair) -> bool:
    """Return whether downstream calls something that is probably upstream under another name."""
    called = (other.partition(" ") for other in pair.others("calls"))
    return any(kind != "unknown" and _is_other_name(pair, name) for kind, _, name in called)


def _answered_by(pair: Pair) -> Iterator[_Reason]:
    for other, name, service, count in _answered(pair):
        text = (
            f"{pair.downstream} calls {name} ({count:,} calls), and spans of {service} are right"
            f" below: what stands there passes the trace context on and records no spans, so the"
            f" edge is {pair.downstream} -> {service}, and its time is in the gap of that edge."
        )
        yield _Reason("answered_by", count, text, pair.exemplars("answered", other))


def _requests(pair: Pair, *, is_reverse: bool) -> Iterator[_Reason]:
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
        yield _Reason("orphans", count, text, shown)
    by_message = pair.count("root", "message")
    if by_message:
        text = (
            f"{by_message:,} times {pair.upstream} processed messages in traces of their own: links"
            " lead to who sent them, not parents."
        )
        yield _Reason("roots", by_message, text, pair.exemplars("root", "message"))
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
        yield _Reason("roots", roots, text, pair.exemplars("root", ""))


def _losses(pair: Pair) -> Iterator[_Reason]:
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
        yield _Reason("sampling", sum(spans.get(name, 0) for name in missing), text, [])
    elif missing and max(missing.values()) - min(missing.values()) > 0.5:  # noqa: PLR2004 (most)
        text = "One of the two says with which probability its spans were kept, the other does not."
        yield _Reason("sampling", sum(unknown.values()), text, [])
    if pair.rejected:
        said = "1 record was" if pair.rejected == 1 else f"{pair.rejected:,} records were"
        text = f"{said} rejected; tracemap info says why."
        yield _Reason("rejected", pair.rejected, text, [])


def _by_service(quality: pl.DataFrame, wanted: pl.Expr) -> dict[str, int]:
    rows = quality.filter(wanted).group_by("service").agg(pl.col("spans").sum())
    return dict(rows.iter_rows())
