"""What every number on a report means: the one source for the page, and checked in the docs.

The ids are the anchors of ``docs/methods.md`` and of the definitions at the end of each page.
"""

from __future__ import annotations

from tracemap.report.terms import incident, observed, one_window, trust, weeks
from tracemap.report.terms.definition import Definition

GLOSSARY = {
    "upstream": "the side that provides: the callee, the database, the producer of a message",
    "downstream": "the side that consumes and waits: the caller, the consumer of a message",
    "spike": "a stretch of time in which a latency left its baseline",
    "propagated": "downstream became slower because upstream did",
    "absorbed": "upstream became slower, yet downstream did not: something took it up",
}
GLOSSARY_LINE = (
    "Upstream provides: the callee, the database, the producer of a message. "
    "Downstream consumes and waits: the caller, the consumer of a message."
)

DEFINITIONS = {
    definition.id: definition
    for part in (observed, incident, one_window, weeks, trust)
    for definition in part.TERMS
}
"""Every definition by its id, in the order of the docs."""

__all__ = ["DEFINITIONS", "GLOSSARY", "GLOSSARY_LINE", "Definition"]
