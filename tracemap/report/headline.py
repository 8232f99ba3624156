"""The answer in one sentence (docs/methods.md#headline)."""

from __future__ import annotations

from tracemap.model import USER
from tracemap.report.blocks import Name, Sentence
from tracemap.report.names import shown
from tracemap.report.no_incident import insufficient, is_failing, lead, quiet
from tracemap.report.phrases import (
    cause_words,
    effect_words,
    operation_name,
    percentile_change,
    spread_words,
)
from tracemap.report.roots import Leaf, Root
from tracemap.report.rows import Row
from tracemap.report.story import LEAST_SHARE, Story
from tracemap.report.week_words import drift_headline
from tracemap.report.words import (
    counted,
    in_ms,
    interval,
    percent,
    signed_ms,
    significant,
    span_of,
)

_ALL_TIME = "the time all origins explain"
_SPIKED = ("propagated", "amplified", "absorbed")
_VERDICTS = {
    "incident": "Incident",
    "quiet": "Quiet",
    "insufficient_data": "Too little data to judge",
}
ALL_OF_IT = 1.005
"""Up to this share a part is the whole, but for rounding."""


def headline(story: Story) -> Sentence:  # noqa: PLR0911 - one sentence for each situation
    """Return one sentence: who was slow, whom it hurt, by how much, what stopped it.

    Without an incident it says that there is nothing to report, or too little to judge, and what
    was looked at.
    """
    if story.is_long_term:
        return drift_headline(story)
    verdict = story.findings.verdict
    if verdict == "insufficient_data":
        return insufficient(story)
    if verdict == "quiet":
        return quiet(story)
    if story.is_held_back:
        return _held_back(story)
    if story.hit is not None and story.hit in story.slower:
        return _incident(story, story.hit)
    if story.origin is not None:
        return _origin_only(story, story.origin)
    if story.spikes:
        return _spikes_only(story)
    return _inner(story)


def verdict_words(story: Story) -> str:
    """Return the verdict of a report in a word or two; a fault that was held back is absorbed."""
    verdict = story.findings.verdict
    if verdict == "incident" and story.is_long_term:
        return "Something changed"
    if verdict == "incident" and story.is_held_back:
        return "Absorbed"
    if verdict == "quiet" and not story.is_long_term and is_failing(story):
        return "Not slower, but failing"
    return _VERDICTS.get(verdict, verdict)


def _incident(story: Story, root: Root) -> Sentence:
    named = _charged(story, root)
    if named and root.is_within_variation:
        return _part_only(story, root)
    parts: list[str | Name] = [*operation_name(root.service, root.operation)]
    parts.append(f" slowed down by {in_ms(root.change_ms * 1e6)}{_range(root)} per request")
    parts.append(" on average")
    parts.append(percentile_change(story, root.step))
    parts.append(_when(story))
    clauses = [
        clause
        for clause in (
            _from_origin(story, root) if named else _from_largest(story, root),
            _own(root, named),
            _absorbed(story),
            _unexplained(root, named),
        )
        if clause
    ]
    for number, clause in enumerate(clauses):
        parts += [": " if number == 0 else "; ", *clause]
    return (*parts, ".")


def _part_only(story: Story, root: Root) -> Sentence:
    """Return what a certain origin did to an operation that as a whole varies no more than usual.

    That operation is not called slower: a part of it is, and the rest hides whether it is.
    """
    absorbed = _absorbed(story)
    whole = f"as a whole it changed by {signed_ms(root.change_ms)}{_range(root)} per request"
    return (
        *_from_origin(story, root),
        *(("; ", *absorbed) if absorbed else ()),
        f"{_when(story)}; {whole}, within ordinary variation{percentile_change(story, root.step)}.",
    )


def _range(root: Root) -> str:
    """Return the interval of a change."""
    said = interval(root.low_ms, root.high_ms, ", ")
    return "" if said is None else f" [{said}]"


def _held_back(story: Story) -> Sentence:
    """Return what kept a fault from users: the largest absorbed part."""
    row = story.absorbed[0]
    by = f" by {row['mechanism']}" if row["mechanism"] else ""
    return (
        f"{in_ms(row['absorbed_ms'] * 1e6)} of {in_ms(row['offered_ms'] * 1e6)} that ",
        *operation_name(row["upstream"], row["upstream_operation"]),
        " took longer was absorbed",
        by,
        " in ",
        *operation_name(row["downstream"], row["downstream_operation"]),
        _when(story),
        *_reached(story),
        *lead(story),
        ".",
    )


