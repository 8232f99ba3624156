"""What the figures of the sections show, from findings to plotly."""

from __future__ import annotations

import polars as pl
import pytest

from tests.report import believable
from tests.report.pages import figure
from tests.report.shop import MS, table
from tracemap.model import FLOW, PATHS
from tracemap.report.figures.sankey import Stop
from tracemap.report.sections.flow import _closes_a_circle


def test_the_flow_figure_runs_in_milliseconds_to_the_user() -> None:
    """The stream that leaves the origin carries both operations' share."""
    (trace,) = figure(believable.incident(), "flow-figure").spec["data"]
    link = trace["link"]
    labels = trace["node"]["label"]
    from_origin = [
        value
        for source, value in zip(link["source"], link["value"], strict=True)
        if labels[source].startswith("card-db ")
    ]

    assert from_origin == [pytest.approx(251.8 + 84.5)]
    assert "card-db 336 ms" in labels
    assert any(label.startswith("payment: own time") for label in labels)


def test_ways_of_different_length_meet_at_one_database() -> None:
    """Two boxes of one name would look like two databases; a circle cannot be drawn."""
    made = believable.incident()
    hop = made.tables["paths"].row(2, named=True) | {"path_id": 30, "parent_path_id": 0}
    call = made.tables["paths"].row(3, named=True) | {"path_id": 31, "parent_path_id": 30}
    leaf = table(FLOW, [
        {"root_service": "checkout", "root_operation": "POST /checkout", "requests": 500,
         "path_id": 31, "parent_path_id": 30, "hops": 0, "leaf": "virtual", "share_ns": 90 * MS,
         "service": "checkout", "operation": "Charge", "upstream": "card-db",
         "origin": 1}])  # fmt: skip
    made.tables["paths"] = pl.concat(
        [made.tables["paths"], pl.DataFrame([hop, call], schema=PATHS.schema)]
    )
    made.tables["flow"] = pl.concat([made.tables["flow"], leaf])
    (trace,) = figure(made, "flow-figure").spec["data"]
    names = [label.rpartition(" ")[0].rpartition(" ")[0] for label in trace["node"]["label"]]

    assert names.count("card-db") == 1


def test_ways_in_opposite_order_stay_apart() -> None:
    """A to B for one operation, B to A for another: merged they would run in a circle."""
    a, b, c = (Stop(name, "hop") for name in "abc")

    assert _closes_a_circle([(a, b)], [(c, b), (b, a)])
    assert not _closes_a_circle([(a, b)], [(c, a), (a, b)])


def test_the_steps_lead_from_the_mean_before_to_the_mean_during() -> None:
    """620 ms, plus this, minus that, is 1,032 ms: nothing is left over."""
    made = figure(believable.incident(), "steps-figure")
    (trace,) = made.spec["data"]

    assert trace["measure"] == ["absolute", *["relative"] * (len(trace["x"]) - 2), "total"]
    assert trace["x"][0] == pytest.approx(180)
    assert sum(trace["x"]) == pytest.approx(180 + 276.4)
    assert trace["text"][1] == "+252 ms"
    assert made.table is not None
    assert made.table.rows[-1][2] == pytest.approx(180 + 276.4)


def test_the_critical_path_is_as_wide_as_all_requests() -> None:
    """Own times of all tiles add up to what a request takes on average."""
    made = figure(believable.incident(), "critical-path-figure")
    (trace,) = made.spec["data"]
    whole = (2_310 * (44 + 3 + 61 + 9 + 47 + 285) + 940 * 180) / (2_310 + 940)

    assert sum(trace["values"]) == pytest.approx(whole, rel=0.001)
    assert set(trace["parents"]) <= {"", *trace["ids"]}
    assert "card-db<br>SELECT cards" in {label.partition(" → ")[2] for label in trace["labels"]}


def test_the_timeline_shows_the_caller_that_is_on_the_way() -> None:
    """Another caller of the same operation may have risen more, and is another story."""
    made = believable.incident()
    other = made.tables["timeline"].filter(pl.col("service") == "payment")
    louder = other.with_columns(downstream=pl.lit("batch"), p95_ns=pl.col("p95_ns") * 5)
    mine = other.with_columns(downstream=pl.lit("checkout"))
    rest = made.tables["timeline"].filter(pl.col("service") != "payment")
    made.tables["timeline"] = pl.concat([rest, louder, mine])
    marks = [mark["text"] for mark in figure(made, "timeline-figure").spec["layout"]["annotations"]]

    assert any("payment" in mark and "as called by checkout" in mark for mark in marks)
    assert not any("batch" in mark for mark in marks)
