from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tests.simulate.small import call, node, play, system
from tracemap.simulate import (
    Deploy,
    ErrorBurst,
    Failing,
    Policy,
    Retry,
    Service,
    Shop,
    SlowPod,
    Surge,
    run,
)
from tracemap.simulate.fault import RENEWED

PLAIN = system((call("a"),), (call("b"),), a=20)
SURGE = Surge(service="web", operation="GET /", factor=3, start_minute=1, end_minute=2)


def test_half_of_the_instances_change_at_a_time() -> None:
    """Instance 0 is new after one minute, instance 1 after two, both old again after three."""
    new = Deploy(service="a", version="2", add_ms=50, start_minute=1, end_minute=3)
    server = node(play(PLAIN, new, requests=240), "a", "SERVER")
    renewed = server.replica >= RENEWED
    minutes = [
        (set(server.replica[rows] % RENEWED), set(server.replica[rows & renewed] % RENEWED))
        for rows in (server.rows // 60 == minute for minute in range(4))
    ]

    assert [changed for _, changed in minutes] == [set(), {0}, {0, 1}, set()]
    assert all(both == {0, 1} for both, _ in minutes)
    assert set(server.duration_ns[renewed]) == {70_000_000}
    assert set(server.duration_ns[~renewed]) == {20_000_000}


def test_new_instances_say_their_version_and_have_ids_of_their_own() -> None:
    """Old and new at the same time in the middle of the deploy."""
    new = Deploy(service="a", version="2", start_minute=1, end_minute=3, step_minutes=1)
    batch = next(run(PLAIN, minutes=3, faults=[new]).batches())
    seen = (
        batch.spans.join(batch.resources, on="resource_id")
        .filter(pl.col("service_name") == "a")
        .group_by("service_version", "instance")
        .len()
        .sort("service_version", "instance")
    )

    assert seen["service_version"].to_list() == ["1.0.0", "1.0.0", "2", "2"]
    assert seen["instance"].n_unique() == 4


def test_a_deploy_that_changes_nothing_changes_no_time() -> None:
    """Only resources differ."""
    new = Deploy(service="a", version="2", end_minute=3)
    plain, deployed = run(PLAIN, minutes=1).spans, run(PLAIN, minutes=1, faults=[new]).spans
    same = ["span_id", "start_ns", "duration_ns"]

    assert plain.select(same).equals(deployed.select(same))
    assert not plain["resource_id"].equals(deployed["resource_id"])


def test_bursts_come_again_and_again() -> None:
    """Five seconds in every thirty, from the start of the fault."""
    burst = ErrorBurst(service="a", ratio=1.0, start_minute=0.5, end_minute=1.5)
    failed = np.flatnonzero(node(play(PLAIN, burst, requests=120), "a", "SERVER").error)

    assert failed.tolist() == [*range(30, 35), *range(60, 65)]


def test_one_instance_may_fail_alone() -> None:
    """The other has no errors."""
    server = node(play(PLAIN, Failing(service="a", instance=1, ratio=1.0)), "a", "SERVER")

    assert set(server.replica[server.error]) == {1}
    assert set(server.replica[~server.error]) == {0}


def test_a_slow_pod_slows_calls_into_and_out_of_it_only() -> None:
    """Calls into the instance, and calls it makes itself."""
    inward = play(PLAIN, SlowPod(service="a", instance=1, add_ms=50))
    outward = play(PLAIN, SlowPod(service="web", instance=1, add_ms=50))
    for evaluation, slow in (
        (inward, node(inward, "a", "SERVER").replica == 1),
        (outward, outward.nodes[0].replica == 1),
    ):
        client, server = node(evaluation, "a", "CLIENT"), node(evaluation, "a", "SERVER")
        gap_ns = client.duration_ns - server.duration_ns
        assert gap_ns[slow].min() > 5_000_000
        assert gap_ns[~slow].max() == 0


def test_a_surge_adds_requests_and_changes_none() -> None:
    """Three times as many in its minute; the others are the same spans."""
    calm, busy = run(PLAIN, minutes=3), run(PLAIN, minutes=3, faults=[SURGE])
    added = busy.spans.join(calm.spans, on=["trace_low", "span_id", "start_ns", "duration_ns"],
                            how="anti")  # fmt: skip
    minute = (added["start_ns"] - busy.start_ns) // 60_000_000_000
    in_minute = (calm.spans["start_ns"] - calm.start_ns) // 60_000_000_000 == 1

    assert calm.spans.join(busy.spans, on=["trace_low", "span_id"], how="anti").is_empty()
    assert minute.value_counts().sort("count", descending=True).item(0, "start_ns") == 1
    assert 1.7 < added.height / in_minute.sum() < 2.3


def _slots(slots: int | None) -> Shop:
    shop = system((call("a"),), a=40)
    services = {**shop.services, "a": Service("a", slots=slots)}
    return Shop(shop.name, services, shop.operations, shop.entries, shop.subscriptions)


def _effect(shop: Shop) -> dict[str, Any]:
    effect: dict[str, Any] = run(shop, minutes=3, faults=[SURGE]).truth["faults"][0]
    return effect


def test_retries_make_an_overload_worse() -> None:
    """Those who leave come back: the instance works on more requests than there are."""
    policy = Policy(timeout_ms=80, retry=Retry(attempts=4, backoff="immediate"))
    shop = system((call("h", policy=policy, optional=True),), h=40)
    services = {**shop.services, "h": Service("h", protocol="http", slots=1)}
    busy = Shop(shop.name, services, shop.operations, shop.entries)
    calm, overloaded = (run(busy, minutes=3, faults=faults).truth for faults in ([], [SURGE]))
    amplification = [one["safeguards"][0]["amplification"] for one in (calm, overloaded)]

    assert amplification[0] < 1.4
    assert amplification[1] > 1.5 * amplification[0]


def test_a_surge_is_felt_where_requests_wait_for_a_slot() -> None:
    """Ten a second of 40 ms on two instances are nothing for two slots and much for one."""
    narrow, wide, endless = (_effect(_slots(slots)) for slots in (1, 2, None))
    excess = [one["user_visible"][0]["excess_ms"] for one in (narrow, wide, endless)]
    hops = [(hop["downstream"], hop["upstream"], hop["hop"]) for hop in narrow["hops"]]

    assert excess[0] > 20
    assert 1 < excess[1] < excess[0] / 3
    assert excess[2] == 0
    assert (narrow["verdict"], narrow["cause"]) == ("propagated", "load")
    assert hops == [("web", "a", 1)]
