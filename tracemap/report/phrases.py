"""Phrases that the headline and several sections share: who, what moved, and what it did."""

from __future__ import annotations

from tracemap.model import UNKNOWN
from tracemap.report.blocks import Name, Sentence
from tracemap.report.names import shown
from tracemap.report.roots import Step
from tracemap.report.rows import Row
from tracemap.report.story import Story
from tracemap.report.words import from_to, in_ms, percent


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
        if cause == "error":
            return ("failures on the way between ", ends[0], " and ", ends[1])
        if cause == "self":
            slower = " to ", ends[1], " (it records no spans: slower there, or on the way)"
            return ("calls from ", ends[0], *slower)
        return ("the way between ", ends[0], " and ", ends[1], " (network, pool or queue)")
    if origin["service"] == UNKNOWN:
        return _of_unnamed(cause, origin["operation"] or "")
    words: dict[str, Sentence] = {
        "self": (service, "'s own time"),
        "wire": ("the network around ", service),
        "calls": ("more calls issued by ", service),
        "error": ("failures of ", service),
        "mix": ("requests of another kind at ", service),
    }
    return words.get(cause, (service,))


def _of_unnamed(cause: str, operation: str) -> Sentence:
    """Return what moved at an upstream that its callers do not name and that recorded no spans."""
    what = {"wire": "the network around ", "error": "failures of "}.get(cause, "time in ")
    called = (" (called as ", Name(shown(operation)), ")") if operation else ()
    return (f"{what}an upstream without a name", *called)


def effect_words(origin: Row, sign: str = "") -> str:
    """Return what an origin did to users: the time it added, or the share of requests that failed.

    Args:
        origin: A row of the finding.
        sign: What a time begins with.
    """
    share = origin.get("excess_errors")
    if origin["cause"] == "error" and share:
        return f"{percent(share)} more of all user requests failed"
    return f"{sign}{in_ms(origin['excess_ms'] * 1e6)} per user request"


def spread_words(row: Row) -> Sentence:
    """Return by how much an operation got slower through another, from a row of ``propagation``."""
    return (
        *operation_name(row["upstream"], row["upstream_operation"]),
        f" took {in_ms(row['offered_ms'] * 1e6)} longer per request of ",
        *operation_name(row["downstream"], row["downstream_operation"]),
        f" ({row['verdict']})",
    )


def percentile_change(story: Story, step: Step) -> str:
    """Return the p95 of the baseline and of the window, of all its requests."""
    row = story.waited.get(step)
    if row is None or row["baseline_p95_ms"] is None or row["p95_ms"] is None:
        return ""
    return f" (p95 {from_to(row['baseline_p95_ms'] * 1e6, row['p95_ms'] * 1e6)})"
