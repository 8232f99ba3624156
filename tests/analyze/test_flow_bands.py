"""Percentiles of a root operation taken apart: exact for the band, honest about the rest."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyze.simulated import Case, bucket, case
from tracemap import analyze, derive, simulate
from tracemap.analyze import Thresholds
from tracemap.model import (
    BAND_LIMITS,
    FLOW_BANDS,
    ROOT_DURATIONS,
    Cells,
    TraceBucket,
    Window,
)

PRODUCT = ("storefront", "GET /products/{id}")
BEFORE, DURING = Window(0, 100), Window(100, 200)


def limits(case: Case, spans: TraceBucket, thresholds: Thresholds | None = None) -> pl.DataFrame:
    """The bands of the product page."""
    cells = Cells(windows=(case.incident, case.baseline))
    roots = pl.DataFrame([PRODUCT], schema=["service", "operation"], orient="row")
    durations = derive.root_durations(spans, cells, roots)
    return analyze.band_limits(durations, case.incident, case.baseline, thresholds)


def bands(case: Case, spans: TraceBucket, found: pl.DataFrame) -> pl.DataFrame:
    """The finding for those bands."""
    cells = Cells(windows=(case.incident, case.baseline))
    facts = derive.band_facts(spans, cells, found)
    return analyze.flow_bands(facts, found, case.facts["paths"], case.incident, case.baseline)


@pytest.fixture(scope="module")
def slow_instance() -> tuple[Case, TraceBucket]:
    """One of three instances of catalog takes 150 ms longer: a third of the product pages."""
    fault = simulate.Slower(service="catalog", instance=1, add_ms=150)
    made = case(simulate.shop(), fault, load=2.0)
    return made, bucket(made.run)


@pytest.fixture(scope="module")
def found(slow_instance: tuple[Case, TraceBucket]) -> pl.DataFrame:
    return bands(*slow_instance, limits(*slow_instance))


def test_the_tail_is_slower_by_the_instance_and_the_median_is_not(found: pl.DataFrame) -> None:
    """The mean rose by a third of the fault; p95 by all of it, and catalog's own time is why."""
    assert found["band"].unique().sort().to_list() == ["p50", "p95"]
    tail = found.filter(band="p95")
    (own,) = tail.filter(service="catalog", leaf="self")["share_ns"].to_list()

    assert found.filter(band="p50")["band_change_ns"][0] < 30e6
    assert tail["quantile_change_ns"][0] > 120e6
    assert own == pytest.approx(tail["band_change_ns"][0], rel=0.1)


def test_leaves_add_up_to_the_change_of_the_band(
    slow_instance: tuple[Case, TraceBucket], found: pl.DataFrame
) -> None:
    """In whole nanoseconds, against the means of the requests themselves; the rest is smoothing."""
    case, spans = slow_instance
    edges = limits(case, spans)
    cells = Cells(windows=(case.baseline, case.incident))
    roots = pl.DataFrame([PRODUCT], schema=["service", "operation"], orient="row")
    durations = derive.root_durations(spans, cells, roots)
    for (band,), leaves in found.group_by("band"):
        inside = edges.filter(band=band).join(durations, on=["window_start_ns"])
        inside = inside.filter(pl.col("duration_ns").is_between("low_ns", "high_ns"))
        rows = inside.group_by("window_start_ns").agg(
            pl.len(), mean=pl.col("duration_ns").mean(), quantile=pl.col("quantile_ns").first()
        )
        before, during = rows.sort("window_start_ns").rows(named=True)
        told = leaves.row(0, named=True)

        assert (told["baseline_requests"], told["requests"]) == (before["len"], during["len"])
        assert min(before["len"], during["len"]) >= Thresholds().min_band_requests
        assert leaves["share_ns"].sum() == told["band_change_ns"]
        assert abs(told["band_change_ns"] - (during["mean"] - before["mean"])) <= 1
        assert told["quantile_change_ns"] == during["quantile"] - before["quantile"]
        assert told["smoothing_ns"] == told["band_change_ns"] - told["quantile_change_ns"]


def test_halves_of_the_traces_add_up(
    slow_instance: tuple[Case, TraceBucket], found: pl.DataFrame
) -> None:
    """So a band is the same however the spans are cut into buckets."""
    case, spans = slow_instance
    edges = limits(case, spans)
    cells = Cells(windows=(case.incident, case.baseline))
    even = pl.col("trace_low") % 2 == 0
    facts = pl.concat(
        derive.band_facts(
            TraceBucket(spans.spans.filter(half), spans.operations, spans.resources), cells, edges
        )
        for half in (even, ~even)
    )
    windows = case.incident, case.baseline

    assert analyze.flow_bands(facts, edges, case.facts["paths"], *windows).equals(found)


def test_a_quiet_shop_has_no_slower_tail() -> None:
    """What is told of p95 of a quiet shop is noise, of the size of noise."""
    quiet = case(simulate.shop(), load=2.0)
    spans = bucket(quiet.run)
    found = bands(quiet, spans, limits(quiet, spans))

    assert not found.is_empty()
    assert (found["share_ns"].abs() < 10_000_000).all()


def test_thin_data_give_nothing(slow_instance: tuple[Case, TraceBucket]) -> None:
    """No limits, and no rows of the right form."""
    many = Thresholds(min_band_requests=100_000)
    none = limits(*slow_instance, many)

    assert none.is_empty()
    assert bands(*slow_instance, none).equals(FLOW_BANDS.empty())


def test_overlapping_windows_have_no_bands() -> None:
    """A request of both windows could lie in a band of one and not of the other."""
    durations = pl.DataFrame(
        [(start, "web", "GET /", ms) for start in (0, 50) for ms in range(5000)],
        schema=ROOT_DURATIONS.schema,
        orient="row",
    )

    assert analyze.band_limits(durations, Window(50, 150), BEFORE).is_empty()


@settings(max_examples=50)
@given(before=st.integers(0, 15_000), during=st.integers(0, 15_000))
def test_a_band_holds_enough_requests_and_its_percentile(before: int, during: int) -> None:
    """Whatever their number, on both sides, and symmetric: or there is no band."""
    rows = [
        pl.DataFrame({"duration_ns": pl.int_range(count, eager=True)}).with_columns(
            window_start_ns=window.start_ns, service=pl.lit("web"), operation=pl.lit("GET /")
        )
        for count, window in ((before, BEFORE), (during, DURING))
    ]
    durations = pl.concat(ROOT_DURATIONS.conform(each) for each in rows)
    found = analyze.band_limits(durations, DURING, BEFORE)

    assert found.schema == BAND_LIMITS.schema
    assert ("p99" in found["band"]) == (min(before, during) >= 2000)
    assert ("p95" in found["band"]) == (min(before, during) >= 400)
    assert ("p50" in found["band"]) == (min(before, during) >= 200)
    assert (found["high_ns"] - found["low_ns"] + 1 >= 40).all()
    assert found["quantile_ns"].is_between(found["low_ns"], found["high_ns"]).all()


def test_the_roots_that_cost_most_are_looked_at(
    slow_instance: tuple[Case, TraceBucket],
) -> None:
    """Change times requests, at most three."""
    case, _ = slow_instance
    windows = case.incident, case.baseline
    roots = analyze.changed_roots(
        analyze.flow(case.facts["path_facts"], case.facts["paths"], *windows)
    )

    assert roots.height == 3
    assert roots.row(0) == PRODUCT
