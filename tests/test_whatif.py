"""The replay of a known change against a system that was really changed."""

from __future__ import annotations

import polars as pl
import pytest

from tests.analyze.simulated import bucket
from tracemap import analyze, derive, simulate
from tracemap.model import Cells, Change, Window
from tracemap.model.histogram import percentiles
from tracemap.simulate import Fault

EVER = Cells(windows=(Window(0, 1 << 62),))
NOTHING = Change("nobody")
LEAST_CALLS = 200
WITHIN = 0.10


def whatif(change: Change, *faults: Fault, seed: int = 1) -> pl.DataFrame:
    """Return the finding for six minutes of the shop with `faults`, with `change` replayed."""
    spans = bucket(simulate.run(simulate.shop(), minutes=6, seed=seed, faults=faults))
    hardness = analyze.hardness(derive.hardness_facts(spans, EVER))
    return analyze.whatif(derive.whatif_facts(spans, EVER, change, hardness))


def measured(*faults: Fault, seed: int = 1) -> pl.DataFrame:
    """Return mean, percentiles and error rate of every operation of the shop with `faults`."""
    spans = bucket(simulate.run(simulate.shop(), minutes=6, seed=seed, faults=faults))
    facts = derive.whatif_facts(spans, EVER, NOTHING, analyze.hardness(_no_facts()))
    before = facts.filter(measure="before")
    sums = before.group_by("service", "operation").agg(
        mean_ns=pl.col("sum_ns").sum() / pl.col("count").sum(),
        error_rate=pl.col("errors").sum() / pl.col("count").sum(),
    )
    return sums.join(percentiles(before, by=["service", "operation"]), on=["service", "operation"])


def _no_facts() -> pl.DataFrame:
    return derive.hardness_facts(bucket(simulate.run(simulate.shop(), minutes=0.05, seed=1)), EVER)


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        (simulate.Slower(service="pricing", factor=20.0), Change("pricing", scale=20.0)),
        (simulate.Slower(service="catalog", factor=0.3), Change("catalog", scale=0.3)),
        (
            simulate.Slower(service="recommendation", factor=12.0),
            Change("recommendation", scale=12.0),
        ),
        (
            simulate.Slower(service="postgresql catalog", factor=10.0),
            Change("postgresql catalog", scale=10.0),
        ),
    ],
    ids=["slower service", "faster service", "slower in parallel", "slower database"],
)
def test_replay_of_a_change_matches_the_change(fault: Fault, change: Change) -> None:
    """Change of the mean, and p50, p95 and p99 of everybody downstream: within a tenth."""
    rows = whatif(change).join(
        measured(fault), left_on=["downstream", "operation"], right_on=["service", "operation"]
    )

    assert rows.height >= 2
    for row in rows.filter(pl.col("calls") >= LEAST_CALLS).iter_rows(named=True):
        rise = row["mean_ns"] - row["before_mean_ns"]
        assert row["after_mean_ns"] - row["before_mean_ns"] == pytest.approx(rise, rel=WITHIN)
        for name in ("p50_ns", "p95_ns", "p99_ns"):
            assert row[f"after_{name}"] == pytest.approx(row[name], rel=WITHIN)


def test_replayed_failures_match_failures() -> None:
    """Pricing fails in a fifth of its calls: checkouts fail as often as they then do."""
    seen = simulate.Failing(service="pricing", ratio=0.1)  # so that its hardness is known
    wanted = measured(simulate.Failing(service="pricing", ratio=0.3)).filter(service="checkout")
    rows = whatif(Change("pricing", fail_share=2 / 9), seen).filter(downstream="checkout")

    assert not rows["assumed"][0]
    assert rows["after_error_rate"][0] == pytest.approx(wanted["error_rate"][0], abs=0.04)


def test_cached_calls_save_what_they_took() -> None:
    """Four of five calls answered by a cache: as much saved as when they are not made."""
    fault = simulate.ColdCache(
        downstream="catalog", upstream="postgresql catalog", probability=0.07,
        downstream_operation="shop.Catalog/GetProduct",
    )  # fmt: skip
    catalog = {"downstream": "catalog", "operation": "shop.Catalog/GetProduct"}
    row = whatif(Change("postgresql catalog", cache_share=0.8)).filter(**catalog)
    wanted = measured(fault).filter(service="catalog", operation="shop.Catalog/GetProduct")

    assert row["after_mean_ns"][0] == pytest.approx(wanted["mean_ns"][0], rel=WITHIN)
