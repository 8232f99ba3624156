"""One fact, one number: headline, flow, origins and blast radius add up the same leaves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analyze.simulated import case
from tracemap import analyze, simulate
from tracemap.model import FINDINGS, Findings
from tracemap.pipeline import window_findings
from tracemap.pipeline.windows import Choice
from tracemap.report.blocks import plain
from tracemap.report.headline import headline
from tracemap.report.roots import Leaf
from tracemap.report.rows import Row
from tracemap.report.sections.blast_radius import blast_radius
from tracemap.report.sections.flow import flow
from tracemap.report.sections.origins import origins
from tracemap.report.story import Story
from tracemap.report.words import in_ms
from tracemap.simulate import Fault, MoreCalls, SlowEdge, Slower, SlowNetwork

WHEN: dict[str, Any] = {"start_minute": 0, "end_minute": 0}
FAULTS: dict[str, Fault] = {
    "a slow service": Slower(service="search", add_ms=40, **WHEN),
    "a silent database": Slower(service="postgresql catalog", add_ms=45, **WHEN),
    "a slow network": SlowNetwork(service="catalog", add_ms=30, **WHEN),
    "one slow link": SlowEdge(downstream="storefront", upstream="catalog", add_ms=40, **WHEN),
    "more calls": MoreCalls(downstream="search", upstream="catalog", times=4, **WHEN),
}


@pytest.fixture(scope="module", params=FAULTS)
def story(request: pytest.FixtureRequest) -> Story:
    """What a report on one of the faults tells."""
    made = case(simulate.shop(), FAULTS[request.param])
    choice = Choice(made.incident, made.incident, made.baseline)
    tables = {name: table.empty() for name, table in FINDINGS.items()}
    compared, _ = window_findings.compared(choice, made.facts, analyze.Thresholds(), {})
    tables |= compared
    return Story(
        Findings(
            recipe="postmortem",
            title="Latency postmortem",
            sections=("summary", "flow", "origins", "blast_radius"),
            window=made.incident,
            baseline=made.baseline,
            verdict=analyze.verdict(tables, judged=True),
            tables=tables,
        )
    )


def _rows(section: Any, id_: str) -> list[Row]:  # noqa: ANN401 - a section of any sort
    """The rows of a table of a section, wherever it stands."""
    for block in section.blocks:
        table = getattr(block, "table", None) or block
        if getattr(table, "id", "") == id_:
            keys = [column.key for column in table.columns]
            return [dict(zip(keys, row, strict=True)) for row in table.rows]
    raise AssertionError(id_)


def test_the_headline_the_origins_row_and_the_flow_say_the_same_number(story: Story) -> None:
    """What users are told, what is ranked and what is drawn is one sum of leaves."""
    assert story.hit is not None
    (first, *_), hit = story.strong, story.hit
    charged: list[Leaf] = hit.from_origin(first)
    whole_ms = sum(leaf.share_ms for leaf in charged)
    listed = _rows(origins(story), "origins-table")[0]
    reached = next(
        row
        for row in _rows(blast_radius(story), "blast-radius-table")
        if (row["service"], row["operation"]) == hit.step
    )
    drawn = [row["share_ms"] for row in _rows(flow(story), "flow-table")]

    assert f": {in_ms(whole_ms * 1e6)}" in plain(headline(story))
    assert listed["charged_ms"] == pytest.approx(whole_ms)
    assert reached["origin_ms"] == pytest.approx(whole_ms)
    assert all(leaf.share_ms in drawn for leaf in charged)


def test_no_origin_explains_more_than_the_change_it_is_charged_with(story: Story) -> None:
    """The charged parts of all origins, and what is nobody's, add up to the change."""
    assert story.hit is not None
    charged = sum(story.hit.explained_ms(row) for row in story.origins)
    nobodys = sum(leaf.share_ms for leaf in story.hit.leaves if leaf.row["origin"] is None)

    assert charged + nobodys == pytest.approx(story.hit.change_ms)


def test_excess_and_charged_time_agree_over_all_operations(story: Story) -> None:
    """They are computed in two ways, and differ by little where something reached users."""
    first = story.strong[0]

    assert first["flow_ms"] == pytest.approx(first["excess_ms"], rel=0.15)
    assert first["doubt"] is None
