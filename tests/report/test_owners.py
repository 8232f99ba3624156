"""Owners on both ends of edges and on nodes; their names are as little to be trusted as others."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree as ET

import pytest

from tests.report import believable, week
from tracemap.model import USER
from tracemap.report import GRAPH_FORMATS, build, graph, rows
from tracemap.report.blocks import FigureBlock, TableBlock
from tracemap.report.figures.network import network

EDGES = believable.incident().tables["edges"]
OWNERS = {"payment": "team-pay", "card-db": "team-data", USER: "nobody"}
EVIL = dict(zip(("payment", "card-db", "checkout"), believable.HOSTILE[:3], strict=True))


def test_both_ends_of_an_edge_have_their_owner() -> None:
    """Known ones by name, unknown ones and users None."""
    made = rows("edges", EDGES, OWNERS)
    by_edge = {(row["downstream"], row["upstream"]): row for row in made}
    row = by_edge["payment", "card-db"]

    assert (row["downstream_owner"], row["upstream_owner"]) == ("team-pay", "team-data")
    assert by_edge["checkout", "payment"]["downstream_owner"] is None
    assert "nobody" not in {each["downstream_owner"] for each in made}


def test_without_owners_there_are_no_such_keys() -> None:
    """Other findings never have them: their rows name the owner themselves."""
    assert "upstream_owner" not in rows("edges", EDGES)[0]
    spikes = believable.incident().tables["spikes"]
    assert "upstream_owner" not in rows("spikes", spikes, OWNERS)[0]


@pytest.mark.parametrize("name", ["edges", "drift"])
def test_the_document_has_owners_of_edges(name: str) -> None:
    """With every row, also where nobody is known."""
    findings = believable.incident("batch") if name == "edges" else week.weekly()
    findings.owners = week.OWNERS | OWNERS
    made = json.loads(build(findings).json())[name]

    assert {"downstream_owner", "upstream_owner"} <= set(made[0])
    assert any(row["upstream_owner"] for row in made)


@pytest.mark.parametrize("name", ["edges", "drift"])
def test_downloads_of_tables_have_owners(name: str) -> None:
    """Columns that the page itself has no room for."""
    findings = believable.incident("batch") if name == "edges" else week.weekly()
    findings.owners = week.OWNERS | OWNERS
    (table,) = [
        block
        for section in build(findings).view.sections
        for block in section.blocks
        if isinstance(block, TableBlock) and block.id == f"{name}-table"
    ]
    place = [column.key for column in table.columns].index("upstream_owner")

    assert table.columns[place].is_extra
    assert {row[place] for row in table.rows} - {None}


def test_graphml_and_json_say_the_owner_of_a_node() -> None:
    """As an attribute; nodes without one have none."""
    root = ET.fromstring(graph(EDGES, "graphml", OWNERS))  # noqa: S314 - our own text
    owners = [data.text for data in root.iter() if data.get("key") == "owner"]
    nodes = {node["name"]: node for node in json.loads(graph(EDGES, "json", OWNERS))["nodes"]}

    assert sorted(filter(None, owners)) == ["team-data", "team-pay"]
    assert nodes["payment"]["owner"] == "team-pay"
    assert nodes["checkout"]["owner"] is None


def test_dot_says_it_when_pointed_at() -> None:
    """The label stays the name."""
    (line,) = [
        line for line in graph(EDGES, "dot", OWNERS).splitlines() if 'label="payment"' in line
    ]

    assert 'tooltip="owner team-pay"' in line


@pytest.mark.parametrize("form", GRAPH_FORMATS)
def test_hostile_owners_turn_nothing_round(form: str) -> None:
    """Direction marks and control signs are written out in every format."""
    assert not set(graph(EDGES, form, EVIL)) & set("\u202e\u2028\u0000")


def test_hostile_owners_run_nothing_elsewhere() -> None:
    """No formula in a spreadsheet, no end of a label, no element of XML."""
    written = list(csv.DictReader(io.StringIO(graph(EDGES, "csv", EVIL))))
    assert any(row["upstream_owner"].startswith("'=HYPERLINK") for row in written)
    assert not any(row["upstream_owner"].startswith("=") for row in written)
    for line in graph(EDGES, "dot", EVIL).splitlines():
        assert (line.count('"') - line.count('\\"')) % 2 == 0
    root = ET.fromstring(graph(EDGES, "graphml", EVIL))  # noqa: S314 - our own text
    assert EVIL["payment"] in [data.text for data in root.iter() if data.get("key") == "owner"]


def test_pointing_at_a_node_names_its_owner() -> None:
    """In the drawn graph and in what the page's script draws; as text, never as markup."""
    spec = network("g", "Graph", rows("edges", EDGES, {**EVIL, "catalog": "team-goods"}))
    assert isinstance(spec, FigureBlock)
    about = {
        point[0]: point[2] for trace in spec.spec["data"] for point in trace.get("customdata", [])
    }

    assert about["catalog"] == "<br>owner team-goods"
    assert about["orders"] == ""
    assert about["payment"].startswith("<br>owner &lt;/script&gt;&lt;img")
    assert spec.explore is not None
    known = {name: owner for name, _, _, owner in spec.explore["nodes"]}
    assert known["catalog"] == "team-goods"
    assert "\u202e" not in known["checkout"]


def test_a_page_of_hostile_owners_holds_no_markup_of_theirs() -> None:
    """Wherever an owner stands on it."""
    findings = believable.incident("batch")
    findings.owners = EVIL

    assert "<img src=x" not in build(findings).html()
