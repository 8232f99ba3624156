"""What to do first after an incident: whom to ask, and which trace to open."""

from __future__ import annotations

from tracemap.report.blocks import Name, Sentence
from tracemap.report.names import shown
from tracemap.report.story import Story


def whom_to_ask(story: Story) -> Sentence:
    """Return who owns the origin; where that is not known, who owns what is next to it.

    Of an edge its upstream's owner comes first. () where no origin is certain, or nobody on the
    way from it to users has a known owner: another mix of requests accuses nobody.
    """
    origin = story.strong[0] if story.strong else None
    if _is_silent(story) or origin is None or origin["cause"] == "mix":
        return ()
    edge = origin["edge"]
    ends = [edge["upstream"], edge["downstream"]] if edge else [origin["service"]]
    way = story.hit.from_origin(origin)[:1] if story.hit else []
    nearby = [service for leaf in way for service in leaf.services if service not in ends]
    owned = [service for service in ends if service in story.owners]
    if owned:
        parts: list[str | Name] = []
        for service in owned:
            parts += [", " if parts else "", *_owns(story, service)]
        return tuple(parts)
    nearest = next((service for service in nearby if service in story.owners), None)
    if nearest is None:
        return ()
    return (*_owns(story, nearest), "; who owns ", Name(shown(ends[0])), " is not known")


def first_trace(story: Story) -> str:
    """Return the id of the trace that shows best what happened; '' where none does."""
    if _is_silent(story):
        return ""
    ranked = [*story.strong, *story.origins]
    return next((trace for row in ranked for trace in row["exemplars"] or []), "")


def _is_silent(story: Story) -> bool:
    return story.findings.verdict != "incident" or story.is_long_term


def _owns(story: Story, service: str) -> Sentence:
    return (Name(shown(story.owners[service])), " (", Name(shown(service)), ")")
