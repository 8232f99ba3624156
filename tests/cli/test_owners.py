"""`--catalog` at the verbs that print edges, origins and the graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tracemap


@pytest.fixture
def owners(tmp_path: Path) -> Path:
    path = tmp_path / "owners.yaml"
    path.write_text('owners:\n  "*": platform\n  catalog: team-goods\n  postgresql*: team-data\n')
    return path


def test_edges_say_who_owns_both_ends(
    tracemap: Tracemap, sample_database: Path, owners: Path
) -> None:
    """The pattern that fits last wins, also for upstreams that recorded nothing themselves."""
    asked = ("edges", "--db", sample_database, "--catalog", owners)
    made = {
        (row["downstream"], row["upstream"]): (row["downstream_owner"], row["upstream_owner"])
        for row in json.loads(tracemap(*asked, "--format", "json").out)
    }

    assert made["catalog", "postgresql catalog"] == ("team-goods", "team-data")
    assert {owner for _, owner in made.values()} == {"platform", "team-goods", "team-data"}
    assert "upstream_owner" in tracemap(*asked).out


def test_origins_say_who_owns_them(tracemap: Tracemap, sample_database: Path, owners: Path) -> None:
    """The catalog goes before what spans say."""
    answer = tracemap("origins", "--db", sample_database, "--catalog", owners, "--format", "json")

    assert json.loads(answer.out)[0]["owner"] == "team-data"


def test_the_graph_says_who_owns_nodes(
    tracemap: Tracemap, sample_database: Path, owners: Path
) -> None:
    """Users are nobody's, whatever a pattern says."""
    answer = tracemap("graph", "--db", sample_database, "--catalog", owners, "--format", "json")
    nodes = {node["name"]: node["owner"] for node in json.loads(answer.out)["nodes"]}

    assert nodes["catalog"] == "team-goods"
    assert nodes.get("user") is None


def test_drift_says_who_owns_both_ends(
    tracemap: Tracemap, sample_database: Path, owners: Path
) -> None:
    """Between two windows given as arguments as well."""
    halves = ("2026-03-03T09:00..2026-03-03T09:30", "2026-03-03T09:30..2026-03-03T10:00")
    answer = tracemap(
        "drift", *halves, "--db", sample_database, "--catalog", owners, "--format", "json"
    )
    made = {(row["downstream"], row["upstream"]): row for row in json.loads(answer.out)}

    assert made["catalog", "postgresql catalog"]["upstream_owner"] == "team-data"


@pytest.mark.parametrize("verb", ["edges", "origins", "graph", "drift"])
def test_a_catalog_that_is_not_there_is_exit_3(
    tracemap: Tracemap, sample_database: Path, verb: str
) -> None:
    """Named, before anything is computed."""
    answer = tracemap(verb, "--db", sample_database, "--catalog", "nothing.yaml")

    assert answer.code == 3
    assert "nothing.yaml" in answer.err
