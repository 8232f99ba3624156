"""One file per section of a report. Each returns a `Section`; None: there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tracemap.report.blocks import Section
from tracemap.report.sections.blast_radius import blast_radius
from tracemap.report.sections.bottlenecks import bottlenecks
from tracemap.report.sections.budget import budget
from tracemap.report.sections.changes import changes
from tracemap.report.sections.critical_path import critical_path
from tracemap.report.sections.declarations import declarations
from tracemap.report.sections.dependencies import dependencies
from tracemap.report.sections.drift import drift
from tracemap.report.sections.edges import edges
from tracemap.report.sections.errors import errors
from tracemap.report.sections.exemplars import exemplars
from tracemap.report.sections.flow import flow
from tracemap.report.sections.flow_bands import flow_bands
from tracemap.report.sections.graph import graph
from tracemap.report.sections.handoff import handoff
from tracemap.report.sections.insulation import insulation
from tracemap.report.sections.ledger import ledger
from tracemap.report.sections.origins import origins
from tracemap.report.sections.propagation import propagation
from tracemap.report.sections.regressions import regressions
from tracemap.report.sections.spikes import spikes
from tracemap.report.sections.summary import summary
from tracemap.report.sections.teams import teams
from tracemap.report.sections.timeline import timeline
from tracemap.report.sections.trend import trend
from tracemap.report.story import Story

SECTIONS: Mapping[str, Callable[[Story], Section | None]] = MappingProxyType(
    {
        "summary": summary,
        "timeline": timeline,
        "graph": graph,
        "flow": flow,
        "flow_bands": flow_bands,
        "edges": edges,
        "spikes": spikes,
        "propagation": propagation,
        "insulation": insulation,
        "errors": errors,
        "origins": origins,
        "bottlenecks": bottlenecks,
        "dependencies": dependencies,
        "blast_radius": blast_radius,
        "critical_path": critical_path,
        "changes": changes,
        "exemplars": exemplars,
        "handoff": handoff,
        "regressions": regressions,
        "drift": drift,
        "trend": trend,
        "budget": budget,
        "declarations": declarations,
        "teams": teams,
        "ledger": ledger,
    }
)
"""Every section by its name, which is also its anchor on the page."""
