"""The answer in one sentence (docs/methods.md#headline)."""

from __future__ import annotations

from tracemap.report.blocks import Name, Sentence
from tracemap.report.names import shown
from tracemap.report.rows import Row
from tracemap.report.story import Root, Step, Story
from tracemap.report.words import counted, in_ms, percent, significant, span_of

LEAST_MS = 1.0
"""A mean that rose by less is no headline."""
_WORTH_SAYING = 0.05
"""Parts below this share of the change are left to the tables."""


def headline(story: Story) -> Sentence:
    """Return one sentence: who was slow, whom it hurt, by how much, what stopped it.

    Without an incident it says that there is nothing to report and what was looked at.
    """
    verdict = story.findings.verdict
    if verdict == "insufficient_data":
        return _insufficient(story)
    if verdict == "quiet":
        return _quiet(story)
    if story.roots and story.roots[0].change_ms >= LEAST_MS:
        return _incident(story, story.roots[0])
    if story.origins:
        return _origin_only(story.origins[0])
    if story.spikes:
        return _spikes_only(story)
    return ("Something changed in ", span_of(story.findings.window), "; see the tables below.")


def operation_name(service: str, operation: str) -> Sentence:
    """Return a service and its operation as parts of a sentence."""
    if not operation:
        return (Name(shown(service)),)
    return (Name(shown(service)), " ", Name(shown(operation)))


def cause_words(origin: Row) -> Sentence:
    """Return what moved at an origin, as the object of a sentence."""
    service = Name(shown(origin["service"]))
    edge, cause = origin["edge"], origin["cause"]
    if edge is not None:
        ends = (Name(shown(edge["downstream"])), Name(shown(edge["upstream"])))
        if cause == "calls":
            return ("more calls from ", ends[0], " to ", ends[1])
        return ("the way between ", ends[0], " and ", ends[1], " (network, pool or queue)")
    words: dict[str, Sentence] = {
        "self": (service, "'s own time"),
        "wire": ("the network around ", service),
        "calls": ("more calls issued by ", service),
        "error": ("errors in ", service),
        "mix": ("other requests reaching ", service),
    }
    return words.get(cause, (service,))


def _incident(story: Story, root: Root) -> Sentence:
    parts: list[str | Name] = [*operation_name(root.service, root.operation)]
    parts.append(f" slowed down by {in_ms(root.change_ms * 1e6)} per request on average")
    parts.append(_percentile_change(story, (root.service, root.operation)))
    clauses = [
        clause
        for clause in (
            _from_origin(story, root),
            _own(story, root),
            _absorbed(story),
            _unexplained(root),
        )
        if clause
    ]
    for number, clause in enumerate(clauses):
        parts += [": " if number == 0 else "; ", *clause]
    return (*parts, ".")


def _percentile_change(story: Story, step: Step) -> str:
    """Return the p95 before and after, where the operation itself has a spike."""
    for row in story.spikes:
        is_it = (row["unit"], row["service"], row["operation"]) == ("server", *step)
        if is_it and row["baseline_p95_ms"] is not None and row["p95_ms"] is not None:
            before, after = in_ms(row["baseline_p95_ms"] * 1e6), in_ms(row["p95_ms"] * 1e6)
            return f" (p95 {before.removesuffix(' ms')} → {after})"
    return ""


def _from_origin(story: Story, root: Root) -> Sentence:
    """Return how much came from the first origin, and by which way."""
    if not story.origins:
        return ("no single origin explains it",)
    origin = story.origins[0]
    leaves = root.from_origin(origin)
    if not leaves:
        return (
            "the likeliest origin is ",
            *cause_words(origin),
            f", {in_ms(origin['excess_ms'] * 1e6)} per user request",
        )
    if origin["confidence"] == "weak":
        return ("a lead, not a finding, is ", *cause_words(origin))
    part_ms = sum(leaf.share_ms for leaf in leaves)
    clause: list[str | Name] = [
        f"{in_ms(part_ms * 1e6)} ({percent(max(0.0, min(1.0, part_ms / root.change_ms)))}) is "
    ]
    clause += cause_words(origin)
    way = leaves[0].services
    if len(way) > 1:
        clause.append(f", which reached it over {counted(len(way) - 1, 'hop')} (")
        for number, service in enumerate(way):
            clause += [" → " if number else "", Name(shown(service))]
        clause.append(")")
    return tuple(clause)


def _own(story: Story, root: Root) -> Sentence:
    """Return the operation's own time, unless that is what the origin clause said already."""
    first = story.origins[0] if story.origins else None
    if first and first["service"] == root.service and first["cause"] == "self":
        return ()
    if root.own_ms < _WORTH_SAYING * root.change_ms:
        return ()
    return (f"{in_ms(root.own_ms * 1e6)} is its own time",)


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


def _unexplained(root: Root) -> Sentence:
    if abs(root.unexplained_ms) < _WORTH_SAYING * root.change_ms:
        return ()
    return (f"{in_ms(root.unexplained_ms * 1e6)} is unexplained",)


def _origin_only(origin: Row) -> Sentence:
    share = "" if origin["share"] is None else f", {percent(origin['share'])} of what is explained"
    likeliest = "A lead, not a finding, is " if origin["confidence"] == "weak" else None
    return (
        likeliest or "The likeliest origin is ",
        *cause_words(origin),
        f": {in_ms(origin['excess_ms'] * 1e6)} added to each user request on average{share}.",
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


def _looked_at(story: Story) -> str:
    calls = sum(row["calls"] for row in story.edges)
    ledger = story.findings.ledger
    services = len(ledger.services) or len(
        {row[side] for row in story.edges for side in ("downstream", "upstream")}
    )
    return (
        f"{counted(calls, 'call')} over {counted(len(story.edges), 'edge')} "
        f"of {counted(services, 'service')}"
    )


def _quiet(story: Story) -> Sentence:
    window = span_of(story.findings.window)
    stayed = "no latency left its baseline"
    if story.findings.baseline is None:
        stayed = "no latency spike stands out"
    elif story.spikes:
        stayed = (
            f"{counted(len(story.spikes), 'spike')} seen, none of which reached a user's request"
        )
    said = f"Nothing to report: {_looked_at(story)}, {window}; {stayed}"
    return (said, *_lead(story), ".")


def _insufficient(story: Story) -> Sentence:
    findings = story.findings
    if findings.ledger.spans == 0 and not story.edges:
        return ("Nothing to report: the input holds no spans.",)
    if findings.window is None:
        return (f"Nothing to report: no window could be chosen from {_looked_at(story)}.",)
    reason = "there is no baseline to compare it with"
    if findings.baseline is not None:
        reason = f"that, or the baseline ({span_of(findings.baseline)}), is too little to compare"
    said = f"Nothing to report: {_looked_at(story)}, {span_of(findings.window)}; {reason}"
    return (said, *_lead(story), ".")


def _lead(story: Story) -> Sentence:
    """Return the first origin as a lead; without an incident no origin is a finding."""
    if not story.origins:
        return ()
    origin = story.origins[0]
    return (
        "; a lead, not a finding: ",
        *cause_words(origin),
        f" (+{in_ms(origin['excess_ms'] * 1e6)} per user request)",
    )
