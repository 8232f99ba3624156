"""The view model of a whole report: what every writer starts from."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from tracemap.errors import PipelineError, did_you_mean
from tracemap.model import Findings
from tracemap.report.blocks import Page, Section
from tracemap.report.first_step import first_trace, whom_to_ask
from tracemap.report.headline import headline
from tracemap.report.names import visible
from tracemap.report.no_incident import is_failing
from tracemap.report.sections import SECTIONS
from tracemap.report.sections.graph import graph
from tracemap.report.sections.regressions import regressions
from tracemap.report.sections.spikes import HOW_TO_READ as SPIKES_HOW
from tracemap.report.sections.spikes import spike_panels
from tracemap.report.sections.timeline import timeline
from tracemap.report.story import Story
from tracemap.report.words import span_of
from tracemap.self_trace import stage


def page(findings: Findings, trace_url: str = "") -> Page:
    """Return the report on `findings`: headline, the figure that proves it, and the sections asked.

    A section without findings is left out, never shown empty.

    Args:
        findings: What it is made of.
        trace_url: Template of links to traces, as `trace_url.checked` gives it.

    Raises:
        PipelineError: If a section is asked for that does not exist.
    """
    for name in findings.sections:
        if name not in SECTIONS:
            raise PipelineError(
                f"unknown section {name!r}",
                where="key 'sections'",
                hint=did_you_mean(name, SECTIONS, f"there are {', '.join(SECTIONS)}"),
            )
    story = Story(findings)
    proof = _proof(story)
    made = [_made(name, story) for name in _wanted(findings)]
    sections = tuple(
        section
        for section in made
        if section is not None and not (proof is not None and section.id == proof.id)
    )
    return Page(
        title=visible(findings.title),
        recipe=visible(findings.recipe),
        version=_version(),
        verdict=findings.verdict,
        headline=headline(story),
        window=span_of(findings.window),
        baseline=span_of(findings.baseline),
        baseline_reason=visible(findings.baseline_reason),
        proof=proof,
        sections=sections,
        trace_url=trace_url,
        is_failing=findings.verdict == "quiet" and is_failing(story),
        ask=whom_to_ask(story),
        first_trace=first_trace(story),
    )


def _made(name: str, story: Story) -> Section | None:
    with stage("report section", section=name):
        return SECTIONS[name](story)


def _wanted(findings: Findings) -> list[str]:
    """Return the sections asked for; without an incident also the graph, to be of use at all."""
    names = list(dict.fromkeys(findings.sections))
    if findings.verdict == "incident":
        return names
    extra = [name for name in ("graph", "edges") if name not in names]
    place = names.index("summary") + 1 if "summary" in names else 0
    return [*names[:place], *extra, *names[place:]]


def _proof(story: Story) -> Section | None:
    """Return the section that is moved up to the headline, because it proves it."""
    if story.findings.verdict != "incident":
        return timeline(story) or graph(story)
    if story.is_long_term:
        return regressions(story)
    if "timeline" in story.findings.sections:
        return timeline(story)
    figure = spike_panels(story, "proof-figure")
    if figure is None:
        return None
    return Section("proof", "The worst spikes", (figure,), SPIKES_HOW)


def _version() -> str:
    try:
        return version("otel-tracemap")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "unknown"
