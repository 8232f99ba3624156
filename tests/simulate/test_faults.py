from __future__ import annotations

import numpy as np

from tests.simulate.small import call, milliseconds, node, play, system
from tracemap.simulate import (
    ColdCache,
    Failing,
    MoreCalls,
    SlowEdge,
    Slower,
    SlowNetwork,
)

SHOP = system((call("a"),), (call("db"),), web=10, a=20, db=30)


def test_slower_own_time_is_times_a_factor_and_some_more() -> None:
    """20 ms become 20 x 2 + 5."""
    evaluation = play(SHOP, Slower(service="a", factor=2, add_ms=5))

    assert milliseconds(node(evaluation, "a", "SERVER")) == [45]


def test_a_slower_database_is_a_slower_service() -> None:
    """A database has own time as everything else."""
    evaluation = play(SHOP, Slower(service="db", operation="work", add_ms=100))

    assert milliseconds(node(evaluation, "db", "CLIENT")) == [130]


def test_one_slow_instance_slows_its_own_requests_only() -> None:
    """The other replicas stay as they were."""
    evaluation = play(SHOP, Slower(service="a", instance=1, add_ms=100))
    server = node(evaluation, "a", "SERVER")
    by_replica = {
        replica: set((server.duration_ns[server.replica == replica] // 1_000_000).tolist())
        for replica in (0, 1)
    }

    assert by_replica == {0: {20}, 1: {120}}


def test_a_fault_lasts_from_its_start_to_just_before_its_end() -> None:
    """Requests arrive one a second: minute 0.5 to 1 are those of the seconds 30 to 59."""
    evaluation = play(SHOP, Slower(service="a", add_ms=100, start_minute=0.5, end_minute=1))
    slow = np.flatnonzero(node(evaluation, "a", "SERVER").duration_ns > 50_000_000)

    assert slow.tolist() == list(range(30, 60))


def test_a_slow_edge_leaves_the_upstream_itself_alone() -> None:
    """Only what downstream waits gets longer."""
    evaluation = play(SHOP, SlowEdge(downstream="web", upstream="a", add_ms=50))
    gap_ns = (
        node(evaluation, "a", "CLIENT").duration_ns - node(evaluation, "a", "SERVER").duration_ns
    )

    assert milliseconds(node(evaluation, "a", "SERVER")) == [20]
    assert 40 < np.median(gap_ns) / 1_000_000 < 60
    assert milliseconds(node(evaluation, "db", "CLIENT")) == [30]


def test_a_slow_network_is_felt_by_calls_into_and_out_of_the_service() -> None:
    """For the front door these are all calls it makes."""
    evaluation = play(SHOP, SlowNetwork(service="web", add_ms=50))

    assert min(milliseconds(node(evaluation, "a", "CLIENT"))) > 20
    assert min(milliseconds(node(evaluation, "db", "CLIENT"))) > 30


def test_more_calls_are_made_one_after_the_other() -> None:
    """One query becomes four; each is as fast as before."""
    evaluation = play(SHOP, MoreCalls(downstream="web", upstream="db", times=4))
    queries = [one for one in evaluation.nodes if one.sort.subject.service == "db"]

    assert [milliseconds(one) for one in queries] == [[30]] * 4
    assert milliseconds(evaluation.nodes[0]) == [10 + 20 + 4 * 30 + 3 * 0.02]


def test_a_cold_cache_sends_every_request_to_the_database() -> None:
    """The probability of the call behind it rises."""
    cached = system((call("db", probability=0.1),))
    cold = ColdCache(downstream="web", upstream="db", probability=1.0)

    assert len(node(play(cached), "db", "CLIENT").rows) < 30
    assert len(node(play(cached, cold), "db", "CLIENT").rows) == 100


def test_a_failing_upstream_fails_downstream_and_cuts_it_short() -> None:
    """The second stage is not reached by requests whose first stage failed."""
    evaluation = play(SHOP, Failing(service="a", ratio=1.0))
    web = node(evaluation, "web", "SERVER")

    assert bool(web.error.all())
    assert milliseconds(web) == [30]


def test_a_failing_optional_call_is_survived() -> None:
    """The call's span says ERROR, downstream's does not."""
    optional = system((call("a", optional=True),), (call("db"),))
    evaluation = play(optional, Failing(service="a", ratio=1.0))

    assert bool(node(evaluation, "a", "CLIENT").error.all())
    assert not node(evaluation, "web", "SERVER").error.any()


def test_two_faults_at_once_compose() -> None:
    """Both apply, in the order given."""
    evaluation = play(SHOP, Slower(service="a", add_ms=10), Slower(service="a", factor=2))

    assert milliseconds(node(evaluation, "a", "SERVER")) == [60]