def _reached(story: Story) -> Sentence:
    """Return what reached users of a fault that was held back."""
    if not story.slower:
        return ("; no user-visible operation became slower by more than ordinary variation",)
    root = max(story.slower, key=lambda root: root.change_ms)
    name = operation_name(root.service, root.operation)
    return (f"; users waited at most {in_ms(root.change_ms * 1e6)} longer, for ", *name)


def _when(story: Story) -> str:
    """Return which part of the window is meant, where it is not the whole."""
    return f" in {span_of(story.part)}" if story.part else ""


def _charged(story: Story, root: Root) -> list[Row]:
    """Return the origins to which the sentence charges a part of this operation's change."""
    origins = [row for row in (story.origin, story.also) if row is not None]
    return [row for row in origins if row["confidence"] != "weak" and root.explained_ms(row) > 0]


def _from_origin(story: Story, root: Root) -> Sentence:
    """Return how much came from the origin, by which way, and from a second one as large."""
    clause: list[str | Name] = []
    for number, origin in enumerate(_charged(story, root)):
        clause += [", and " if number else "", *_part(root.explained_ms(origin), root, number == 0)]
        if number == 0 and root.is_within_variation:
            clause += [" more per request of ", *operation_name(*root.step)]
        clause += [" is ", *cause_words(origin), *_way(root.from_origin(origin)[0], origin)]
    also = story.also
    if also is not None and root.explained_ms(also) <= 0:
        clause += ["; another origin is ", *cause_words(also)]
        clause.append(f", {effect_words(also)}")
    return tuple(clause)


def _from_largest(story: Story, root: Root) -> Sentence:
    """Return the largest part, where no certain origin did anything to this operation."""
    largest = max(root.leaves, key=lambda leaf: leaf.share_ms)
    clause: list[str | Name] = ["the largest part, ", *_part(largest.share_ms, root), ", is "]
    clause += _leaf_words(largest)
    if story.origin is None and _only_consumes(story, root.service):
        no_user = " works on messages, for which no user waits, so no origin is named"
        return (*clause, "; ", Name(shown(root.service)), no_user)
    if story.origin is None:
        return (*clause, "; no origin is certain enough to be named")
    if story.origin["confidence"] == "weak":
        return (*clause, "; a lead, not a finding, is ", *cause_words(story.origin))
    effect = f", {effect_words(story.origin)}"
    return (*clause, "; the likeliest origin is ", *cause_words(story.origin), effect)


def _only_consumes(story: Story, service: str) -> bool:
    """Return whether a service works on messages and is not called by users."""
    edges = story.finding("edges")
    takes = {row["connection_type"] for row in edges if row["downstream"] == service}
    callers = {row["downstream"] for row in edges if row["upstream"] == service}
    return "messaging" in takes and USER not in callers


def _part(part_ms: float, root: Root, is_first: bool = True) -> Sentence:  # noqa: FBT001, FBT002
    """Return a part of the change; one larger than the whole has no percentage."""
    said = in_ms(part_ms * 1e6)
    if root.is_within_variation:
        return (said,)
    if part_ms > ALL_OF_IT * root.change_ms:
        return (f"{said}, partly made up by other parts that got faster," if is_first else said,)
    share = percent(part_ms / root.change_ms)
    return (f"{said} ({share} of this operation's change)" if is_first else f"{said} ({share})",)


def _leaf_words(leaf: Leaf) -> Sentence:
    """Return what a part of the flow is, as the object of a sentence."""
    row = leaf.row
    service, upstream = Name(shown(row["service"])), Name(shown(row["upstream"]))
    if row["leaf"] == "self" and len(leaf.steps) == 1:
        return ("its own time",)
    words: dict[str, Sentence] = {
        "self": (service, "'s own time"),
        "gap": ("the way between ", service, " and ", upstream),
        "calls": ("more calls from ", service, " to ", upstream),
        "virtual": ("what ", service, " waits for ", upstream),
        "small": ("many small parts",),
    }
    return words.get(row["leaf"], ("within ", service, ", unresolved"))


