"""The sample traces against the truth that stands beside them, from file to finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tracemap import pipeline, recipe, report
from tracemap.intake import take_in
from tracemap.model import USER, Findings, from_iso
from tracemap.pipeline.windows import Bounds, Request
from tracemap.store import Store

SAMPLES = Path(__file__).parents[1] / "sample_traces"
TRUTH = json.loads((SAMPLES / "shop-hour.truth.json").read_text())
SLOW_DATABASE, HIDDEN_SHIPPING = TRUTH["faults"]
SITUATIONS = sorted(path.name.split(".")[0] for path in SAMPLES.glob("situations/*.jsonl.gz"))
HOP = ["downstream", "downstream_operation", "upstream", "upstream_operation"]


def _ingested(path: Path, *inputs: str) -> Path:
    with Store.open(path, create=True) as store:
        for taken in take_in(store, [str(SAMPLES / name) for name in inputs]):
            assert taken.error is None
        pipeline.bring_up_to_date(store)
    return path


def _postmortem(path: Path, fault: dict[str, Any], start: str, end: str) -> Findings:
    request = Request(
        window=Bounds(from_iso(fault["window"]["start"]), from_iso(fault["window"]["end"])),
        baseline=Bounds(from_iso(start), from_iso(end)),
    )
    with Store.open(path, read_only=True) as store:
        return pipeline.run(recipe.load("postmortem"), store, request=request)


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _ingested(tmp_path_factory.mktemp("truth") / "hour.duckdb", "shop-hour")


@pytest.fixture(scope="module")
def slow_database(hour: Path) -> Findings:
    return _postmortem(hour, SLOW_DATABASE, "2026-03-03T09:00:00Z", "2026-03-03T09:20:00Z")


@pytest.fixture(scope="module")
def hidden_shipping(hour: Path) -> Findings:
    return _postmortem(hour, HIDDEN_SHIPPING, "2026-03-03T09:28:00Z", "2026-03-03T09:40:00Z")


def test_the_slow_database_is_the_only_origin(slow_database: Findings) -> None:
    """Named with the milliseconds it added to the mean user request, within 5 %."""
    (origin,) = slow_database.tables["origins"].to_dicts()
    felt = SLOW_DATABASE["user_visible"]
    truth_ms = sum(row["total_ms"] for row in felt) / sum(row["requests"] for row in felt)

    assert (origin["service"], origin["cause"]) == (SLOW_DATABASE["service"], "self")
    assert origin["excess_ns"] / 1e6 == pytest.approx(truth_ms, rel=0.05)


@pytest.mark.parametrize("hop", SLOW_DATABASE["hops"], ids=lambda hop: hop["downstream_operation"])
def test_every_hop_of_the_slow_database_propagates(
    slow_database: Findings, hop: dict[str, Any]
) -> None:
    """What was offered and what arrived, within 5 % of the truth."""
    rows = slow_database.tables["propagation"]
    (row,) = rows.filter(*(pl.col(name) == hop[name] for name in HOP)).to_dicts()

    assert row["verdict"] == hop["verdict"] == "propagated"
    assert row["offered_ns"] / 1e6 == pytest.approx(hop["offered_ms"], rel=0.05)
    assert row["arrived_ns"] / 1e6 == pytest.approx(hop["arrived_ms"], rel=0.05)
    assert row["calls"] == hop["calls"]


def test_the_flow_reaches_users_over_the_true_number_of_hops(slow_database: Findings) -> None:
    """The longest way is database, catalog, search, storefront: three calls."""
    flow = slow_database.tables["flow"].filter(pl.col("leaf") == "virtual")
    largest = flow.sort("share_ns").row(-1, named=True)

    assert largest["upstream"] == SLOW_DATABASE["service"]
    # The last call reaches the database itself: one hop more than entries below the root.
    assert largest["hops"] + 1 == max(hop["hop"] for hop in SLOW_DATABASE["hops"])


def test_flow_leaves_add_up_to_the_change_of_each_root(slow_database: Findings) -> None:
    """In whole nanoseconds."""
    flow = slow_database.tables["flow"]
    root = ["root_service", "root_operation"]
    inner = flow.filter((pl.col("parent_path_id") == 0) & (pl.col("leaf") == ""))
    leaves = flow.filter(pl.col("leaf") != "").group_by(root).agg(pl.col("share_ns").sum())
    compared = inner.select(*root, change="share_ns").join(leaves, on=root)

    assert compared["change"].to_list() == compared["share_ns"].to_list()


def test_the_hidden_spike_is_absorbed_by_parallel_slack(hidden_shipping: Findings) -> None:
    """Shipping took longer, behind a payment that took longer still: nobody is named."""
    rows = hidden_shipping.tables["propagation"].filter(pl.col("upstream") == "shipping")
    (row,) = rows.to_dicts()
    truth = HIDDEN_SHIPPING["hops"][0]

    assert (row["verdict"], row["mechanism"]) == ("absorbed", "parallel slack")
    assert row["offered_ns"] / 1e6 == pytest.approx(truth["offered_ms"], rel=0.05)
    assert hidden_shipping.tables["origins"].is_empty()


def test_spikes_are_those_of_the_truth(hour: Path) -> None:
    """Nothing spikes outside the two faults, and each fault's own unit does."""
    with Store.open(hour, read_only=True) as store:
        spikes = pipeline.run(recipe.load("batch"), store).tables["spikes"]
    windows = [fault["window"] for fault in TRUTH["faults"]]
    times = {(from_iso(window["start"]), from_iso(window["end"])) for window in windows}

    assert set(spikes.select("start_ns", "end_ns").iter_rows()) == times
    assert {fault["service"] for fault in TRUTH["faults"]} <= set(spikes["service"])


def test_a_window_against_itself_has_nothing_to_report(hour: Path) -> None:
    """The same minutes as incident and as baseline."""
    window = SLOW_DATABASE["window"]
    findings = _postmortem(hour, SLOW_DATABASE, window["start"], window["end"])

    assert findings.tables["origins"].is_empty()
    assert findings.tables["flow"].filter(pl.col("leaf") != "").is_empty()


def test_a_quiet_hour_is_called_quiet(tmp_path: Path) -> None:
    """No spike, no origin, and a headline that says so."""
    path = _ingested(tmp_path / "quiet.duckdb", "shop-quiet-hour")
    with Store.open(path, read_only=True) as store:
        findings = pipeline.run(recipe.load("batch"), store)

    assert findings.verdict == "quiet"
    assert findings.tables["spikes"].is_empty()
    assert findings.tables["origins"].is_empty()
    assert "othing" in report.build(findings).headline


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_situation_has_its_spans_and_edges(tmp_path: Path, name: str) -> None:
    """Skewed clocks, lost spans, copies and missing kinds change no count."""
    truth = json.loads((SAMPLES / f"situations/{name}.truth.json").read_text())
    path = _ingested(tmp_path / "situation.duckdb", f"situations/{name}.jsonl.gz")
    with Store.open(path, read_only=True) as store:
        ledger = store.ledger()
        edges = pipeline.run(recipe.single("edges"), store).tables["edges"]
    wanted = {
        (edge["downstream"], edge["upstream"], edge["connection_type"]): edge["calls"]
        for edge in truth["edges"]
        if edge["downstream"] != USER
    }
    found = {
        (row["downstream"], row["upstream"], row["connection_type"]): row["calls"]
        for row in edges.filter(pl.col("connection_type") != "link").to_dicts()
    }

    assert (ledger.spans, ledger.traces) == (truth["spans"], truth["traces"])
    assert found == wanted
