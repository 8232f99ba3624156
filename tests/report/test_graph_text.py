from __future__ import annotations

import csv
import io
import json
import re
from xml.etree import ElementTree as ET

import pytest

from tests.report import believable
from tracemap.errors import PipelineError
from tracemap.model import EDGES
from tracemap.report import GRAPH_FORMATS, graph

GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
SHOP = believable.incident().tables["edges"]
HOSTILE = believable.hostile().tables["edges"]


@pytest.mark.parametrize("form", GRAPH_FORMATS)
def test_the_order_of_rows_does_not_matter(form: str) -> None:
    """Text that is compared must not depend on how a query came back."""
    assert graph(SHOP, form) == graph(SHOP.reverse(), form)


@pytest.mark.parametrize("form", GRAPH_FORMATS)
def test_an_empty_graph_is_still_a_graph(form: str) -> None:
    """An empty file would be taken for a failure."""
    assert graph(EDGES.empty(), form).strip()


@pytest.mark.parametrize("form", GRAPH_FORMATS)
def test_hostile_names_turn_nothing_round(form: str) -> None:
    """Direction marks and control signs are written out in every format."""
    assert not set(graph(HOSTILE, form)) & set("\u202e\u2028\u0000")


def test_an_unknown_format_is_refused() -> None:
    """With the list of those there are."""
    with pytest.raises(PipelineError, match="unknown graph format 'svg'"):
        graph(SHOP, "svg")


def test_mermaid_labels_hold_no_signs_of_its_own() -> None:
    """Everything but letters, digits and harmless signs is an entity."""
    text = graph(HOSTILE, "mermaid")

    assert text.startswith("flowchart LR\n")
    for label in re.findall(r'"(.*)"', text):
        assert not set(label) & set("\"<>`|[]{}()'=")
    assert len(text.splitlines()) == 1 + 14 + 13


def test_dot_labels_are_quoted() -> None:
    """A quote in a name does not end the label."""
    text = graph(HOSTILE, "dot")

    assert 'label="=HYPERLINK(\\"http://evil.example\\",\\"click\\")"' in text
    for line in text.splitlines():
        assert line.count('"') - line.count('\\"') in (0, 2)


def test_graphml_is_well_formed() -> None:
    """Control signs are not allowed in XML at all."""
    root = ET.fromstring(graph(HOSTILE, "graphml"))  # noqa: S314 - our own text

    names = [data.text for data in root.iter(f"{GRAPHML}data") if data.get("key") == "name"]
    assert believable.HOSTILE[0] in names
    assert len(list(root.iter(f"{GRAPHML}edge"))) == 13


def test_csv_runs_no_formula() -> None:
    """A spreadsheet opens it as text."""
    rows = list(csv.DictReader(io.StringIO(graph(HOSTILE, "csv"))))

    assert len(rows) == 13
    assert not [row for row in rows if row["downstream"].startswith("=")]
    assert any(row["downstream"].startswith("'=HYPERLINK") for row in rows)


def test_json_keeps_names_whole() -> None:
    """Kinds of nodes come with them."""
    made = json.loads(graph(SHOP, "json"))

    assert {"name": "card-db", "kind": "database", "owner": None} in made["nodes"]
    assert len(made["edges"]) == 13