def _way(leaf: Leaf, origin: Row) -> Sentence:
    """Return over which services it came, from the origin on; () where it is at home."""
    way = leaf.services
    start = origin["edge"]["downstream"] if origin["edge"] else origin["service"]
    way = way[way.index(start) :] if start in way else way
    if len(way) < 2:  # noqa: PLR2004
        return ()
    clause: list[str | Name] = [f", which reached it over {counted(len(way) - 1, 'hop')} ("]
    for number, service in enumerate(way):
        clause += [" → " if number else "", Name(shown(service))]
    return (*clause, ")")


def _own(root: Root, named: list[Row]) -> Sentence:
    """Return the operation's own time, unless the first clause said it already."""
    is_said = any((row["service"], row["cause"]) == (root.service, "self") for row in named)
    if is_said or not named:
        return ()
    # Pauses before retries are own time too, and said already of who failed.
    told = [leaf for row in named for leaf in root.from_origin(row) if leaf.is_own]
    own_ms = root.own_ms - sum(leaf.share_ms for leaf in told)
    if own_ms < LEAST_SHARE * root.change_ms:
        return ()
    return (f"{in_ms(own_ms * 1e6)} is its own time",)


def _absorbed(story: Story) -> Sentence:
    if not story.absorbed:
        return ()
    row = story.absorbed[0]
    mechanism = f" by {row['mechanism']}" if row["mechanism"] else ""
    return (
        f"{in_ms(row['absorbed_ms'] * 1e6)} more was offered by ",
        Name(shown(row["upstream"])),
        " to ",
        Name(shown(row["downstream"])),
        f" but absorbed{mechanism}",
    )


def _unexplained(root: Root, named: list[Row]) -> Sentence:
    if abs(root.unexplained_ms) < LEAST_SHARE * root.change_ms:
        return ()
    if root.unexplained_ms > 0:
        return (f"{in_ms(root.unexplained_ms * 1e6)} is unexplained",)
    if any(root.explained_ms(row) > ALL_OF_IT * root.change_ms for row in named):
        return ()  # said already
    return (f"other parts got faster by {in_ms(-root.unexplained_ms * 1e6)}",)


def _origin_only(story: Story, origin: Row) -> Sentence:
    users = "" if story.hit is None else "; no user-visible operation became slower all the same"
    share = f", {percent(origin['share'])} of {_ALL_TIME}" if origin["share"] else ""
    effect = effect_words(origin)
    if origin["cause"] != "error":
        effect += f" on average{share}"
    likeliest = "A lead, not a finding, is " if origin["confidence"] == "weak" else None
    return (
        likeliest or "The likeliest origin is ",
        *cause_words(origin),
        f": {effect}{users}.",
    )


def _inner(story: Story) -> Sentence:
    """Return which upstream got slower for whom, where no operation of a user did."""
    is_open = any(root.is_within_variation for root in story.roots)
    than = "by more than ordinary variation" if is_open else "on average"
    users = f"no user-visible operation became slower {than}."
    spiked = [row for row in story.propagation if row["verdict"] in _SPIKED]
    if not spiked:
        return _survived(story, users)
    worst = max(spiked, key=lambda row: row["offered_ms"])
    return (*spread_words(worst), "; ", users)


def _survived(story: Story, users: str) -> Sentence:
    """Return which calls failed more often, where nobody passed their failures on."""
    absorbed = [row for row in story.finding("errors") if row["verdict"] == "absorbed"]
    if not absorbed:
        return ("Something changed in ", span_of(story.findings.window), ", but ", users)
    worst = max(absorbed, key=lambda row: row["errors"])
    more = worst["offered_errors"]
    return (
        "Calls to ",
        *operation_name(worst["upstream"], worst["upstream_operation"]),
        f" failed in {percent(more)} more of the requests of "
        if more <= 1
        else f" failed {significant(more)} times more per request of ",
        *operation_name(worst["downstream"], worst["downstream_operation"]),
        ", which went well all the same (absorbed); ",
        users,
    )


def _spikes_only(story: Story) -> Sentence:
    worst = story.spikes[0]
    rise = "" if worst["ratio"] is None else f", {significant(worst['ratio'])} times its baseline"
    units = {(row["unit"], row["service"], row["operation"]) for row in story.spikes}
    return (
        f"{counted(len(story.spikes), 'latency spike')} in {counted(len(units), 'operation')}: ",
        "the worst is ",
        *operation_name(worst["service"], worst["operation"]),
        f" with p95 at {in_ms((worst['p95_ms'] or 0) * 1e6)}{rise}.",
    )
