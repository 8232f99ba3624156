"""Traces that show a finding show that finding: looked up in the spans of a sample with a fault."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tracemap import pipeline, recipe
from tracemap.intake import silent
from tracemap.model import EDGES, Cells, Findings, Window
from tracemap.pipeline import exemplars, questions
from tracemap.pipeline.windows import Bounds, Request
from tracemap.store import Store

SAMPLE = Path(__file__).parents[2] / "sample_traces" / "shop-hour"
MILLISECOND_NS = 1_000_000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of the shop with a database that got slow."""
    path = tmp_path_factory.mktemp("showing") / "shop.duckdb"
    with Store.open(path, create=True) as store:
        pipeline.run(recipe.single("edges"), store, [str(SAMPLE)])
    return path


def found(database: Path, name: str, request: Request | None = None) -> Findings:
    """One finding of it."""
    with Store.open(database, read_only=True) as store:
        return pipeline.run(recipe.single(name), store, (), request)


def longest_call_ms(database: Path, trace: str, service: str, peer: str) -> float:
    """The longest call of a service to a peer in one trace."""
    with Store.open(database, read_only=True) as store:
        spans = questions.waterfall(store, trace)
    calls = spans.filter(pl.col("service").eq(service) & pl.col("kind").eq("CLIENT"))
    named = calls.filter(pl.col("operation").str.contains(peer))
    return float(named["duration_ns"].max() or 0) / MILLISECOND_NS  # type: ignore[arg-type]


def test_an_origin_is_shown_by_its_own_slow_calls_beside_typical_ones(shop: Path) -> None:
    """Each of the three holds a call to the database that is slow; before it took a tenth."""
    origin = found(shop, "origins").tables["origins"].row(0, named=True)
    assert origin["service"] == "postgresql catalog"
    slow, usual = (
        [longest_call_ms(shop, trace, "catalog", "SELECT products") for trace in origin[name]]
        for name in ("exemplars", "typical_exemplars")
    )

    assert len(slow) == len(usual) == 3
    assert min(slow) > 60
    assert max(usual) < 10


def test_an_edge_is_shown_by_its_slowest_and_a_typical_trace(shop: Path) -> None:
    """What they hold are the slowest call and the median of the table."""
    edges = found(shop, "edges").tables["edges"]
    edge = edges.filter(downstream="catalog", upstream="postgresql catalog").row(0, named=True)
    slow, typical = (
        longest_call_ms(shop, edge[name], "catalog", "SELECT products")
        for name in ("slow_trace", "typical_trace")
    )

    assert slow == pytest.approx(edge["max_ns"] / MILLISECOND_NS, rel=0.012)
    assert typical == pytest.approx(edge["p50_ns"] / MILLISECOND_NS, rel=0.012)
    assert edge["p50_ns"] <= edge["p90_ns"] <= edge["p95_ns"] <= edge["max_ns"]


def test_every_edge_is_shown(shop: Path) -> None:
    """Also those that records on one side make; messages wait in queues, and have no latency."""
    edges = found(shop, "edges").tables["edges"].drop_nulls("p50_ns")

    assert edges["slow_trace"].null_count() == 0
    assert edges["typical_trace"].null_count() == 0


def test_with_room_for_fewer_spans_edges_with_few_calls_go_without(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long window costs no more than a short one."""
    monkeypatch.setattr(exemplars, "MOST_SPANS", 20_000)
    edges = found(shop, "edges").tables["edges"].sort("calls", descending=True)

    assert edges["slow_trace"][0] is not None
    assert edges["slow_trace"][-1] is None


def test_edges_past_proxies_are_not_looked_up(shop: Path) -> None:
    """The stored facts that say where to look have the proxies."""
    request = Request(window=Bounds(), collapse_proxies=True)

    assert found(shop, "edges", request).tables["edges"]["slow_trace"].null_count() > 0


def test_nothing_is_read_for_no_edges(shop: Path) -> None:
    """An empty table comes back as it was."""
    with Store.open(shop, read_only=True) as store:
        covered = store.covered()
        assert covered is not None
        cells = Cells(windows=(Window(covered.start_ns, covered.end_ns),))
        shown = exemplars.of_edges(store, cells, EDGES.empty(), progress=silent)

    assert shown.equals(EDGES.empty())
