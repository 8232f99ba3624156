from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulate.small import call, milliseconds, node, nodes, play, system
from tracemap.model import Batch
from tracemap.simulate import (
    Breaker,
    ColdCache,
    Failing,
    Hedge,
    Policy,
    Retry,
    Shop,
    Slower,
    run,
)
from tracemap.simulate.places import Outcome

AT_ONCE = Retry(attempts=3, backoff="immediate")
DOWN = Failing(service="h", ratio=1.0, end_minute=100)
A_DOWN = Failing(service="a", ratio=1.0)


def _retrying(upstream: str, retry: Retry, **options: object) -> Shop:
    return system((call(upstream, policy=Policy(retry=retry), **options),))


def test_an_http_client_records_a_span_per_attempt_with_its_number() -> None:
    """Three siblings, the second and third counting how often the request was sent before."""
    evaluation = play(_retrying("h", AT_ONCE), DOWN)
    clients = nodes(evaluation, "h", "CLIENT")

    assert [one.sort.resend for one in clients] == [0, 1, 2]
    assert {one.parent for one in clients} == {0}
    assert all(one.error.all() for one in clients)
    assert milliseconds(evaluation.nodes[0]) == [10 + 3 * 10]


def test_a_grpc_client_records_one_span_around_all_attempts() -> None:
    """Three server spans hang on it."""
    evaluation = play(_retrying("a", AT_ONCE), A_DOWN)
    client = node(evaluation, "a", "CLIENT")
    servers = nodes(evaluation, "a", "SERVER")

    assert milliseconds(client) == [30]
    assert [evaluation.nodes[one.parent] is client for one in servers] == [True] * 3


def test_the_first_attempt_that_goes_well_ends_it() -> None:
    """Half of the attempts fail: half of the calls take two, and one in eight fails for good."""
    half = Failing(service="h", ratio=0.5, end_minute=100)
    evaluation = play(_retrying("h", AT_ONCE), half, requests=4_000)
    attempts = [len(one.rows) for one in nodes(evaluation, "h", "CLIENT")]
    web = evaluation.nodes[0]

    assert attempts[0] == 4_000
    assert abs(attempts[1] - 2_000) < 150
    assert abs(attempts[2] - 1_000) < 120
    assert abs(int(web.error.sum()) - 500) < 90


