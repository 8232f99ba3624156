from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulate.small import call, milliseconds, node, play, system
from tracemap.model import Kind
from tracemap.simulate import random_shop, run, shop
from tracemap.simulate.draws import Draws
from tracemap.simulate.evaluation import Evaluation


def test_stages_follow_each_other() -> None:
    """Two calls in two stages: durations add up to own time and both calls."""
    evaluation = play(system((call("a"),), (call("b"),), web=9, a=20, b=30))

    assert milliseconds(node(evaluation, "web", "SERVER")) == [59]


def test_calls_of_a_stage_run_at_the_same_time() -> None:
    """Two calls in one stage: the slower one counts."""
    evaluation = play(system((call("a"), call("b")), a=20, b=30))

    assert milliseconds(node(evaluation, "web", "SERVER")) == [40]


def test_a_call_takes_the_time_of_its_upstream_and_the_network() -> None:
    """The client span is longer than the server span by the gap, which lies on both sides of it."""
    evaluation = play(system((call("a", gap_ms=4),), a=20))
    client, server = node(evaluation, "a", "CLIENT"), node(evaluation, "a", "SERVER")
    gap_ns = client.duration_ns - server.duration_ns

    assert abs(np.median(gap_ns) / 1_000_000 - 4) < 1
    assert np.all(server.start_ns > client.start_ns)
    assert np.all(server.start_ns - client.start_ns < gap_ns)


def test_a_database_shows_only_as_a_client_span() -> None:
    """What is not instrumented records nothing, but takes its time."""
    evaluation = play(system((call("db"),), db=25))

    assert [one.sort.kind for one in evaluation.nodes] == [Kind.SERVER, Kind.CLIENT]
    assert milliseconds(node(evaluation, "db", "CLIENT")) == [25]


def test_repeated_calls_follow_each_other() -> None:
    """A loop of three calls takes three times as long, and a little of downstream's own time."""
    evaluation = play(system((call("a", times=3),), web=10, a=20))

    assert milliseconds(evaluation.nodes[0]) == [70.04]
    assert len(evaluation.nodes) == 1 + 3 * 2


def test_a_call_behind_a_cache_is_made_on_a_miss_only() -> None:
    """Requests that hit the cache are shorter by the whole call."""
    evaluation = play(system((call("db", probability=0.3),), web=10, db=25), requests=5_000)
    misses = node(evaluation, "db", "CLIENT")

    assert 0.27 < len(misses.rows) / 5_000 < 0.33
    assert milliseconds(node(evaluation, "web", "SERVER")) == [10, 35]


def test_a_call_that_is_not_waited_for_takes_no_time_of_downstream() -> None:
    """Fire and forget: the span is there, downstream goes on."""
    evaluation = play(system((call("a", waits=False), call("b")), web=10, a=500, b=20))

    assert milliseconds(node(evaluation, "web", "SERVER")) == [30]
    assert milliseconds(node(evaluation, "a", "CLIENT")) == [500]


def test_the_whole_shop_publishes_messages_consumed_in_other_traces() -> None:
    """Each order is processed by both consumers, later, with a link to the sender's span."""
    web = shop()
    draws = Draws(1, 0, 50)
    evaluation = Evaluation(web, draws, np.arange(50) * 1_000_000, ())
    evaluation.play(next(entry.key for entry in web.entries if "checkout" in entry.operation))
    senders = [n for n, one in enumerate(evaluation.nodes) if one.sort.kind is Kind.PRODUCER]
    consumers = [one for one in evaluation.nodes if one.sort.kind is Kind.CONSUMER]

    assert [one.sort.service for one in consumers] == ["email", "fulfilment"]
    for one in consumers:
        sender = evaluation.nodes[one.linked]
        assert one.linked in senders
        assert one.trace != sender.trace
        assert np.all(one.start_ns > (sender.start_ns + sender.duration_ns)[: len(one.rows)])


@pytest.mark.parametrize("seed", range(3))
@settings(deadline=None, max_examples=8)
@given(shop_seed=st.integers(0, 10_000))
def test_every_span_lies_within_its_parent(seed: int, shop_seed: int) -> None:
    """Without skew and fire and forget, a child starts no earlier and ends no later."""
    spans = run(random_shop(shop_seed), minutes=0.2, seed=seed).spans
    ends = spans.select(
        "trace_low", parent_id="span_id", from_ns="start_ns",
        to_ns=spans["start_ns"] + spans["duration_ns"],
    )  # fmt: skip
    pairs = spans.join(ends, on=["trace_low", "parent_id"])

    assert pairs.height == spans.filter(spans["parent_id"] != 0).height
    assert (pairs["start_ns"] >= pairs["from_ns"]).all()
    assert (pairs["start_ns"] + pairs["duration_ns"] <= pairs["to_ns"]).all()
    assert spans.select("trace_low", "span_id").is_duplicated().any() is False
