"""Calls side by side that got slower together: each has its part of what users waited longer."""

from __future__ import annotations

import polars as pl
import pytest

from bench.accuracy.grid import fault_case
from tests.analyze.simulated import case
from tracemap import analyze
from tracemap.simulate import Call, Entry, Operation, Service, Shop, Slower, Stage

ALIKE = ("stock", "price")


def _shop() -> Shop:
    """Return a front door that calls two equal services and a faster one at the same time."""
    names = (*ALIKE, "ads")
    calls = Stage(tuple(Call(name, f"GET /{name}") for name in names))
    operations = [Operation(name, f"GET /{name}", 20.0 if name in ALIKE else 2.0) for name in names]
    return Shop.of(
        "three",
        services=(Service("web", protocol="http"), *(Service(name) for name in names)),
        operations=(Operation("web", "GET /", 5.0, stages=(calls,)), *operations),
        entries=(Entry("web", "GET /", 200),),
    )


def test_siblings_that_changed_alike_are_charged_alike_and_others_nothing() -> None:
    """By tiling alone the one that ends last would have all; flow and origins agree."""
    both = case(_shop(), *(Slower(service=name, add_ms=100) for name in ALIKE))
    windows = both.incident, both.baseline
    rows = analyze.flow(
        both.facts["path_facts"], both.facts["paths"], *windows,
        parallel_facts=both.facts["parallel_facts"],
    )  # fmt: skip
    leaves = rows.filter(pl.col("leaf") == "self").group_by("service").agg(pl.col("share_ns").sum())
    share = dict(leaves.rows())
    named = dict(both.origins().select("service", "excess_ns").rows())

    assert share["stock"] == pytest.approx(share["price"], rel=0.1)
    assert abs(share.get("ads", 0)) < 0.02 * share["stock"]
    assert named["stock"] == pytest.approx(named["price"], rel=0.1)
    assert set(named) == set(ALIKE)
    root = rows.filter((pl.col("hops") == 0) & (pl.col("leaf") == ""))["share_ns"][0]
    assert rows.filter(pl.col("leaf") != "")["share_ns"].sum() == root


def test_two_faults_have_the_milliseconds_that_each_adds() -> None:
    """Of a slow database and a slow service, partly side by side: the mean of both orders."""
    found = fault_case("two faults", 1008)
    assert found is not None
    rows = analyze.origins(found.facts, found.incident, found.baseline)
    named = dict(rows.select("service", pl.col("excess_ns") / 1e6).rows())

    for culprit in found.culprits:
        assert named[culprit.service] == pytest.approx(culprit.excess_ms, rel=0.1)


def test_what_fails_early_saves_time() -> None:
    """A slow service fails half of the calls: requests end early, and that counts for it, too."""
    found = fault_case("policies", 1007)
    assert found is not None
    rows = analyze.origins(found.facts, found.incident, found.baseline).to_dicts()

    assert rows[0]["service"] == found.culprits[0].service
    assert rows[0]["excess_ns"] / 1e6 == pytest.approx(found.culprits[0].excess_ms, rel=0.1)
    assert "end early" in rows[0]["evidence"]