def test_pauses_lie_between_attempts() -> None:
    """20 and 40 ms without jitter."""
    retry = Retry(attempts=3, first_ms=20, jitter=False)
    first, second, third = nodes(play(_retrying("h", retry), DOWN), "h", "CLIENT")
    ends_ns = [one.start_ns + one.duration_ns for one in (first, second)]

    assert set((second.start_ns - ends_ns[0]) // 1_000) == {20_000}
    assert set((third.start_ns - ends_ns[1]) // 1_000) == {40_000}


def test_jitter_spreads_a_pause_evenly_from_nothing_to_all_of_it() -> None:
    """Full jitter: mean one half, coefficient of variation 0.58."""
    retry = Retry(attempts=2, first_ms=100)
    first, second = nodes(play(_retrying("h", retry), DOWN, requests=5_000), "h", "CLIENT")
    pauses = (second.start_ns - first.start_ns - first.duration_ns) / 1_000_000

    assert pauses.min() >= 0
    assert pauses.max() < 100
    assert abs(pauses.mean() - 50) < 2
    assert abs(pauses.std() / pauses.mean() - 0.577) < 0.03


def test_a_budget_limits_retries_to_a_share_of_the_calls() -> None:
    """Requests come one a second: of every ten, two may be tried again, the earliest."""
    retry = Retry(attempts=3, backoff="immediate", budget=0.2)
    evaluation = play(_retrying("h", retry), DOWN, requests=100)
    second, *third = nodes(evaluation, "h", "CLIENT")[1:]

    assert third == []
    assert len(second.rows) == 20
    assert set(second.rows % 10) == {0, 1}


def test_an_http_client_leaves_at_its_deadline_and_the_server_goes_on() -> None:
    """Each attempt has a deadline of its own."""
    policy = Policy(timeout_ms=30, retry=Retry(attempts=2, backoff="immediate"))
    evaluation = play(system((call("h", policy=policy),), h=100))
    clients, servers = nodes(evaluation, "h", "CLIENT"), nodes(evaluation, "h", "SERVER")

    assert [milliseconds(one) for one in clients] == [[30], [30]]
    assert [milliseconds(one) for one in servers] == [[100], [100]]
    assert all(set(one.outcomes.tolist()) == {Outcome.TIMEOUT} for one in clients)
    assert not any(one.error.any() for one in servers)


def test_a_grpc_deadline_is_for_all_attempts_together() -> None:
    """Two attempts of 20 ms fit into 50, the third is cut off."""
    policy = Policy(timeout_ms=50, retry=AT_ONCE)
    evaluation = play(system((call("a", policy=policy),), a=20), A_DOWN)
    client, servers = node(evaluation, "a", "CLIENT"), nodes(evaluation, "a", "SERVER")

    assert milliseconds(client) == [50]
    assert set(client.outcomes.tolist()) == {Outcome.TIMEOUT}
    assert [milliseconds(one) for one in servers] == [[20], [20], [20]]


def test_no_attempt_starts_after_a_grpc_deadline() -> None:
    """A pause that would end later is not waited for."""
    retry = Retry(attempts=3, backoff="constant", first_ms=100, jitter=False)
    evaluation = play(system((call("a", policy=Policy(timeout_ms=50, retry=retry)),)), A_DOWN)

    assert milliseconds(node(evaluation, "a", "CLIENT")) == [10]
    assert len(nodes(evaluation, "a", "SERVER")) == 1


def test_a_hedge_starts_beside_a_slow_attempt_and_the_first_answer_wins() -> None:
    """One of two instances is slow: its requests are asked again after 30 ms."""
    policy = Policy(hedge=Hedge(after_ms=30))
    slow = Slower(service="h", instance=0, add_ms=200)
    evaluation = play(system((call("h", policy=policy),)), slow, requests=400)
    first, second = nodes(evaluation, "h", "CLIENT")
    lost = first.outcomes == Outcome.CANCELLED

    assert set(second.start_ns - first.start_ns[np.isin(first.rows, second.rows)]) == {30_000_000}
    assert 60 < lost.sum() < 140
    assert set(first.duration_ns[lost]) == {40_000_000}
    assert not evaluation.nodes[0].error.any()
    assert milliseconds(evaluation.nodes[0]) == [20, 50, 220]


def test_a_failed_answer_does_not_win_against_a_good_one() -> None:
    """The hedge is waited for, though the first attempt failed before."""
    policy = Policy(hedge=Hedge(after_ms=30))
    faults = (
        Slower(service="h", instance=0, add_ms=28),
        Failing(service="h", instance=0, ratio=1.0),
    )
    evaluation = play(system((call("h", policy=policy),)), *faults, requests=400)
    first, second = nodes(evaluation, "h", "CLIENT")
    saved = np.isin(first.rows, second.rows[~second.error])

    assert first.error[saved].all()
    assert set(first.duration_ns[saved]) == {38_000_000}
    assert not evaluation.nodes[0].error[saved].any()
    assert 60 < int(saved.sum()) < 140


def test_an_open_breaker_fails_calls_at_once_and_makes_none() -> None:
    """It opens when the window holds ten failures, and lets probes through every ten seconds."""
    policy = Policy(breaker=Breaker(least_calls=5, open_seconds=10, probes=2))
    evaluation = play(system((call("h", policy=policy),)), DOWN, requests=200)
    made = nodes(evaluation, "h", "SERVER")[0]
    refused = [
        one
        for one in nodes(evaluation, "h", "CLIENT")
        if set(one.outcomes.tolist()) == {Outcome.REJECTED}
    ]

    assert len(refused) == 1
    assert len(refused[0].rows) + len(made.rows) == 200
    assert len(made.rows) < 80
    assert milliseconds(refused[0]) == [0.03]
    assert not set(refused[0].rows) & set(made.rows)


def test_a_breaker_leaves_no_trace_of_what_it_weighed() -> None:
    """With nothing wrong, the play is the same as without a breaker."""
    plain = play(system((call("h"),)))
    guarded = play(system((call("h", policy=Policy(breaker=Breaker())),)))
    seen = [(one.path, one.rows.tolist()) for one in guarded.nodes if len(one.rows)]

    assert seen == [(one.path, one.rows.tolist()) for one in plain.nodes]
    assert list(guarded.executions) == list(plain.executions)
    assert sum(guarded.calling.tally.values()) == 2 * 100  # calls and attempts


def test_a_cache_hit_makes_no_call_and_no_span() -> None:
    """Nine of ten; when the cache is cold all are made, and fewer as it warms."""
    cached = system((call("db", policy=Policy(hit_ratio=0.9)),))
    cold = ColdCache(
        downstream="web", upstream="db", probability=1.0, warm_minutes=5, end_minute=10
    )
    warm = node(play(cached, requests=600), "db", "CLIENT").rows
    emptied = node(play(cached, cold, requests=600), "db", "CLIENT").rows
    halves = [int(((emptied >= start) & (emptied < start + 150)).sum()) for start in (0, 150, 300)]

    assert 40 < len(warm) < 80
    assert 105 < halves[0] < 135
    assert 45 < halves[1] < 75
    assert halves[2] < 30


def test_a_fallback_is_called_after_a_failure_and_downstream_is_fine() -> None:
    """Only then; its time comes on top."""
    shop = system((call("a", fallback=call("b")),), a=20, b=30)
    evaluation = play(shop, Failing(service="a", ratio=0.5), requests=400)
    failed = node(evaluation, "a", "CLIENT").error
    web = evaluation.nodes[0]

    assert node(evaluation, "b", "CLIENT").rows.tolist() == np.flatnonzero(failed).tolist()
    assert not web.error.any()
    assert set(web.duration_ns[failed]) == {60_000_000}
    assert set(web.duration_ns[~failed]) == {30_000_000}


def test_a_fallback_that_fails_too_fails_downstream() -> None:
    """There is no third way."""
    shop = system((call("a", fallback=call("b")),))
    evaluation = play(shop, A_DOWN, Failing(service="b", ratio=1.0))

    assert evaluation.nodes[0].error.all()


def test_a_fan_out_takes_as_long_as_its_slowest_call() -> None:
    """Five calls at once, all of the same start."""
    evaluation = play(system((call("a", times=5, together=True),), web=10, a=20))
    starts = {one.start_ns.tobytes() for one in nodes(evaluation, "a", "CLIENT")}

    assert milliseconds(evaluation.nodes[0]) == [30]
    assert len(starts) == 1


def test_spans_say_how_each_call_ended_as_their_instrumentation_does() -> None:
    """HTTP has no status code when no answer came; gRPC has a code for everything."""
    policy = Policy(timeout_ms=15, breaker=Breaker(least_calls=5))
    shop = system((call("h", policy=policy, optional=True), call("a", policy=policy)))
    slow = [Slower(service=name, add_ms=20, end_minute=1) for name in ("h", "a")]
    said = _clients(next(run(shop, minutes=1, faults=slow).batches(attributes=True)))

    assert said == {
        ("http", None, "timeout"),
        ("http", None, "io.github.resilience4j.circuitbreaker.CallNotPermittedException"),
        ("grpc", None, "DEADLINE_EXCEEDED"),
        ("grpc", None, "UNAVAILABLE"),
    }


def test_attempts_are_numbered_in_the_column_too() -> None:
    """``resend_count`` of the batch is the attribute of the span."""
    shop = _retrying("h", AT_ONCE)
    batch = next(run(shop, minutes=1, faults=[DOWN]).batches(attributes=True))
    numbered = batch.spans.filter(pl.col("attributes").str.contains("http.request.resend_count"))

    assert sorted(batch.spans["resend_count"].unique()) == [0, 1, 2]
    assert numbered.height == batch.spans.filter(pl.col("resend_count") > 0).height


def test_a_redirect_is_a_resend_but_no_retry() -> None:
    """The first span has status 302 and no error, the second says it was sent before."""
    shop = system((call("h", gap_ms=1, policy=Policy(redirected=True)),))
    batch = next(run(shop, minutes=1).batches())
    clients = batch.spans.join(batch.operations.filter(pl.col("kind") == 3), on="operation_id")
    seen = clients.group_by("resend_count").agg(
        pl.col("http_status").unique(), pl.col("status_code").unique()
    )

    assert sorted(seen.rows()) == [(0, [302], [0]), (1, [200], [0])]
    assert play(shop).calling.tally == {}


@settings(max_examples=25, deadline=None)
@given(
    attempts=st.integers(1, 4),
    ratio=st.floats(0, 1),
    timeout_ms=st.none() | st.integers(5, 60),
    hedge_ms=st.none() | st.integers(1, 40),
    upstream=st.sampled_from(["a", "h", "db"]),
)
def test_no_attempt_leaves_its_call_and_none_is_lost(
    attempts: int, ratio: float, timeout_ms: int | None, hedge_ms: int | None, upstream: str
) -> None:
    """Client spans lie within downstream, and attempts are what the tally says."""
    policy = Policy(
        timeout_ms=timeout_ms,
        retry=Retry(attempts=attempts, first_ms=3),
        hedge=None if hedge_ms is None else Hedge(after_ms=hedge_ms),
    )
    fault = Failing(service=upstream, ratio=ratio)
    evaluation = play(system((call(upstream, gap_ms=2, policy=policy),)), fault, requests=60)
    web = evaluation.nodes[0]
    clients = nodes(evaluation, upstream, "CLIENT")
    for one in clients:
        assert (one.start_ns >= web.start_ns[one.rows]).all()
        ends_ns = web.start_ns + web.duration_ns
        assert (one.start_ns + one.duration_ns <= ends_ns[one.rows]).all()
        assert (one.duration_ns >= 0).all()
    reached = [one for path, one in evaluation.executions.items() if path.endswith(">")]
    tally = {name: count for (_, name), count in evaluation.calling.tally.items()}
    assert sum(len(one.rows) for one in reached) == tally.get("attempts", 60)
    assert tally.get("attempts", 60) == 60 + tally.get("retries", 0) + tally.get("hedges", 0)


def _clients(batch: Batch) -> set[tuple[str, int | None, str]]:
    """Protocol, HTTP status and error type of failed client spans."""
    failed = batch.spans.filter(pl.col("status_code") == 2).join(
        batch.operations.filter(pl.col("kind") == 3), on="operation_id"
    )
    return set(failed.select("protocol", "http_status", "error_type").unique().rows())
