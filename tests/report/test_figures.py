from __future__ import annotations

import json
import math
import re
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import believable, week
from tracemap.model import Findings
from tracemap.report import build
from tracemap.report.blocks import FigureBlock
from tracemap.report.figures.layers import Link, places_of
from tracemap.report.figures.network import network
from tracemap.report.figures.slope import Slope, slope
from tracemap.report.html_page import _template

COLOUR = re.compile(r"var\((--[\w-]+)\)")
SITUATIONS = {
    "postmortem": believable.incident(),
    "batch": believable.incident("batch"),
    "weekly": week.weekly(),
    "quiet": believable.quiet(),
    "insufficient": believable.insufficient(),
    "hostile": believable.hostile(),
    "large": believable.large(),
}


def figures(findings: Findings) -> list[FigureBlock]:
    """Every figure of a report."""
    page = build(findings).view
    sections = [*([page.proof] if page.proof else []), *page.sections]
    blocks = [block for section in sections for block in section.blocks]
    return [block for block in blocks if isinstance(block, FigureBlock)]


def painted(value: Any, key: str = "") -> Any:  # noqa: ANN401 - as deep as it comes
    """A figure as the page's script paints it, every colour the same."""
    if isinstance(value, dict):
        return {name: painted(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [painted(item, key) for item in value]
    is_colour = isinstance(value, str) and key.endswith(("color", "colorscale"))
    return "#123456" if is_colour and COLOUR.fullmatch(value) else value


@pytest.mark.parametrize("situation", SITUATIONS)
def test_plotly_knows_every_attribute(situation: str) -> None:
    """Figures are plain dictionaries for speed; plotly's own schema checks them here."""
    for figure in figures(SITUATIONS[situation]):
        go.Figure(painted(figure.spec))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_colour_has_a_light_and_a_dark_value(situation: str) -> None:
    """A colour the stylesheet lacks would vanish."""
    style = _template("page.css")
    used = {
        name
        for figure in figures(SITUATIONS[situation])
        for name in COLOUR.findall(json.dumps(figure.spec))
    }

    assert used
    for name in used:
        assert len(re.findall(rf"{name}:", style)) == 3, name


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_figure_says_in_words_what_it_shows(situation: str) -> None:
    """A figure nobody can hear is half a figure; numbers are finite."""
    for figure in figures(SITUATIONS[situation]):
        assert figure.title
        assert len(figure.summary) > 20
        json.dumps(figure.spec, allow_nan=False)


def test_names_cannot_be_markup_in_a_figure() -> None:
    """Plotly reads labels as a small HTML."""
    for figure in figures(SITUATIONS["hostile"]):
        assert "<img" not in json.dumps(figure.spec)


def test_layers_run_from_downstream_to_upstream() -> None:
    """Left waits for right."""
    links = [Link("a", "b", 1, 1.0, 0), Link("b", "c", 1, 1.0, 0), Link("a", "c", 1, 1.0, 0)]
    points, bends = places_of(["a", "b", "c"], links)

    assert points["a"][0] < points["b"][0] < points["c"][0]
    assert [len(bend) for bend in bends] == [0, 0, 1]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=60))
def test_any_graph_is_laid_out_on_whole_layers(pairs: list[tuple[int, int]]) -> None:
    """Circles, loops and islands included; lines bend once in each layer between their ends."""
    ends = sorted({(f"s{start}", f"s{end}") for start, end in pairs})
    links = [Link(*pair, 1, 1.0, 0) for pair in ends]
    points, bends = places_of(sorted({name for pair in ends for name in pair}), links)

    for link, bend in zip(links, bends, strict=True):
        start, end = points[link.downstream][0], points[link.upstream][0]
        assert len(bend) == max(0, abs(end - start) - 1)
        assert all(min(start, end) < x < max(start, end) for x, _ in bend)
    assert all(math.isfinite(y) for _, y in points.values())
    assert len(set(points.values())) == len(points)


def test_a_circle_of_services_and_a_call_to_oneself_are_drawn() -> None:
    """Real systems have both."""
    edges = [
        believable.edge("a", "b", 5, 1), believable.edge("b", "a", 5, 1),
        believable.edge("a", "a", 5, 1), believable.edge("c", "c", 5, 1),
    ]  # fmt: skip
    rows = [{key.replace("_ns", "_ms"): value for key, value in row.items()} for row in edges]
    spec = network("graph", "Graph", rows).spec

    assert all(
        value is None or math.isfinite(value) for trace in spec["data"] for value in trace["y"]
    )


def test_the_same_edges_in_any_order_make_the_same_figure() -> None:
    """Layout must not depend on the order of rows."""
    findings = SITUATIONS["batch"]
    before = [figure.spec for figure in figures(findings)]
    findings.tables["edges"] = findings.tables["edges"].reverse()

    assert [figure.spec for figure in figures(findings)] == before


def test_labels_of_a_slope_do_not_hide_each_other() -> None:
    """Equal values are moved apart; the lines stay where they are."""
    lines = [Slope("a", 10, 10), Slope("b", 10, 10.1), Slope("c", 90, 10)]
    made = slope("shares", "Shares", "words", lines, unit="%", ends=("then", "now"))
    marks = [mark for mark in made.spec["layout"]["annotations"] if "yref" not in mark]
    right = sorted(mark["y"] for mark in marks if mark["x"] == 1)

    assert [trace["y"] for trace in made.spec["data"]] == [[10, 10], [10, 10.1], [90, 10]]
    assert min(after - before for before, after in pairwise(right)) > 0.9
    assert sum(right) / 3 == pytest.approx(10.03, abs=0.01)
