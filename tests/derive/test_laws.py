"""What must hold for every trace: sums are exact, facts add up, clocks do not matter."""

from __future__ import annotations

import random
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import Row
from tests.derive.growing import Grown, many_traces, traces
from tests.derive.traces import HOURLY, at, bucket, facts_of, reasons
from tracemap import derive
from tracemap.derive.quality import DISPOSITIONS, MARKS, ODDITIES
from tracemap.model import FACTS, SECOND_NS, SKEW_FACTS, Facts, TraceBucket

LAW = settings(deadline=None, max_examples=40)
CLOCKWISE = ("clock_skew", "wait_negative", "trace_id_reuse")
"""Reasons that compare clocks of two hosts."""


@LAW
@given(traces(most=25))
def test_critical_times_sum_to_the_duration_of_the_root(grown: Grown) -> None:
    """To the nanosecond, and no span has a negative share."""
    rows = derive.waterfall(bucket(*grown.spans))

    assert rows["critical_ns"].sum() == grown.root_ns
    assert rows.filter((pl.col("critical_ns") < 0) | (pl.col("self_ns") < 0)).is_empty()


@LAW
@given(many_traces())
def test_every_step_is_its_own_time_and_the_steps_below(grown: list[Grown]) -> None:
    """For entries and calls alike: duration = self + on-path time of the steps below."""
    facts = facts_of(*_spans(grown))
    sums = facts["path_facts"].drop("window_start_ns", "hash_bucket").group_by("path_id").sum()
    below = (
        sums.join(facts["paths"], on="path_id")
        .group_by(path_id="parent_path_id")
        .agg(below_ns=pl.col("on_parent_ns").sum())
    )
    joined = sums.join(below, on="path_id", how="left").with_columns(
        left=pl.col("duration_ns") - pl.col("self_ns") - pl.col("below_ns").fill_null(0)
    )

    assert joined["left"].to_list() == [0] * sums.height
    assert facts["path_facts"]["critical_ns"].sum() == sum(each.root_ns for each in grown)


@LAW
@given(many_traces())
def test_edges_are_the_calls_that_made_the_traces(grown: list[Grown]) -> None:
    """The traces are grown from known calls, so those calls are the oracle."""
    facts = facts_of(*_spans(grown))
    rows = facts["edge_facts"].select("downstream", "upstream", "evidence", "calls").rows()
    found: Counter[tuple[str, str, str]] = Counter()
    for downstream, upstream, evidence, calls in rows:
        found[downstream, upstream, evidence] += calls

    assert found == sum((each.edges for each in grown), Counter())


@LAW
@given(many_traces())
def test_every_span_has_one_place(grown: list[Grown]) -> None:
    """Spans in edges and spans with a reason for none are all the spans."""
    spans = _spans(grown)
    counted = reasons(facts_of(*spans))

    assert set(counted) <= {*DISPOSITIONS, *ODDITIES, *MARKS.values()}
    assert sum(counted.get(reason, 0) for reason in DISPOSITIONS) == len(spans)


@LAW
@given(many_traces(), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(grown: list[Grown], order: random.Random) -> None:
    """Nor does the number an operation or resource happens to have."""
    spans = _spans(grown)
    shuffled = order.sample(spans, len(spans))

    _assert_equal(facts_of(*spans), facts_of(*shuffled))


@LAW
@given(many_traces())
def test_facts_of_the_parts_add_up_to_the_whole(grown: list[Grown]) -> None:
    """Trace by trace or all at once; which traces are typical needs all of them."""
    whole = bucket(*_spans(grown))
    parts = [
        TraceBucket(
            whole.spans.filter(pl.col("trace_low") == number + 1),
            whole.operations,
            whole.resources,
        )
        for number in range(len(grown))
    ]
    summed = derive.merge(Facts.concatenate(derive.facts(part, HOURLY) for part in parts))
    facts = derive.facts(whole, HOURLY)

    _assert_equal(summed, facts, but=("exemplars",))
    worst = [each["exemplars"].filter(role="worst") for each in (summed, facts)]
    assert worst[0].equals(worst[1])


@LAW
@given(many_traces(), st.sampled_from("ABCDE"), st.sampled_from([-SECOND_NS, SECOND_NS]))
def test_wrong_clock_of_one_host_changes_no_duration(
    grown: list[Grown], service: str, skew_ns: int
) -> None:
    """A constant error cancels: only what compares clocks of two hosts may move."""
    spans = _spans(grown)
    skewed = [
        row | {"start_ns": row["start_ns"] + skew_ns * (row["service_name"] == service)}
        for row in spans
    ]

    _assert_equal(_without_clocks(facts_of(*spans)), _without_clocks(facts_of(*skewed)))


def test_no_spans_make_empty_facts() -> None:
    """Every table is there, with its columns."""
    facts = facts_of()

    for name, table in FACTS.items():
        assert facts[name].is_empty()
        assert facts[name].schema == table.schema
    assert derive.waterfall(bucket()).is_empty()


@pytest.mark.parametrize("name", FACTS)
def test_facts_conform_to_the_model(name: str) -> None:
    """Columns, order and types are those of the model, rows come by key, one a key."""
    facts = facts_of(at("A.S", 1), at("A.C", 2, 1, (10, 90)), at("B.S", 3, 2, (20, 80)))
    table = FACTS[name]

    assert facts[name].schema == table.schema
    if table.key:
        assert facts[name].select(table.key).is_duplicated().sum() == 0
        assert facts[name].equals(facts[name].sort(table.key))


def _spans(grown: list[Grown]) -> list[Row]:
    return [row for each in grown for row in each.spans]


def _without_clocks(facts: Facts) -> Facts:
    return Facts(
        facts.tables
        | {
            "edge_facts": facts["edge_facts"].drop("first_ns", "last_ns"),
            "latency_facts": facts["latency_facts"].filter(pl.col("unit") != "wait"),
            "skew_facts": SKEW_FACTS.empty(),
            "version_facts": facts["version_facts"].drop("first_ns", "last_ns"),
            "quality_facts": facts["quality_facts"].filter(~pl.col("reason").is_in(CLOCKWISE)),
        }
    )


def _assert_equal(one: Facts, other: Facts, but: tuple[str, ...] = ()) -> None:
    for name in FACTS:
        if name not in but:
            assert one[name].rows() == other[name].rows(), name
