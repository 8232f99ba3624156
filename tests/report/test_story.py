from __future__ import annotations

import polars as pl
import pytest

from tests.report import believable
from tracemap.report.story import Story


def test_the_operation_that_lost_most_time_comes_first() -> None:
    """Change times requests, not change alone."""
    roots = Story(believable.incident()).roots

    assert [root.operation for root in roots] == ["POST /buy", "GET /cart"]


def test_leaves_add_up_to_the_change() -> None:
    """Inner rows of the flow are not counted twice."""
    root = Story(believable.incident()).roots[0]

    assert root.change_ms == pytest.approx(276.4)
    assert root.own_ms == pytest.approx(8.1)
    assert root.unexplained_ms == pytest.approx(-1.9)


def test_the_way_runs_from_upstream_to_the_user() -> None:
    """Each service once, although every hop is two steps."""
    story = Story(believable.incident())
    (leaf,) = story.roots[0].from_origin(story.origins[0])

    assert leaf.services == ["card-db", "payment", "checkout", "storefront"]


def test_an_origin_on_an_edge_takes_only_that_edges_gap() -> None:
    """The wire between checkout and payment is not payment's own time."""
    story = Story(believable.incident())
    (leaf,) = story.roots[0].from_origin(story.origins[1])

    assert (leaf.row["leaf"], leaf.share_ms) == ("gap", 7.9)


def test_without_paths_a_leaf_still_names_its_ends() -> None:
    """Paths are optional; the sentence gets shorter, not wrong."""
    findings = believable.incident()
    findings.tables.pop("paths")
    story = Story(findings)
    (leaf,) = story.roots[0].from_origin(story.origins[0])

    assert leaf.services == ["card-db", "payment", "storefront"]


def test_paths_that_run_in_a_circle_end() -> None:
    """A hash collision may not hang a report."""
    findings = believable.incident()
    findings.tables["paths"] = findings.tables["paths"].with_columns(
        parent_path_id=pl.when(pl.col("path_id") == 1).then(6).otherwise("parent_path_id")
    )

    assert Story(findings).roots


def test_what_was_absorbed_most_comes_first() -> None:
    """Only edges whose verdict says so count: rounding on others is not absorption."""
    assert [row["upstream"] for row in Story(believable.incident()).absorbed] == [
        "recommendations",
        "inventory",
    ]
